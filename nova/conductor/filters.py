# SPDX-License-Identifier: Apache-2.0
"""Telling hosts that packet filters of their guests have changed, because a group's members have."""

from __future__ import annotations

from nova.conductor.cloud import Cloud, afterwards
from nova.context import RequestContext
from nova.db import instance_filters
from nova.db.transaction import Transaction


def refresh_neighbours(cloud: Cloud, tx: Transaction, context: RequestContext, *, instance_uuid: str) -> None:
    """After the commit, refresh the filters that name a group of this instance as a source.

    To be called before the instance leaves its groups, and when its addresses are known.
    """
    groups = instance_filters.source_groups_of(tx, instance_uuid)
    if not groups:
        return
    for host, touched in instance_filters.hosts_touched_by(tx, groups).items():
        others = tuple(uuid for uuid in touched if uuid != instance_uuid)
        if others:
            _refresh(cloud, tx, context, host=host, instance_uuids=others)


def _refresh(
    cloud: Cloud, tx: Transaction, context: RequestContext, *, host: str, instance_uuids: tuple[str, ...]
) -> None:
    afterwards(
        tx,
        f"refresh filters on {host}",
        lambda: cloud.compute.on(host).refresh_filters(context, instance_uuids=instance_uuids),
    )
