# SPDX-License-Identifier: Apache-2.0
"""The state that operations on an existing instance share, and the steps that more than one of them has."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from nova.compute.host import Host
from nova.context import RequestContext
from nova.domain.block_device import BlockDevice
from nova.domain.instance import Instance
from nova.domain.orders import InstanceOrder
from nova.domain.states import TaskState
from nova.errors import NovaError, Unavailable
from nova.virt.driver import AttachedVolume, Guest
from nova.workflow.steps import Control

LOG = logging.getLogger(__name__)

TOLD_EVERY_S = 2.0
"""The least time between two reports of how far a long step has come"""


@dataclass(slots=True, kw_only=True)
class Work:
    """One order being carried out."""

    context: RequestContext
    order: InstanceOrder
    host: Host
    volumes: list[AttachedVolume] = field(default_factory=list)
    """Connected so far, for the guest that is to be started"""
    control: Control = field(default_factory=Control)
    """By which a later request stops a long step"""
    shared_storage: bool | None = None
    """What a step of a move found out, for the report"""

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


def tell(work: Work, task_state: TaskState, *, percent: int | None = None) -> None:
    """Let the server's owner see what is being done; a broker that is away does not keep it from being done."""
    try:
        work.host.conductor.report_progress(
            work.context,
            operation_id=work.order.operation_id,
            host=work.host.name,
            task_state=task_state,
            percent=percent,
        )
    except Unavailable as exc:
        LOG.warning("The progress of server %s could not be reported: %s", work.instance.uuid, exc)


def progress_teller(work: Work, task_state: TaskState, *, first: int, last: int) -> Callable[[float], None]:
    """What a long step calls with the part of it that is done (0 to 1): tells it, and stops the step when it must end.

    :param first: the percentage of the whole operation that the step begins with
    :param last: and ends with
    """
    told_at = time.monotonic()

    def on_progress(part: float) -> None:
        nonlocal told_at
        work.control.check(f"in task {task_state}")
        if time.monotonic() - told_at >= TOLD_EVERY_S:
            told_at = time.monotonic()
            tell(work, task_state, percent=first + round((last - first) * part))

    return on_progress


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
