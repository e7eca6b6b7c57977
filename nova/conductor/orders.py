# SPDX-License-Identifier: Apache-2.0
"""Orders for compute hosts, made again at any time from what the database says."""

from __future__ import annotations

from nova.context import RequestContext
from nova.db import block_devices, orders
from nova.db.transaction import Transaction
from nova.domain.instance import Instance, Operation
from nova.domain.orders import BuildOrder, BuildRequest, Order, VolumeOrder
from nova.domain.transitions import Action
from nova.interfaces.compute import Compute
from nova.secret import Secret

VOLUME_ACTIONS = frozenset({Action.ATTACH_VOLUME, Action.DETACH_VOLUME})


def order_for(
    tx: Transaction, operation: Operation, instance: Instance, *, admin_password: Secret | None = None
) -> Order:
    """The order to *instance*'s host for *operation*, complete; NotFound when its volume is not attached any more."""
    order = orders.instance_order(tx, instance, operation_id=operation.id, action=operation.action)
    if operation.action == Action.CREATE:
        request = BuildRequest.of(operation)
        return BuildOrder(
            order=order,
            image=request.image,
            kernel=request.kernel,
            ramdisk=request.ramdisk,
            injected_files=request.injected_files,
            admin_password=admin_password,
        )
    if operation.action in VOLUME_ACTIONS:
        device = block_devices.for_volume(tx, str(operation.arguments["volume_id"]), instance_uuid=instance.uuid)
        known = [each for each in order.block_devices if each.id == device.id]
        return VolumeOrder(order=order, device=known[0] if known else device)
    return order


def send(compute: Compute, context: RequestContext, order: Order) -> None:
    """Cast *order* to *compute*, by the method of its action."""
    if isinstance(order, BuildOrder):
        compute.build(context, order=order)
    elif isinstance(order, VolumeOrder):
        attach = order.order.action == Action.ATTACH_VOLUME
        (compute.attach_volume if attach else compute.detach_volume)(context, order=order)
    else:
        casts = {
            Action.DELETE: compute.delete,
            Action.REBOOT: compute.reboot,
            Action.REBOOT_HARD: compute.reboot_hard,
            Action.STOP: compute.stop,
            Action.START: compute.start,
        }
        casts[Action(order.action)](context, order=order)
