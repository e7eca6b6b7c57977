# SPDX-License-Identifier: Apache-2.0
"""Rescue: boot a server from a rescue image, with its own root disk as the second one; and unrescue.

Run in nova-compute on the server's host.  When a rescue fails, the server's own guest is defined and powered as before,
the rescue disk is removed, and the server goes to ERROR.  When an unrescue fails, the rescue guest is started again and
the server stays in rescue, so that it can be asked for once more.
"""

from __future__ import annotations

from dataclasses import dataclass

from nova.compute.operations.power import shut_down_guest
from nova.compute.operations.work import Work, apply_filters, connect_volumes, destroy_guest, start_guest
from nova.domain.image import Image
from nova.domain.orders import BuildOrder
from nova.domain.states import PowerState, VmState
from nova.errors import InvalidInput
from nova.virt.driver import Guest
from nova.workflow.steps import Step


@dataclass(slots=True, kw_only=True)
class Rescue(Work):
    """One rescue."""

    build: BuildOrder

    @property
    def image(self) -> Image:
        """What to boot; InvalidInput when the order has none."""
        if self.build.image is None:
            raise InvalidInput("A rescue needs an image to boot.")
        return self.build.image


def fetch_rescue_images(work: Rescue) -> None:
    """Bring the rescue image into the cache of this host."""
    images = tuple(image for image in (work.image, work.build.kernel, work.build.ramdisk) if image is not None)
    work.host.driver.fetch_images(work.context, images, work.host.images, limit_gb=work.instance.flavor.root_gb)


def create_rescue_disk(work: Rescue) -> None:
    """Make the disk that the rescue guest boots from."""
    build = work.build
    work.host.driver.create_rescue_disk(work.instance, image=work.image, kernel=build.kernel, ramdisk=build.ramdisk)


def delete_rescue_disk(work: Work) -> None:
    """Remove it."""
    work.host.driver.delete_rescue_disk(work.instance)


def stop_guest(work: Work) -> None:
    """Have the guest power off, own or rescue, and let go of its definition and of its volumes."""
    shut_down_guest(work)
    destroy_guest(work)


def restore_guest(work: Work) -> None:
    """Bring the server's own guest back as it was when the rescue was asked for."""
    connect_volumes(work)
    apply_filters(work)
    if _ran(work):
        start_guest(work)
    else:
        work.host.driver.define(work.guest())


def start_rescue_guest(work: Work) -> None:
    """Boot from the rescue disk; the server's volumes stay unplugged meanwhile."""
    work.host.driver.start(Guest(instance=work.instance, nics=work.order.nics, rescued=True))


def _ran(work: Work) -> bool:
    return work.instance.vm_state is not VmState.STOPPED and work.instance.power_state is PowerState.RUNNING


RESCUE_STEPS: list[Step[Rescue]] = [
    Step(fetch_rescue_images),
    Step(create_rescue_disk, undo=delete_rescue_disk),
    Step(stop_guest, undo=restore_guest),
    Step(apply_filters),
    Step(start_rescue_guest, undo=destroy_guest),
]

UNRESCUE_STEPS: list[Step[Work]] = [
    Step(stop_guest, undo=start_rescue_guest),
    Step(connect_volumes),
    Step(apply_filters),
    Step(start_guest, undo=destroy_guest),
]
"""The rescue disk goes once the end is known to the cloud: until then there may be a way back to it."""

START_STEPS: list[Step[Work]] = [
    Step(apply_filters),
    Step(start_rescue_guest, undo=destroy_guest),
]
"""For a rescued server whose host was down."""
