# SPDX-License-Identifier: Apache-2.0
"""Change a server's metadata, in the states in which that is allowed and up to the project's limit."""

from __future__ import annotations

from collections.abc import Mapping

from nova.api.actions import servers
from nova.api.cloud import Cloud
from nova.api.policies.compute import PREFIX
from nova.context import RequestContext
from nova.db import instances, quota_limits
from nova.db.engine import Transaction
from nova.domain.transitions import Action

CREATE_RULE = PREFIX + "server-metadata:create"
UPDATE_RULE = PREFIX + "server-metadata:update"
REPLACE_RULE = PREFIX + "server-metadata:update_all"
DELETE_RULE = PREFIX + "server-metadata:delete"


def merge(
    cloud: Cloud,
    tx: Transaction,
    context: RequestContext,
    uuid: str,
    items: Mapping[str, str],
    *,
    rule: str = CREATE_RULE,
) -> dict[str, str]:
    """Add or change *items*; returns all there are now."""
    limit = _begin(cloud, tx, context, uuid, rule)
    return instances.merge_metadata(tx, uuid, items, limit=limit)


def replace(
    cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, items: Mapping[str, str]
) -> dict[str, str]:
    """Make *items* all the metadata that there is."""
    limit = _begin(cloud, tx, context, uuid, REPLACE_RULE)
    return instances.replace_metadata(tx, uuid, items, limit=limit)


def delete(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, key: str) -> None:
    """Remove one item; NotFound when it is not there."""
    _begin(cloud, tx, context, uuid, DELETE_RULE)
    instances.delete_metadata_item(tx, uuid, key)


def _begin(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, rule: str) -> int:
    """Permission and state; returns how many items the project may have."""
    instance = servers.load(tx, context, uuid)
    servers.authorize(cloud, context, rule, instance)
    instances.begin(tx, uuid, Action.UPDATE_METADATA, project_id=instance.project_id, ignore_lock=context.is_admin)
    defaults = cloud.settings.default_quotas
    return quota_limits.effective(tx, instance.project_id, user_id=instance.user_id, defaults=defaults)[
        "metadata_items"
    ]
