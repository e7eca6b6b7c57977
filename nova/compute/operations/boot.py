# SPDX-License-Identifier: Apache-2.0
"""Boot: make an instance and start it.  Runs in nova-compute on the host that was chosen, whose room is claimed.

On failure the guest, its filters, its volume connections and its directory are removed; the images stay in the cache.
nova-conductor then tries another host, or gives up and releases addresses and room.
"""

from __future__ import annotations

from dataclasses import dataclass

from nova.compute.operations.config_drive import injection_of, write_config_drive
from nova.compute.operations.work import (
    Work,
    apply_filters,
    connect_volumes,
    destroy_guest,
    disconnect_volumes,
    remove_filters,
)
from nova.domain.orders import BuildOrder
from nova.virt.driver import Guest
from nova.workflow.steps import Step


@dataclass(slots=True, kw_only=True)
class Boot(Work):
    """One build."""

    build: BuildOrder


def check_host(boot: Boot) -> None:
    """Refuse at once when no guest could be started here now."""
    boot.host.driver.check()


def fetch_images(boot: Boot) -> None:
    """Bring the images into the cache of this host."""
    build = boot.build
    images = tuple(image for image in (build.image, build.kernel, build.ramdisk) if image is not None)
    boot.host.driver.fetch_images(boot.context, images, boot.host.images, limit_gb=boot.instance.flavor.root_gb)


def create_disks(boot: Boot) -> None:
    """Make the instance's directory and disks."""
    build = boot.build
    boot.host.driver.create_disks(
        boot.instance,
        image=build.image,
        kernel=build.kernel,
        ramdisk=build.ramdisk,
        devices=boot.order.block_devices,
        injection=injection_of(boot, files=build.injected_files, admin_password=build.admin_password),
    )


def delete_disks(boot: Boot) -> None:
    """Remove the directory and all that is in it."""
    boot.host.driver.delete_disks(boot.instance)


def create_config_drive(boot: Boot) -> None:
    """Make the configuration drive, where one is wanted."""
    write_config_drive(boot, files=boot.build.injected_files, admin_password=boot.build.admin_password)


def start_guest(boot: Boot) -> None:
    """Define the guest and run it."""
    boot.host.driver.start(
        Guest(instance=boot.instance, image=boot.build.image, nics=boot.order.nics, volumes=tuple(boot.volumes))
    )


STEPS: list[Step[Boot]] = [
    Step(check_host),
    Step(fetch_images),
    Step(create_disks, undo=delete_disks),
    Step(create_config_drive),
    Step(connect_volumes, undo=disconnect_volumes),
    Step(apply_filters, undo=remove_filters),
    Step(start_guest, undo=destroy_guest),
]
