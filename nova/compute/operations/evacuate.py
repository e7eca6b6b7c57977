# SPDX-License-Identifier: Apache-2.0
"""Evacuate: make a server anew whose host is dead.  Runs in nova-compute on the host that was chosen.

Where both hosts share the storage the server goes on with its disks; elsewhere they are made from its image again.  On
failure what was made here is removed, shared disks excepted, and the server stays with its dead host, in ERROR.  The
dead host removes what it still has of the server when it comes back (:mod:`nova.compute.periodic.leftovers`).
"""

from __future__ import annotations

from dataclasses import dataclass

from nova.compute.operations.config_drive import injection_of, write_config_drive
from nova.compute.operations.moving import Moving, start_as_before
from nova.compute.operations.work import (
    apply_filters,
    connect_volumes,
    destroy_guest,
    disconnect_volumes,
    remove_filters,
)
from nova.domain.orders import BuildOrder
from nova.errors import InvalidInput
from nova.workflow.steps import Step


@dataclass(slots=True, kw_only=True)
class Evacuation(Moving):
    """One evacuation."""

    build: BuildOrder


def check_host(work: Evacuation) -> None:
    """Refuse at once when no guest could be started here now."""
    work.host.driver.check()


def find_shared_disks(work: Evacuation) -> None:
    """See whether the server's disks are below this host; they must be where the administrator says so."""
    here = _has_disks(work)
    if work.move.shared_storage and not here and work.build.image is not None:
        raise InvalidInput("The server's disks are not on this host: its storage is not shared.")
    work.shared_storage = here and work.move.shared_storage is not False


def fetch_images(work: Evacuation) -> None:
    """Bring the images into the cache of this host, where the disks are made anew."""
    build = work.build
    images = tuple(image for image in (build.image, build.kernel, build.ramdisk) if image is not None)
    if not work.shared_storage:
        work.host.driver.fetch_images(work.context, images, work.host.images, limit_gb=work.instance.flavor.root_gb)


def create_disks(work: Evacuation) -> None:
    """Make the disks anew, unless they are shared."""
    build, driver = work.build, work.host.driver
    if not work.shared_storage:
        driver.create_disks(
            work.instance,
            image=build.image,
            kernel=build.kernel,
            ramdisk=build.ramdisk,
            devices=work.order.block_devices,
            injection=injection_of(work, admin_password=build.admin_password),
        )
        driver.mark_moved_disks(work.instance, move_id=work.move.id)
        write_config_drive(work, admin_password=build.admin_password)


def delete_new_disks(work: Evacuation) -> None:
    """Remove what was made anew; shared disks stay."""
    work.host.driver.delete_moved_disks(work.instance, move_id=work.move.id)


def start_evacuated_guest(work: Evacuation) -> None:
    """Run the guest here, or only define it where the server was off."""
    start_as_before(work)


def _has_disks(work: Evacuation) -> bool:
    """Whether the server has a directory here that this very move did not make."""
    driver = work.host.driver
    stored = work.instance.uuid in driver.stored_instances()
    return stored and not driver.has_moved_disks(work.instance, move_id=work.move.id)


RECREATE_STEPS: list[Step[Evacuation]] = [
    Step(check_host),
    Step(find_shared_disks),
    Step(fetch_images),
    Step(create_disks, undo=delete_new_disks),
    Step(connect_volumes, undo=disconnect_volumes),
    Step(apply_filters, undo=remove_filters),
    Step(start_evacuated_guest, undo=destroy_guest),
]
