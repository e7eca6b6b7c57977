# SPDX-License-Identifier: Apache-2.0
"""Attach a volume to a server, running or stopped.  Runs in nova-api.

Volume, device and operation are written in one transaction: of two requests for the same volume one wins.  The server's
host does the rest, and nova-conductor records the end of it: in-use, or available again.
"""

from __future__ import annotations

from nova.api.actions import servers, volume_orders
from nova.api.actions import volumes as rules
from nova.api.cloud import Cloud
from nova.api.policies.volume import ATTACHMENTS
from nova.context import RequestContext
from nova.db import block_devices, volumes
from nova.db.engine import Transaction
from nova.domain.block_device import BlockDevice
from nova.domain.device_names import choose, taken_letters
from nova.domain.instance import Instance
from nova.domain.transitions import Action
from nova.errors import AlreadyExists, InvalidInput, NotFound

RULE = ATTACHMENTS + "create"


def attach(
    cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, *, volume_id: str, device: str = ""
) -> BlockDevice:
    """The new device.  *device* is the name that the caller wishes; empty for the first free one.

    Raises NotFound for a server or volume that is not the caller's, InvalidState for a server that cannot take a
    volume now, InvalidInput for a volume that is not available and for a device name that is wrong or in use.
    """
    instance = servers.load(tx, context, uuid)
    servers.authorize(cloud, context, RULE, instance)
    volume = rules.load(tx, context, volume_id)
    if volume.project_id != instance.project_id:
        raise NotFound.of("volume", volume_id)
    volume_orders.begin(tx, context, instance, Action.ATTACH_VOLUME)
    name = choose(device, taken=_taken(tx, instance))
    volumes.begin_attach(
        tx, volume.id, project_id=volume.project_id, instance_uuid=instance.uuid, host=instance.host, mountpoint=name
    )
    made = _record(tx, instance, volume_id=volume.id, name=name)
    volume_orders.send(cloud, tx, context, instance, Action.ATTACH_VOLUME, device=made)
    return made


def _taken(tx: Transaction, instance: Instance) -> frozenset[str]:
    devices = block_devices.for_instance(tx, instance.uuid)
    return taken_letters(devices, root=instance.root_device_name, flavor=instance.flavor)


def _record(tx: Transaction, instance: Instance, *, volume_id: str, name: str) -> BlockDevice:
    device = BlockDevice(
        instance_uuid=instance.uuid,
        source_type="volume",
        destination_type="volume",
        device_name=name,
        volume_id=volume_id,
    )
    try:
        return block_devices.add(tx, device)
    except AlreadyExists as error:
        tx.doom("the volume was taken for a device name that another one has")
        raise InvalidInput(error.message, field="device") from error
