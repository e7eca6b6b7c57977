# SPDX-License-Identifier: Apache-2.0
"""Volumes that are really gone, and those that nobody seems to be at any more."""

from __future__ import annotations

import datetime

from sqlalchemy import update

from nova.db import quotas
from nova.db.models.base import table_of
from nova.db.models.volume import VolumeRow
from nova.db.transaction import Transaction
from nova.db.volumes import records
from nova.domain.states import VolumeStatus
from nova.domain.volume import Volume

VOLUMES = table_of(VolumeRow)
C = VOLUMES.c
_WAITING = (VolumeStatus.CREATING, VolumeStatus.DELETING)


def forget(tx: Transaction, volume: Volume) -> bool:
    """Mark a volume deleted and give its quota back; False when that was done before."""
    if not records.remove(tx, volume.id):
        return False
    amounts = {"volumes": 1, "gigabytes": volume.size_gb}
    quotas.release(tx, amounts, project_id=volume.project_id, user_id=volume.user_id)
    return True


def stale(tx: Transaction, *, older_than: datetime.datetime, limit: int = 100) -> list[Volume]:
    """Volumes that are being created or deleted and were not touched since *older_than*, the oldest first."""
    waiting = records.COLUMNS.where(C.deleted == 0, C.status.in_(_WAITING), C.updated_at < older_than)
    return records.load(tx, waiting.order_by(C.updated_at).limit(limit))


def touch(tx: Transaction, volume_id: str) -> None:
    """Note that somebody was asked again to create or delete the volume."""
    waiting = update(VOLUMES).where(C.uuid == volume_id, C.deleted == 0, C.status.in_(_WAITING))
    tx.execute(waiting.values(updated_at=tx.now))
