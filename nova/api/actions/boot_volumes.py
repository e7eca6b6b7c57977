# SPDX-License-Identifier: Apache-2.0
"""Volumes that a new server has from its beginning: they are taken for it in the transaction that records it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nova.api.actions.boot_request import BootRequest
from nova.db import volumes
from nova.db.engine import Transaction
from nova.domain.blank_disks import is_blank_disk
from nova.domain.block_device import BlockDevice
from nova.domain.device_names import choose, taken_letters
from nova.domain.instance import Instance
from nova.errors import InvalidInput, NotFound


def check(request: BootRequest) -> None:
    """Refuse one volume for several servers, and a server with nothing to boot from."""
    if request.max_count > 1 and any(device.volume_id for device in request.block_devices):
        raise InvalidInput("A volume can be given to a single server only.", field="max_count")
    if not request.image_id and not any(device.boot_index == 0 for device in request.block_devices):
        raise InvalidInput("The server needs an image or a volume to boot from.", field="imageRef")


def take(tx: Transaction, instance: Instance, devices: Sequence[BlockDevice]) -> list[BlockDevice]:
    """The devices with their names, each volume held for *instance*; InvalidInput for one that cannot be had."""
    found: list[BlockDevice] = []
    ordered = sorted(devices, key=lambda device: (not device.device_name, device.destination_type != "local"))
    for index, device in enumerate(ordered):
        # A local disk that is asked for replaces the flavor's own, even before it has its name.
        known = [*found, *filter(is_blank_disk, ordered[index:])]
        taken = taken_letters(known, root=instance.root_device_name, flavor=instance.flavor, wanted=device)
        is_root = device.boot_index == 0
        name = instance.root_device_name if is_root else choose(device.device_name, taken=taken)
        if device.volume_id:
            _hold(tx, instance, device.volume_id, name)
        found.append(replace(device, instance_uuid=instance.uuid, device_name=name))
    return found


def _hold(tx: Transaction, instance: Instance, volume_id: str, name: str) -> None:
    try:
        volumes.begin_attach(
            tx, volume_id, project_id=instance.project_id, instance_uuid=instance.uuid, host="", mountpoint=name
        )
    except NotFound as error:
        raise InvalidInput(f"Volume {volume_id} could not be found.", field="block_device_mapping_v2") from error
