# SPDX-License-Identifier: Apache-2.0
"""Repository of block device mappings: which disks a server has and will have."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, insert, select, update

from nova import errors
from nova.db.models.base import table_of
from nova.db.models.instance import BlockDeviceMappingRow
from nova.db.transaction import Transaction
from nova.domain.block_device import BlockDevice

DEVICES = table_of(BlockDeviceMappingRow)
C = DEVICES.c

_COLUMNS: Select[Any] = select(
    *(C.id, C.instance_uuid, C.source_type, C.destination_type, C.boot_index, C.device_name, C.device_type),
    *(C.disk_bus, C.guest_format, C.volume_id, C.snapshot_id, C.image_id, C.volume_size, C.delete_on_termination),
    *(C.no_device, C.attached),
)


def add(tx: Transaction, device: BlockDevice) -> BlockDevice:
    """Record one device of ``device.instance_uuid``; AlreadyExists when its name is taken on that instance."""
    values = _values(device) | {"created_at": tx.now, "updated_at": tx.now}
    message = f"The supplied device path ({device.device_name}) is in use."
    with tx.unique(message, resource="block device", id=device.device_name):
        key = tx.execute(insert(DEVICES).values(values)).inserted_primary_key
    return dataclasses.replace(device, id=key[0] if key else 0)


def add_all(tx: Transaction, devices: Sequence[BlockDevice]) -> None:
    """Record the devices of new instances, in one statement."""
    if devices:
        rows = [_values(device) | {"created_at": tx.now, "updated_at": tx.now} for device in devices]
        tx.execute(insert(DEVICES), rows)


def for_instance(tx: Transaction, instance_uuid: str) -> list[BlockDevice]:
    """The devices of one instance, in the order they were added."""
    return _find(tx, C.instance_uuid == instance_uuid)


def for_instances(tx: Transaction, instance_uuids: Sequence[str]) -> dict[str, list[BlockDevice]]:
    """The devices of each instance; one statement, and no key for an instance without devices."""
    found: dict[str, list[BlockDevice]] = {}
    if instance_uuids:
        for device in _find(tx, C.instance_uuid.in_(instance_uuids)):
            found.setdefault(device.instance_uuid, []).append(device)
    return found


def volumes_of(tx: Transaction, instance_uuids: Sequence[str]) -> dict[str, list[BlockDevice]]:
    """The volumes among the devices of each instance; one statement, and no key for an instance without volumes."""
    found: dict[str, list[BlockDevice]] = {}
    if instance_uuids:
        volumes = (C.instance_uuid.in_(instance_uuids), C.volume_id.is_not(None), C.no_device.is_(False))
        for device in _find(tx, *volumes):
            found.setdefault(device.instance_uuid, []).append(device)
    return found


def for_volume(tx: Transaction, volume_id: str, *, instance_uuid: str | None = None) -> BlockDevice:
    """The device through which a volume is (or is being) attached; NotFound when there is none."""
    scope = [] if instance_uuid is None else [C.instance_uuid == instance_uuid]
    found = _find(tx, C.volume_id == volume_id, *scope)
    if not found:
        raise errors.NotFound(f"Volume {volume_id} is not attached.", resource="volume", id=volume_id)
    return found[0]


def update_device(tx: Transaction, device: BlockDevice) -> bool:
    """Write what *device* says now over its row; whether the row is still there."""
    changed = update(DEVICES).where(C.id == device.id, C.deleted == 0).values(**_values(device), updated_at=tx.now)
    return tx.execute(changed).rowcount == 1


def remove(tx: Transaction, device_id: int) -> bool:
    """Mark one device as gone; whether it was there."""
    return _remove(tx, C.id == device_id) == 1


def remove_all(tx: Transaction, instance_uuid: str) -> int:
    """Mark all devices of an instance as gone; how many there were."""
    return _remove(tx, C.instance_uuid == instance_uuid)


def _remove(tx: Transaction, which: ColumnElement[bool]) -> int:
    gone = update(DEVICES).where(which, C.deleted == 0).values(deleted=C.id, deleted_at=tx.now, updated_at=tx.now)
    return tx.execute(gone).rowcount


def _find(tx: Transaction, *conditions: ColumnElement[bool]) -> list[BlockDevice]:
    return [_device(row) for row in tx.execute(_COLUMNS.where(*conditions, C.deleted == 0).order_by(C.id))]


def _device(row: Any) -> BlockDevice:
    return BlockDevice(
        id=row.id,
        instance_uuid=row.instance_uuid,
        source_type=row.source_type,
        destination_type=row.destination_type,
        boot_index=row.boot_index,
        device_name=row.device_name or "",
        device_type=row.device_type,
        disk_bus=row.disk_bus or "",
        guest_format=row.guest_format or "",
        volume_id=row.volume_id or "",
        snapshot_id=row.snapshot_id or "",
        image_id=row.image_id or "",
        volume_size_gb=row.volume_size,
        delete_on_termination=row.delete_on_termination,
        no_device=row.no_device,
        attached=row.attached,
    )


def _values(device: BlockDevice) -> dict[str, Any]:
    return {
        "instance_uuid": device.instance_uuid,
        "source_type": device.source_type,
        "destination_type": device.destination_type,
        "boot_index": device.boot_index,
        "device_name": device.device_name or None,
        "device_type": device.device_type,
        "disk_bus": device.disk_bus or None,
        "guest_format": device.guest_format or None,
        "volume_id": device.volume_id or None,
        "snapshot_id": device.snapshot_id or None,
        "image_id": device.image_id or None,
        "volume_size": device.volume_size_gb,
        "delete_on_termination": device.delete_on_termination,
        "no_device": device.no_device,
        "attached": device.attached,
    }
