# SPDX-License-Identifier: Apache-2.0
"""Shelve: keep a server as an image, powered off; offload: take it from its host; unshelve: bring it back, anywhere.

Run in nova-compute on the server's host, unshelve on the host that was chosen, whose room is claimed.  When a shelve
fails, the guest is back as it was (one that was paused or suspended is off) and the image is deleted.  An offload that
fails leaves the disks where they are.  When an unshelve fails, the server stays shelved.
"""

from __future__ import annotations

from collections.abc import Callable

from nova.compute.operations import boot, rescue
from nova.compute.operations.boot import Boot
from nova.compute.operations.snapshot import (
    Snapshot,
    copy_disk,
    delete_image,
    describe_image,
    drop_copy,
    find_image,
    prepare_upload,
    upload_image,
)
from nova.compute.operations.work import (
    Work,
    apply_filters,
    connect_volumes,
    destroy_guest,
    disconnect_volumes,
    remove_filters,
)
from nova.domain.states import VmState
from nova.workflow.steps import Step


def stop_guest(work: Snapshot) -> None:
    """Have the guest power off, and let go of its definition and of its volumes."""
    rescue.stop_guest(work)


def restore_guest(work: Work) -> None:
    """Bring the guest back as it was."""
    rescue.restore_guest(work)


def delete_disks(work: Work) -> None:
    """Remove the directory and all that is in it."""
    work.host.driver.delete_disks(work.instance)


def remove_offloaded(work: Work) -> None:
    """Remove what is left here, now that the server is recorded as being on no host; unless it is on one again."""
    if work.host.conductor.deleted_instances(work.context, instance_uuids=(work.instance.uuid,)):
        remove_filters(work)
        delete_disks(work)


def offload_guest(work: Work) -> None:
    """Forget what may be left of the guest, which is off."""
    destroy_guest(work)


def clear_host(unshelve: Boot) -> None:
    """Remove what this host still has of the server from before it was shelved, or from an earlier run.

    An old disk must not be taken for the one in the image.
    """
    destroy_guest(unshelve)
    delete_disks(unshelve)


def unless_here(step: Callable[[Boot], None]) -> Callable[[Boot], None]:
    """*step* for a server whose disks have to be made; one that was never taken from its host has them."""

    def do(unshelve: Boot) -> None:
        if unshelve.instance.vm_state is not VmState.SHELVED:
            step(unshelve)

    do.__name__ = step.__name__
    do.__doc__ = step.__doc__
    return do


SHELVE_STEPS: list[Step[Snapshot]] = [
    Step(find_image, undo=delete_image),
    Step(stop_guest, undo=restore_guest),
    Step(copy_disk, undo=drop_copy),
    Step(prepare_upload),
    Step(describe_image),
    Step(upload_image),
    Step(drop_copy),
]

OFFLOAD_STEPS: list[Step[Work]] = [
    Step(offload_guest),
    Step(disconnect_volumes),
]

UNSHELVE_STEPS: list[Step[Boot]] = [
    Step(boot.check_host),
    Step(unless_here(clear_host)),
    Step(unless_here(boot.fetch_images)),
    Step(unless_here(boot.create_disks), undo=unless_here(boot.delete_disks)),
    Step(unless_here(boot.create_config_drive)),
    Step(connect_volumes, undo=unless_here(disconnect_volumes)),
    Step(apply_filters, undo=unless_here(remove_filters)),
    Step(boot.start_guest, undo=destroy_guest),
]
