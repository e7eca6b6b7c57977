# SPDX-License-Identifier: Apache-2.0
"""All that a compute host must know of an instance to do something to it, gathered into one order."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from sqlalchemy import select

from nova.db import addresses, block_devices, instance_filters
from nova.db.models.base import table_of
from nova.db.models.volume import VolumeRow
from nova.db.transaction import Transaction
from nova.domain.block_device import BlockDevice
from nova.domain.instance import Instance
from nova.domain.orders import InstanceOrder

_VOLUMES = table_of(VolumeRow)


def instance_order(tx: Transaction, instance: Instance, *, operation_id: int, action: str) -> InstanceOrder:
    """The order for an operation on *instance*, as everything is now."""
    return InstanceOrder(
        operation_id=operation_id,
        action=action,
        instance=instance,
        nics=addresses.nics_of(tx, [instance.uuid]).get(instance.uuid, ()),
        block_devices=_with_hosts(tx, block_devices.for_instance(tx, instance.uuid)),
        filter=instance_filters.filters_of(tx, [instance.uuid])[0],
    )


def _with_hosts(tx: Transaction, devices: Sequence[BlockDevice]) -> tuple[BlockDevice, ...]:
    """The devices, each volume with the nova-volume host that holds it."""
    wanted = [device.volume_id for device in devices if device.volume_id]
    if not wanted:
        return tuple(devices)
    rows = tx.execute(select(_VOLUMES.c.uuid, _VOLUMES.c.host).where(_VOLUMES.c.uuid.in_(wanted)))
    hosts = {row.uuid: row.host or "" for row in rows}
    return tuple(dataclasses.replace(device, volume_host=hosts.get(device.volume_id, "")) for device in devices)
