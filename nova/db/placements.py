# SPDX-License-Identifier: Apache-2.0
"""Where instances are, as the scheduler wants to know it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from nova.db.instances.rows import INSTANCES
from nova.db.transaction import Transaction
from nova.domain.transitions import TRANSITIONS, Action

C = INSTANCES.c
_BUILDING = sorted(task.value for task in TRANSITIONS[Action.CREATE].during)
_BUILDING_BY_HOST = (
    select(C.host, func.count().label("total"))
    .where(C.task_state.in_(_BUILDING), C.deleted == 0, C.host.is_not(None))
    .group_by(C.host)
)


def building_by_host(tx: Transaction) -> dict[str, int]:
    """How many instances are being built on each host; no key for a host without any."""
    return {row.host: row.total for row in tx.execute(_BUILDING_BY_HOST)}


def servers_by_host(tx: Transaction) -> dict[str, int]:
    """How many instances each host has; no key for a host without any."""
    chosen = select(C.host, func.count().label("total")).where(C.deleted == 0, C.host.is_not(None))
    return {row.host: row.total for row in tx.execute(chosen.group_by(C.host))}


def hosts_of(tx: Transaction, instance_uuids: Sequence[str], *, project_id: str) -> frozenset[str]:
    """The hosts of those of the instances that live and are of the project."""
    if not instance_uuids:
        return frozenset()
    mine = (C.uuid.in_(instance_uuids), C.project_id == project_id, C.deleted == 0, C.host.is_not(None))
    return frozenset(tx.execute(select(C.host).where(*mine)).scalars())
