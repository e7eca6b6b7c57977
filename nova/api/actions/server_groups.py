# SPDX-License-Identifier: Apache-2.0
"""Make and remove server groups, and put new servers into one.  Runs in nova-api."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nova.api.actions.servers import scope_of
from nova.api.cloud import Cloud
from nova.api.policies.compute import PREFIX
from nova.context import RequestContext
from nova.db import quotas, server_groups
from nova.db.transaction import Transaction
from nova.domain.instance import Instance
from nova.domain.server_group import Policy, ServerGroup
from nova.errors import InvalidInput, NotFound

POLICY = PREFIX + "os-server-groups:"
HINT = "group"


def create(cloud: Cloud, tx: Transaction, context: RequestContext, *, name: str, policy: Policy) -> ServerGroup:
    """A new group of the caller's project; QuotaExceeded."""
    cloud.policy.authorize(context, POLICY + "create")
    project_id, user_id = context.project_id, context.user_id
    defaults = cloud.settings.default_quotas
    quotas.claim(tx, {"server_groups": 1}, project_id=project_id, user_id=user_id, defaults=defaults)
    group = ServerGroup(uuid="", name=name, policy=policy, project_id=project_id, user_id=user_id)
    return server_groups.create(tx, group)


def delete(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str) -> None:
    """Remove a group; its servers stay.  NotFound."""
    group = server_groups.get(tx, scope_of(context), uuid)
    cloud.policy.authorize(context, POLICY + "delete", {"project_id": group.project_id, "user_id": group.user_id})
    if server_groups.remove(tx, group):
        quotas.release(tx, {"server_groups": 1}, project_id=group.project_id, user_id=group.user_id)


def join(
    cloud: Cloud, tx: Transaction, context: RequestContext, hints: Mapping[str, Any], made: Sequence[Instance]
) -> None:
    """Put the new servers into the group that the hints name, if they do; InvalidInput for one that is not there."""
    named = hints.get(HINT)
    if not named:
        return
    try:
        group = server_groups.get(tx, context.project_id, str(named))
    except NotFound as error:
        raise InvalidInput(f"Server group {str(named)[:64]} could not be found.", field="group") from error
    usage = quotas.usages(tx, context.project_id, defaults=cloud.settings.default_quotas)["server_group_members"]
    server_groups.add_members(tx, group, [instance.uuid for instance in made], limit=usage.limit)
