# SPDX-License-Identifier: Apache-2.0
"""Attach a volume to a guest, and detach it.  Run in nova-compute on the server's host.

When an attach fails the disk is taken from the guest again and the export withdrawn; the server stays as it was, and
nova-conductor makes the volume available again.  When a detach fails the volume stays attached.
"""

from __future__ import annotations

from dataclasses import dataclass

from nova.compute.operations.work import Work, connect_volume, disconnect_volume
from nova.domain.block_device import BlockDevice
from nova.errors import InternalError
from nova.virt.driver import AttachedVolume
from nova.workflow.steps import Step


@dataclass(slots=True, kw_only=True)
class VolumeWork(Work):
    """One attachment or detachment."""

    device: BlockDevice
    connected: AttachedVolume | None = None


def connect(work: VolumeWork) -> None:
    """Have the volume exported to this host."""
    work.connected = connect_volume(work, work.device)


def disconnect(work: VolumeWork) -> None:
    """Withdraw the export."""
    disconnect_volume(work, work.device)


def attach_to_guest(work: VolumeWork) -> None:
    """Give the guest one more disk."""
    if work.connected is None:
        raise InternalError(detail="a volume was to be attached before it was connected")
    work.host.driver.attach_volume(work.guest(), work.connected)


def detach_from_guest(work: VolumeWork) -> None:
    """Take the disk from the guest."""
    work.host.driver.detach_volume(work.guest(), work.device)


def give_back(work: VolumeWork) -> None:
    """Let the guest have the disk that it was to lose."""
    connect(work)
    attach_to_guest(work)


ATTACH_STEPS: list[Step[VolumeWork]] = [
    Step(connect, undo=disconnect),
    Step(attach_to_guest, undo=detach_from_guest),
]

DETACH_STEPS: list[Step[VolumeWork]] = [
    Step(detach_from_guest, undo=give_back),
    Step(disconnect),
]
