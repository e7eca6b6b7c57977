# SPDX-License-Identifier: Apache-2.0
"""Rows of volumes: made, read, listed, renamed, marked deleted."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, insert, select
from sqlalchemy import update as sql_update

from nova import errors
from nova.db.models.base import table_of
from nova.db.models.volume import VolumeMetadataRow, VolumeRow
from nova.db.transaction import Transaction
from nova.domain.states import VolumeStatus
from nova.domain.volume import Volume

VOLUMES = table_of(VolumeRow)
METADATA = table_of(VolumeMetadataRow)
C = VOLUMES.c
M = METADATA.c

COLUMNS: Select[Any] = select(
    *(C.uuid, C.id, C.user_id, C.project_id, C.size, C.status, C.display_name, C.display_description),
    *(C.availability_zone, C.host, C.volume_type, C.snapshot_id, C.image_id, C.instance_uuid, C.attached_host),
    *(C.mountpoint, C.attach_time, C.fault, C.created_at, C.updated_at),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeQuery:
    """Which volumes; what is empty does not narrow."""

    project_id: str | None = None
    display_name: str = ""
    status: str = ""
    marker: str = ""
    limit: int | None = None
    offset: int = 0


def create(tx: Transaction, volume: Volume) -> Volume:
    """Record a volume; it comes back with its EC2 number and times."""
    values = {
        "uuid": volume.id,
        "user_id": volume.user_id,
        "project_id": volume.project_id,
        "size": volume.size_gb,
        "status": volume.status,
        "host": volume.host or None,
        "availability_zone": volume.availability_zone or None,
        "display_name": volume.display_name or None,
        "display_description": volume.display_description or None,
        "volume_type": volume.volume_type or None,
        "snapshot_id": volume.snapshot_id or None,
        "image_id": volume.image_id or None,
        "created_at": tx.now,
        "updated_at": tx.now,
    }
    key = tx.execute(insert(VOLUMES).values(values)).inserted_primary_key
    number = key[0] if key else 0
    _store_metadata(tx, number, volume.metadata)
    return dataclasses.replace(volume, ec2_number=number, created_at=tx.now, updated_at=tx.now)


def get(tx: Transaction, volume_id: str, *, project_id: str | None = None) -> Volume:
    """One volume; NotFound for an unknown one and for another project's."""
    return _one(tx, C.uuid == volume_id, project_id=project_id, key=volume_id)


def get_by_number(tx: Transaction, number: int, *, project_id: str | None = None) -> Volume:
    """One volume by the number in its EC2 id; NotFound."""
    return _one(tx, C.id == number, project_id=project_id, key=f"vol-{number:08x}")


def find(tx: Transaction, query: VolumeQuery) -> list[Volume]:
    """Volumes, the newest first, in two statements, three with a marker (InvalidInput for an unknown one)."""
    given = ((C.project_id, query.project_id), (C.display_name, query.display_name), (C.status, query.status))
    conditions = [column == value for column, value in given if value]
    if query.marker:
        number = tx.execute(select(C.id).where(C.uuid == query.marker, C.deleted == 0, *conditions)).scalar()
        if number is None:
            raise errors.InvalidInput(f"marker [{query.marker}] not found", field="marker")
        conditions.append(C.id < number)
    statement = COLUMNS.where(C.deleted == 0, *conditions).order_by(C.id.desc())
    return load(tx, statement.limit(query.limit).offset(query.offset or None))


def for_instances(tx: Transaction, instance_uuids: Sequence[str]) -> dict[str, list[Volume]]:
    """The volumes that are attached, or being attached or detached, by instance."""
    found: dict[str, list[Volume]] = defaultdict(list)
    if instance_uuids:
        wanted = C.instance_uuid.in_(list(instance_uuids))
        for volume in load(tx, COLUMNS.where(C.deleted == 0, wanted).order_by(C.id)):
            found[volume.instance_uuid].append(volume)
    return dict(found)


def update(
    tx: Transaction,
    volume_id: str,
    *,
    project_id: str | None,
    display_name: str | None = None,
    display_description: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Volume:
    """Change the words of a volume; what is None stays.  NotFound."""
    volume = get(tx, volume_id, project_id=project_id)
    values: dict[str, Any] = {"updated_at": tx.now}
    if display_name is not None:
        values["display_name"] = display_name or None
    if display_description is not None:
        values["display_description"] = display_description or None
    tx.execute(sql_update(VOLUMES).where(C.id == volume.ec2_number).values(values))
    if metadata is not None:
        tx.execute(delete(METADATA).where(M.volume_id == volume.ec2_number))
        _store_metadata(tx, volume.ec2_number, metadata)
    return get(tx, volume_id, project_id=project_id)


def remove(tx: Transaction, volume_id: str) -> bool:
    """Mark a volume deleted; False when it was already."""
    gone = {"deleted": C.id, "deleted_at": tx.now, "terminated_at": tx.now, "updated_at": tx.now, "status": "deleted"}
    return tx.execute(sql_update(VOLUMES).where(C.uuid == volume_id, C.deleted == 0).values(gone)).rowcount == 1


def _one(tx: Transaction, named: ColumnElement[bool], *, project_id: str | None, key: str) -> Volume:
    conditions = [named, C.deleted == 0]
    if project_id is not None:
        conditions.append(C.project_id == project_id)
    found = load(tx, COLUMNS.where(*conditions))
    if not found:
        raise errors.NotFound.of("volume", key)
    return found[0]


def load(tx: Transaction, statement: Select[Any]) -> list[Volume]:
    """The volumes that *statement*, made from ``COLUMNS``, selects."""
    rows = tx.execute(statement).all()
    metadata = _metadata_of(tx, [row[1] for row in rows])
    return [_volume(row, metadata.get(row[1], {})) for row in rows]


def _metadata_of(tx: Transaction, numbers: Sequence[int]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = defaultdict(dict)
    if numbers:
        for number, key, value in tx.execute(select(M.volume_id, M.key, M.value).where(M.volume_id.in_(numbers))):
            found[number][key] = value or ""
    return found


def _store_metadata(tx: Transaction, number: int, items: Mapping[str, str]) -> None:
    if items:
        rows = [{"volume_id": number, "key": key, "value": value} for key, value in items.items()]
        tx.execute(insert(METADATA), [row | {"created_at": tx.now, "updated_at": tx.now} for row in rows])


def _volume(row: Any, metadata: dict[str, str]) -> Volume:
    uuid, number, user_id, project_id, size, status, name, description, zone, host, kind, snapshot, *rest = row
    image, instance, attached_host, mountpoint, attached_at, fault, created_at, updated_at = rest
    return Volume(
        id=uuid,
        ec2_number=number,
        user_id=user_id,
        project_id=project_id,
        size_gb=size,
        status=VolumeStatus(status),
        display_name=name or "",
        display_description=description or "",
        availability_zone=zone or "",
        host=host or "",
        volume_type=kind or "",
        snapshot_id=snapshot or "",
        image_id=image or "",
        instance_uuid=instance or "",
        attached_host=attached_host or "",
        mountpoint=mountpoint or "",
        attached_at=attached_at,
        fault=fault or "",
        metadata=metadata,
        created_at=created_at,
        updated_at=updated_at,
    )
