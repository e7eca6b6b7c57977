# SPDX-License-Identifier: Apache-2.0
"""All that a compute host must know of an instance to do something to it, gathered into one order."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from sqlalchemy import select

from nova.db import addresses, block_devices, host_addresses, instance_filters, moves
from nova.db.models.base import table_of
from nova.db.models.volume import VolumeRow
from nova.db.transaction import Transaction
from nova.domain.block_device import BlockDevice
from nova.domain.instance import Instance, Operation
from nova.domain.move import Side, leg_of
from nova.domain.orders import (
    BuildOrder,
    BuildRequest,
    InstanceOrder,
    Order,
    SnapshotOrder,
    SnapshotRequest,
    VolumeOrder,
)
from nova.domain.transitions import Action
from nova.secret import Secret

_VOLUMES = table_of(VolumeRow)
IMAGE_ACTIONS = frozenset(
    {Action.CREATE, Action.REBUILD, Action.RESCUE, Action.UNSHELVE, Action.EVACUATE, Action.CHANGE_PASSWORD}
)
"""Those whose order may hold images or a password"""
SNAPSHOT_ACTIONS = frozenset({Action.CREATE_IMAGE, Action.CREATE_BACKUP, Action.SHELVE})
MOVE = "migration_id"
"""The argument of operations that span hosts which names their move"""
VOLUME_ACTIONS = frozenset({Action.ATTACH_VOLUME, Action.DETACH_VOLUME})


def order_for(
    tx: Transaction, operation: Operation, instance: Instance, *, admin_password: Secret | None = None
) -> Order:
    """The order to *instance*'s host for *operation*, of its kind; NotFound when its volume is not attached any more.

    It can be made again at any time: all that the request said is in the operation's arguments, but for passwords.
    """
    order = _order_of(tx, operation, instance)
    if operation.phase:
        order = _leg_of(tx, order, operation)
    if operation.action in IMAGE_ACTIONS:
        request = BuildRequest.of(operation)
        return BuildOrder(
            order=order,
            image=request.image,
            kernel=request.kernel,
            ramdisk=request.ramdisk,
            injected_files=request.injected_files,
            admin_password=admin_password,
            before=request.before,
            keep_ephemeral=request.keep_ephemeral,
        )
    if operation.action in SNAPSHOT_ACTIONS:
        wanted = SnapshotRequest.of(operation)
        return SnapshotOrder(order=order, image=wanted.image, backup_type=wanted.backup_type, rotation=wanted.rotation)
    if operation.action in VOLUME_ACTIONS:
        device = block_devices.for_volume(tx, str(operation.arguments["volume_id"]), instance_uuid=instance.uuid)
        known = [each for each in order.block_devices if each.id == device.id]
        return VolumeOrder(order=order, device=known[0] if known else device)
    return order


def _order_of(tx: Transaction, operation: Operation, instance: Instance) -> InstanceOrder:
    order = instance_order(tx, instance)
    return dataclasses.replace(
        order,
        operation_id=operation.id,
        action=operation.action,
        attempt=operation.attempt,
        vif_uuid=str(operation.arguments.get("vif_uuid", "")),
    )


def instance_order(tx: Transaction, instance: Instance) -> InstanceOrder:
    """All about *instance* as everything is now, for no operation."""
    return InstanceOrder(
        operation_id=0,
        action="",
        instance=instance,
        nics=host_addresses.seen_by_guests(
            tx, addresses.nics_of(tx, [instance.uuid]).get(instance.uuid, ()), instance.host
        ),
        block_devices=_with_hosts(tx, block_devices.for_instance(tx, instance.uuid)),
        filter=instance_filters.filters_of(tx, [instance.uuid])[0],
    )


def _leg_of(tx: Transaction, order: InstanceOrder, operation: Operation) -> InstanceOrder:
    """The order for the leg that is in hand, with the instance as it is, or is to be, on that side."""
    move = moves.get(tx, int(operation.arguments[MOVE]))
    here = leg_of(operation.action, operation.phase).side is Side.SOURCE
    host, flavor = (move.source_host, move.old_flavor) if here else (move.dest_host, move.new_flavor)
    instance = dataclasses.replace(order.instance, host=host, flavor=flavor)
    return dataclasses.replace(order, instance=instance, phase=operation.phase, move=move)


def _with_hosts(tx: Transaction, devices: Sequence[BlockDevice]) -> tuple[BlockDevice, ...]:
    """The devices, each volume with the nova-volume host that holds it."""
    wanted = [device.volume_id for device in devices if device.volume_id]
    if not wanted:
        return tuple(devices)
    rows = tx.execute(select(_VOLUMES.c.uuid, _VOLUMES.c.host).where(_VOLUMES.c.uuid.in_(wanted)))
    hosts = {row.uuid: row.host or "" for row in rows}
    return tuple(dataclasses.replace(device, volume_host=hosts.get(device.volume_id, "")) for device in devices)
