# SPDX-License-Identifier: Apache-2.0
"""All that a compute host must know of an instance to do something to it, gathered into one order."""

from __future__ import annotations

from nova.db import addresses, block_devices, instance_filters
from nova.db.transaction import Transaction
from nova.domain.instance import Instance
from nova.domain.orders import InstanceOrder


def instance_order(tx: Transaction, instance: Instance, *, operation_id: int, action: str) -> InstanceOrder:
    """The order for an operation on *instance*, as everything is now."""
    return InstanceOrder(
        operation_id=operation_id,
        action=action,
        instance=instance,
        nics=addresses.nics_of(tx, [instance.uuid]).get(instance.uuid, ()),
        block_devices=tuple(block_devices.for_instance(tx, instance.uuid)),
        filter=instance_filters.filters_of(tx, [instance.uuid])[0],
    )
