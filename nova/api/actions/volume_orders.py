# SPDX-License-Identifier: Apache-2.0
"""What attaching and detaching share: the journal's entry and the order to the server's host, after the commit.

When the host's queue cannot be reached the operation stays ``requested``, and the host asks for it when it is back.
"""

from __future__ import annotations

from nova.api.actions.after_commit import tell
from nova.api.cloud import Cloud
from nova.context import RequestContext
from nova.db import instances, operations, orders
from nova.db.engine import Transaction
from nova.domain.block_device import BlockDevice
from nova.domain.instance import Instance
from nova.domain.orders import VolumeOrder
from nova.domain.transitions import Action


def begin(tx: Transaction, context: RequestContext, instance: Instance, action: Action) -> None:
    """Raise InvalidState unless *action* may begin on the server now; nothing changes."""
    instances.begin(tx, instance.uuid, action, project_id=instance.project_id, ignore_lock=context.is_admin)


def send(
    cloud: Cloud, tx: Transaction, context: RequestContext, instance: Instance, action: Action, *, device: BlockDevice
) -> None:
    """Open the operation on *device*, and give the order for it to the server's host."""
    arguments = {"volume_id": device.volume_id}
    (operation,) = operations.open(
        tx, action, instance_uuids=[instance.uuid], context=context, arguments=arguments, host=instance.host
    )
    whole = orders.instance_order(tx, instance, operation_id=operation.id, action=action)
    (named,) = [each for each in whole.block_devices if each.id == device.id]
    order = VolumeOrder(order=whole, device=named)

    def cast() -> None:
        host = cloud.compute.on(instance.host)
        (host.attach_volume if action is Action.ATTACH_VOLUME else host.detach_volume)(context, order=order)

    tell(tx, f"{action} {device.volume_id} {instance.uuid}", cast)
