# SPDX-License-Identifier: Apache-2.0
"""The status of a volume moves by guarded updates only: each names the statuses that it may start from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, update

from nova import errors
from nova.db.models.base import table_of
from nova.db.models.volume import VolumeRow
from nova.db.transaction import Transaction
from nova.db.volumes import records
from nova.domain.states import VolumeStatus
from nova.domain.volume import Volume

VOLUMES = table_of(VolumeRow)
C = VOLUMES.c
S = VolumeStatus

_FREE: dict[str, Any] = {"instance_uuid": None, "attached_host": None, "mountpoint": None, "attach_time": None}
_DELETABLE = (S.AVAILABLE, S.ERROR, S.ERROR_DELETING)


def take_host(tx: Transaction, volume_id: str, host: str) -> bool:
    """Give a volume that is being created its host; False when it has one, or is gone."""
    return _move(tx, volume_id, (S.CREATING,), {"host": host}, C.host.is_(None))


def created(tx: Transaction, volume_id: str, *, host: str) -> bool:
    """creating → available; False when it is no longer being created on *host*."""
    return _move(tx, volume_id, (S.CREATING,), {"status": S.AVAILABLE, "fault": None}, C.host == host)


def fail(tx: Transaction, volume_id: str, *, status: VolumeStatus, fault: str) -> bool:
    """creating → error, or deleting → error_deleting, with the reason for its owner."""
    before = S.DELETING if status is S.ERROR_DELETING else S.CREATING
    return _move(tx, volume_id, (before,), {"status": status, "fault": fault})


def begin_attach(
    tx: Transaction, volume_id: str, *, project_id: str | None, instance_uuid: str, host: str, mountpoint: str
) -> Volume:
    """available → attaching, for one instance on one host.  NotFound; InvalidInput when it is not available."""
    volume = records.get(tx, volume_id, project_id=project_id)
    values = {
        "status": S.ATTACHING,
        "instance_uuid": instance_uuid,
        "attached_host": host or None,
        "mountpoint": mountpoint,
    }
    if not _move(tx, volume_id, (S.AVAILABLE,), values):
        raise errors.InvalidInput(
            f"Volume {volume_id} is {volume.status}; it must be available to be attached.", field="volumeId"
        )
    return records.get(tx, volume_id)


def attached(tx: Transaction, volume_id: str, instance_uuid: str) -> bool:
    """attaching → in-use."""
    values = {"status": S.IN_USE, "attach_time": tx.now}
    return _move(tx, volume_id, (S.ATTACHING,), values, C.instance_uuid == instance_uuid)


def begin_detach(tx: Transaction, volume_id: str, *, project_id: str | None, instance_uuid: str) -> Volume:
    """in-use → detaching.  NotFound for a volume of another instance; InvalidState in any other status."""
    volume = records.get(tx, volume_id, project_id=project_id)
    if volume.instance_uuid != instance_uuid:
        raise errors.NotFound(f"Volume {volume_id} is not attached to server {instance_uuid}.", id=volume_id)
    if not _move(tx, volume_id, (S.IN_USE,), {"status": S.DETACHING}, C.instance_uuid == instance_uuid):
        raise errors.InvalidState(f"Volume {volume_id} is {volume.status}; it must be in-use to be detached.")
    return volume


def detached(tx: Transaction, volume_id: str, instance_uuid: str, *, still_attached: bool = False) -> bool:
    """Whatever it was for this instance → available, or back to in-use when it could not be detached."""
    before = (S.ATTACHING, S.IN_USE, S.DETACHING)
    values: dict[str, Any] = {"status": S.IN_USE} if still_attached else {"status": S.AVAILABLE, **_FREE}
    return _move(tx, volume_id, before, values, C.instance_uuid == instance_uuid)


def release_all(tx: Transaction, instance_uuid: str) -> list[Volume]:
    """Free all volumes of an instance that is gone; those that were freed."""
    held = records.for_instances(tx, [instance_uuid]).get(instance_uuid, [])
    return [volume for volume in held if detached(tx, volume.id, instance_uuid)]


def begin_delete(tx: Transaction, volume_id: str, *, project_id: str | None, force: bool = False) -> Volume:
    """available or error → deleting; with *force* from whatever it is while no instance has it.

    NotFound; InvalidInput in any other status.
    """
    volume = records.get(tx, volume_id, project_id=project_id)
    if volume.status is S.DELETING:
        return volume
    before, guards = (tuple(S), [C.instance_uuid.is_(None)]) if force else (_DELETABLE, [])
    if not _move(tx, volume_id, before, {"status": S.DELETING, "fault": None}, *guards):
        wanted = "detached" if force else "available or in error"
        raise errors.InvalidInput(
            f"Volume {volume_id} is {volume.status}; it must be {wanted} to be deleted.", field="id"
        )
    return volume


def reset_status(tx: Transaction, volume_id: str, status: VolumeStatus) -> None:
    """Say what a volume is, whatever it was; what is attached stays so.  NotFound."""
    if not _move(tx, volume_id, tuple(S), {"status": status, "fault": None}):
        raise errors.NotFound.of("volume", volume_id)


def unfinished_on(tx: Transaction, host: str) -> list[Volume]:
    """The volumes of *host* that are being created or deleted, oldest first."""
    statement = records.COLUMNS.where(C.deleted == 0, C.host == host, C.status.in_((S.CREATING, S.DELETING)))
    return records.load(tx, statement.order_by(C.id))


def _move(
    tx: Transaction,
    volume_id: str,
    before: Sequence[VolumeStatus],
    values: dict[str, Any],
    *guards: ColumnElement[bool],
) -> bool:
    guarded = update(VOLUMES).where(C.uuid == volume_id, C.deleted == 0, C.status.in_(before), *guards)
    return tx.execute(guarded.values(updated_at=tx.now, **values)).rowcount == 1
