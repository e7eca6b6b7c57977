# SPDX-License-Identifier: Apache-2.0
"""Finding the volume that a request is about: never one of another project, except for administrators."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nova.api.actions.servers import scope_of
from nova.api.cloud import Cloud
from nova.api.policies.volume import PREFIX
from nova.context import RequestContext
from nova.db import quota_limits, volumes
from nova.db.engine import Transaction
from nova.domain.quota import UNLIMITED
from nova.domain.volume import Volume
from nova.errors import NotFound, QuotaExceeded

UPDATE_RULE = PREFIX + "update"
_LONGEST_ID = 36


def load(tx: Transaction, context: RequestContext, volume_id: str) -> Volume:
    """The volume; NotFound when it is not there or not the caller's, without a difference."""
    if len(volume_id) > _LONGEST_ID:
        raise NotFound.of("volume", volume_id[:_LONGEST_ID])
    return volumes.get(tx, volume_id, project_id=scope_of(context))


def authorize(cloud: Cloud, context: RequestContext, rule: str, volume: Volume) -> None:
    """Ask the policy for *rule* with the volume as its target."""
    cloud.policy.authorize(context, rule, {"project_id": volume.project_id, "user_id": volume.user_id})


def rename(
    cloud: Cloud, tx: Transaction, context: RequestContext, volume_id: str, *, name: str | None, description: str | None
) -> Volume:
    """Give a volume other words; None leaves what is there."""
    authorize(cloud, context, UPDATE_RULE, load(tx, context, volume_id))
    return volumes.update(tx, volume_id, project_id=None, display_name=name, display_description=description)


def change_metadata(
    cloud: Cloud,
    tx: Transaction,
    context: RequestContext,
    volume_id: str,
    change: Callable[[Mapping[str, str]], Mapping[str, str]],
) -> dict[str, str]:
    """Make what *change* says of the volume's metadata; QuotaExceeded when there would be too many items."""
    authorize(cloud, context, UPDATE_RULE, load(tx, context, volume_id))
    # The first update locks the row, so that what is read after it is what is changed.
    before = volumes.update(tx, volume_id, project_id=None)
    after = dict(change(before.metadata))
    check_metadata(cloud, tx, after, project_id=before.project_id)
    volumes.update(tx, volume_id, project_id=None, metadata=after)
    return after


def check_metadata(cloud: Cloud, tx: Transaction, items: Mapping[str, str], *, project_id: str) -> None:
    """Refuse more items than a project may have on one thing."""
    limit = quota_limits.effective(tx, project_id, defaults=cloud.settings.default_quotas)["metadata_items"]
    if limit != UNLIMITED and len(items) > limit:
        raise QuotaExceeded(
            f"Quota exceeded for metadata_items: {len(items)} are too many, the limit is {limit}.",
            resource="metadata_items",
            limit=limit,
            in_use=0,
            requested=len(items),
        )
