# SPDX-License-Identifier: Apache-2.0
"""Instances that leave their host and come to another: what is kept of a shelved one, and where it is."""

from __future__ import annotations

import datetime

from sqlalchemy import delete, insert, select, update

from nova.db.instances.rows import INSTANCES, SYSTEM_METADATA
from nova.db.transaction import Transaction
from nova.domain.shelving import SHELVED_AT, SHELVED_IMAGE
from nova.domain.states import VmState
from nova.domain.transitions import TRANSITIONS, Action

C = INSTANCES.c
M = SYSTEM_METADATA.c
_KEYS = (SHELVED_AT, SHELVED_IMAGE)


def note_shelved(tx: Transaction, uuid: str, *, image_id: str) -> None:
    """Keep when the instance was shelved, and the image of its root disk (empty for none)."""
    forget_shelved(tx, uuid)
    kept = {SHELVED_AT: tx.now.isoformat(), SHELVED_IMAGE: image_id}
    rows = [{"instance_uuid": uuid, "key": key, "value": value, "created_at": tx.now} for key, value in kept.items()]
    tx.execute(insert(SYSTEM_METADATA), rows)


def forget_shelved(tx: Transaction, uuid: str) -> None:
    """The instance is not shelved any more."""
    tx.execute(delete(SYSTEM_METADATA).where(M.instance_uuid == uuid, M.key.in_(_KEYS)))


def leave_host(tx: Transaction, uuid: str, *, host: str) -> bool:
    """The instance is on no host any more; False when it was not on *host*."""
    values = {"host": None, "node": None, "updated_at": tx.now}
    gone = update(INSTANCES).where(C.uuid == uuid, C.deleted == 0, C.host == host).values(values)
    return tx.execute(gone).rowcount == 1


def come_to_host(tx: Transaction, uuid: str, *, host: str, node: str) -> bool:
    """An instance that is being unshelved and is on no host is on this one now; whether it was so."""
    unshelving = sorted(task.value for task in TRANSITIONS[Action.UNSHELVE].during)
    guard = (C.vm_state == VmState.SHELVED_OFFLOADED.value, C.task_state.in_(unshelving), C.host.is_(None))
    values = {"host": host, "node": node, "updated_at": tx.now}
    return tx.execute(update(INSTANCES).where(C.uuid == uuid, C.deleted == 0, *guard).values(values)).rowcount == 1


def shelved_since(tx: Transaction, moment: datetime.datetime, *, limit: int = 100) -> list[str]:
    """Instances that are shelved, still on their host, since before *moment*, and that nothing is done to."""
    chosen = (
        select(C.uuid)
        .join(SYSTEM_METADATA, M.instance_uuid == C.uuid)
        .where(C.deleted == 0, C.vm_state == VmState.SHELVED.value, C.task_state.is_(None))
        .where(M.key == SHELVED_AT, M.value < moment.isoformat())
    )
    return list(tx.execute(chosen.order_by(C.id).limit(limit)).scalars())
