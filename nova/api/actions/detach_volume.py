# SPDX-License-Identifier: Apache-2.0
"""Detach a volume from a server.  Runs in nova-api; the server's host does it, and nova-conductor records its end.

When the guest does not let go of the disk, the volume stays in-use.
"""

from __future__ import annotations

import dataclasses

from nova.api.actions import servers, volume_orders
from nova.api.cloud import Cloud
from nova.api.policies.volume import ATTACHMENTS
from nova.context import RequestContext
from nova.db import block_devices, volumes
from nova.db.engine import Transaction
from nova.domain.transitions import Action
from nova.errors import Forbidden

RULE = ATTACHMENTS + "delete"


def detach(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, *, volume_id: str) -> None:
    """Have the host take the volume from the server.

    Raises NotFound when the server is not the caller's or does not have the volume, Forbidden for the volume that it
    boots from, InvalidState when server or volume are busy.
    """
    instance = servers.load(tx, context, uuid)
    servers.authorize(cloud, context, RULE, instance)
    device = block_devices.for_volume(tx, volume_id[:36], instance_uuid=instance.uuid)
    if device.boot_index == 0:
        raise Forbidden("The volume that a server boots from cannot be detached.")
    volume_orders.begin(tx, context, instance, Action.DETACH_VOLUME)
    volumes.begin_detach(tx, device.volume_id, project_id=None, instance_uuid=instance.uuid)
    going = dataclasses.replace(device, attached=False)
    block_devices.update_device(tx, going)
    volume_orders.send(cloud, tx, context, instance, Action.DETACH_VOLUME, device=going)
