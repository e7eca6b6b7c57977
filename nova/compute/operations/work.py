# SPDX-License-Identifier: Apache-2.0
"""The state that operations on an existing instance share, and the steps that more than one of them has."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from nova.compute.host import Host
from nova.context import RequestContext
from nova.domain.block_device import BlockDevice
from nova.domain.instance import Instance
from nova.domain.orders import InstanceOrder
from nova.errors import NovaError
from nova.virt.driver import AttachedVolume, Guest

LOG = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Work:
    """One order being carried out."""

    context: RequestContext
    order: InstanceOrder
    host: Host
    volumes: list[AttachedVolume] = field(default_factory=list)
    """Connected so far, for the guest that is to be started"""

    @property
    def instance(self) -> Instance:
        """The instance in question, as it was when the order was given."""
        return self.order.instance

    def guest(self) -> Guest:
        """The guest with its cards and what is connected of its volumes."""
        return Guest(instance=self.instance, nics=self.order.nics, volumes=tuple(self.volumes))

    def volume_devices(self) -> list[BlockDevice]:
        """The block devices that are volumes."""
        return [device for device in self.order.block_devices if device.volume_id and not device.no_device]


def connect_volumes(work: Work) -> None:
    """Have each volume exported to this host."""
    work.volumes = [connect_volume(work, device) for device in work.volume_devices()]


def connect_volume(work: Work, device: BlockDevice) -> AttachedVolume:
    """Have one volume exported to this host."""
    connection = work.host.volume.on(device.volume_host).connect(
        work.context, volume_id=device.volume_id, connector=work.host.driver.connector()
    )
    return AttachedVolume(device=device, connection=connection)


def disconnect_volumes(work: Work) -> None:
    """Withdraw the exports; one that cannot be withdrawn now does not keep the others, or a delete, from going on."""
    for device in work.volume_devices():
        try:
            disconnect_volume(work, device)
        except NovaError as exc:
            LOG.warning("Volume %s is still exported to host %s: %s", device.volume_id, work.host.name, exc)


def disconnect_volume(work: Work, device: BlockDevice) -> None:
    """Withdraw the export of one volume."""
    work.host.volume.on(device.volume_host).disconnect(
        work.context, volume_id=device.volume_id, connector=work.host.driver.connector()
    )


def apply_filters(work: Work) -> None:
    """Put the packet filters in force, before the guest's cards carry traffic."""
    if work.order.filter is not None:
        work.host.filters.apply(((work.order.filter, work.order.nics),))


def remove_filters(work: Work) -> None:
    """Withdraw the packet filters."""
    work.host.filters.remove(work.instance.uuid)


def start_guest(work: Work) -> None:
    """Define the guest and run it."""
    work.host.driver.start(work.guest())


def destroy_guest(work: Work) -> None:
    """Cut the guest's power and forget its definition."""
    work.host.driver.destroy(work.instance)
