# SPDX-License-Identifier: Apache-2.0
"""Rebuild: make a server anew from an image, with the addresses, volumes and name that it has.

Runs in nova-compute on the server's host.  The old disks are set aside until nova-conductor has accepted that the new
guest is there.  When it fails, the old guest is back as it was, running or off, and the server goes to ERROR.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from nova.compute.operations import boot, rescue
from nova.compute.operations.boot import Boot
from nova.compute.operations.work import Work, apply_filters, connect_volumes, destroy_guest, tell
from nova.domain.states import TaskState, VmState
from nova.virt.driver import Guest
from nova.workflow.steps import Step


@dataclass(slots=True, kw_only=True)
class Rebuild(Boot):
    """One rebuild.  The instance in its order is made from the new image already."""

    @property
    def key(self) -> str:
        """Under which the old disks are set aside: no other operation takes them for its own."""
        return str(self.order.operation_id)

    def as_before(self) -> Work:
        """The instance as it was."""
        before = self.build.before
        instance = self.instance if before is None else before.applied_to(self.instance)
        return Work(context=self.context, order=dataclasses.replace(self.order, instance=instance), host=self.host)


def fetch_images(rebuild: Rebuild) -> None:
    """Bring the new image into the cache of this host, while the old guest still runs."""
    boot.fetch_images(rebuild)


def stop_guest(rebuild: Rebuild) -> None:
    """Have the old guest power off."""
    tell(rebuild, TaskState.REBUILD_BLOCK_DEVICE_MAPPING)
    rescue.stop_guest(rebuild)


def restore_guest(rebuild: Rebuild) -> None:
    """Bring the old guest back as it was."""
    rescue.restore_guest(rebuild.as_before())


def set_aside_disks(rebuild: Rebuild) -> None:
    """Make room for new disks."""
    rebuild.host.driver.set_aside_disks(rebuild.instance, key=rebuild.key, keep_ephemeral=rebuild.build.keep_ephemeral)


def restore_disks(rebuild: Rebuild) -> None:
    """Put the old disks back."""
    rebuild.host.driver.restore_disks(rebuild.instance, key=rebuild.key)


def create_disks(rebuild: Rebuild) -> None:
    """Make the new disks."""
    tell(rebuild, TaskState.REBUILD_SPAWNING)
    boot.create_disks(rebuild)


def start_guest(rebuild: Rebuild) -> None:
    """Define the new guest, and run it unless the server is off."""
    guest = Guest(
        instance=rebuild.instance,
        image=rebuild.build.image,
        nics=rebuild.order.nics,
        volumes=tuple(rebuild.volumes),
    )
    if rebuild.instance.vm_state is VmState.STOPPED:
        rebuild.host.driver.define(guest)
    else:
        rebuild.host.driver.start(guest)


def drop_previous_disks(rebuild: Rebuild) -> None:
    """Nobody needs the old disks any more."""
    rebuild.host.driver.drop_previous_disks(rebuild.instance)


STEPS: list[Step[Rebuild]] = [
    Step(fetch_images),
    Step(stop_guest, undo=restore_guest),
    Step(set_aside_disks, undo=restore_disks),
    Step(create_disks),
    Step(boot.create_config_drive),
    Step(connect_volumes),
    Step(apply_filters),
    Step(start_guest, undo=destroy_guest),
]
