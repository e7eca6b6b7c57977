# SPDX-License-Identifier: Apache-2.0
"""Which volume is exported as which iSCSI target, to whom, and with which CHAP secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, delete, insert, select

from nova.db.models.base import table_of
from nova.db.models.volume import VolumeExportRow, VolumeRow
from nova.db.transaction import Transaction
from nova.secret import Secret

EXPORTS = table_of(VolumeExportRow)
VOLUMES = table_of(VolumeRow)
C = EXPORTS.c
_FIRST_TARGET = 1

_COLUMNS: Select[Any] = select(
    VOLUMES.c.uuid, C.host, C.target_num, C.initiator, C.initiator_host, C.username, C.password
).join_from(EXPORTS, VOLUMES, C.volume_id == VOLUMES.c.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A volume as an iSCSI target of its host, for one initiator."""

    volume_id: str
    host: str
    target_number: int
    initiator: str
    initiator_host: str
    username: str
    password: Secret


def export_of(tx: Transaction, volume_id: str) -> Export | None:
    """The export of a volume, if it has one."""
    row = tx.execute(_COLUMNS.where(VOLUMES.c.uuid == volume_id)).first()
    return _export(row) if row else None


def exports_on(tx: Transaction, host: str) -> list[Export]:
    """All exports of a volume host, for its start."""
    return [_export(row) for row in tx.execute(_COLUMNS.where(C.host == host).order_by(C.target_num))]


def add_export(tx: Transaction, *, number: int, export: Export) -> Export:
    """Record the export of the volume with row *number*, under the lowest free target number of its host.

    Raises AlreadyExists when another one takes the number at the same moment; the caller's transaction is tried again.
    """
    taken = set(tx.execute(select(C.target_num).where(C.host == export.host)).scalars())
    free = next(candidate for candidate in range(_FIRST_TARGET, len(taken) + 2) if candidate not in taken)
    values = {
        "host": export.host,
        "target_num": free,
        "volume_id": number,
        "initiator": export.initiator,
        "initiator_host": export.initiator_host,
        "username": export.username,
        "password": export.password.reveal(),
        "created_at": tx.now,
        "updated_at": tx.now,
    }
    with tx.unique(f"Volume {export.volume_id} is being exported already.", resource="volume", id=export.volume_id):
        tx.execute(insert(EXPORTS).values(values))
    return Export(
        volume_id=export.volume_id,
        host=export.host,
        target_number=free,
        initiator=export.initiator,
        initiator_host=export.initiator_host,
        username=export.username,
        password=export.password,
    )


def remove_export(tx: Transaction, volume_id: str) -> bool:
    """Forget the export of a volume; False when there was none."""
    number = select(VOLUMES.c.id).where(VOLUMES.c.uuid == volume_id).scalar_subquery()
    return tx.execute(delete(EXPORTS).where(C.volume_id == number)).rowcount > 0


def _export(row: Any) -> Export:
    volume_id, host, number, initiator, initiator_host, username, password = row
    return Export(
        volume_id=volume_id,
        host=host,
        target_number=number,
        initiator=initiator,
        initiator_host=initiator_host,
        username=username,
        password=Secret(password),
    )
