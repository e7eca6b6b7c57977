# SPDX-License-Identifier: Apache-2.0
"""What attaching and detaching share: the journal's entry and the order to the server's host, after the commit.

When the host's queue cannot be reached the operation stays ``requested``, and the host asks for it when it is back.
"""

from __future__ import annotations

from nova.api.actions import host_orders
from nova.api.cloud import Cloud
from nova.context import RequestContext
from nova.db import instances, operations
from nova.db.engine import Transaction
from nova.domain.block_device import BlockDevice
from nova.domain.instance import Instance
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
    host_orders.send_order(cloud, tx, context, operation)
