# SPDX-License-Identifier: Apache-2.0
"""Resize and cold migration, their confirmation and their reversal, leg by leg.  Run in nova-compute on either side.

    depart (source) → receive, launch (destination) → the owner's word: clear (source), or retreat (destination) and
    restore (source)

The source keeps its disks, set aside, until the move is confirmed; the destination works on a copy, so at no moment do
two hosts have a disk open.  A departure that fails brings the guest up again.  A reception or a launch that fails
removes the copy, and the source then has its guest back (return).  On one host all is the same, with both directories
there.
"""

from __future__ import annotations

from nova.compute.operations.moving import Moving, bring_up_again, start_as_before
from nova.compute.operations.power import shut_down_guest
from nova.compute.operations.work import (
    apply_filters,
    connect_volumes,
    destroy_guest,
    disconnect_volumes,
    remove_filters,
)
from nova.domain.states import PowerState
from nova.errors import HypervisorError
from nova.workflow.steps import Step


def stop_guest(work: Moving) -> None:
    """Have the guest power off, and let go of its definition."""
    if work.host.driver.power_state(work.instance) is not PowerState.NOSTATE:
        shut_down_guest(work)
        destroy_guest(work)


def set_disks_aside(work: Moving) -> None:
    """Give the instance's directory another name, under which nothing here uses it."""
    work.host.driver.set_disks_aside(work.instance, move_id=work.move.id)


def bring_disks_back(work: Moving) -> None:
    """Give it its own name again, and end what was offered of it."""
    work.host.driver.withdraw_disks(work.instance)
    work.host.driver.bring_disks_back(work.instance, move_id=work.move.id)


def check_host(work: Moving) -> None:
    """Refuse at once when no guest could be started here now."""
    work.host.driver.check()


def fetch_disks(work: Moving) -> None:
    """Copy the disks from the source, as large as the new flavor says."""
    offer = work.host.peers.on(work.move.source_host).offer_disks(work.context, order=work.order)
    work.host.driver.fetch_disks(
        work.instance,
        offer,
        move_id=work.move.id,
        old_flavor=work.move.old_flavor,
        devices=work.order.block_devices,
    )


def delete_copy(work: Moving) -> None:
    """Remove the disks that this move made here, and no others."""
    work.host.driver.delete_moved_disks(work.instance, move_id=work.move.id)


def find_copy(work: Moving) -> None:
    """Make sure that the disks which were received are still there."""
    if not work.host.driver.has_moved_disks(work.instance, move_id=work.move.id):
        raise HypervisorError("The server's disks are not on the host that it was moved to.")


def delete_disks_aside(work: Moving) -> None:
    """Remove the disks that were kept for a way back."""
    work.host.driver.withdraw_disks(work.instance)
    work.host.driver.delete_disks_aside(work.instance, move_id=work.move.id)


def start_moved_guest(work: Moving) -> None:
    """Run the guest here, or only define it where the server is off."""
    start_as_before(work)


def bring_guest_back(work: Moving) -> None:
    """Have the guest here again as it was."""
    bring_up_again(work)


DEPART_STEPS: list[Step[Moving]] = [
    Step(stop_guest, undo=bring_guest_back),
    Step(disconnect_volumes),
    Step(remove_filters),
    Step(set_disks_aside, undo=bring_disks_back),
]

RECEIVE_STEPS: list[Step[Moving]] = [
    Step(check_host),
    Step(fetch_disks, undo=delete_copy),
]

LAUNCH_STEPS: list[Step[Moving]] = [
    Step(find_copy, undo=delete_copy),
    Step(connect_volumes, undo=disconnect_volumes),
    Step(apply_filters, undo=remove_filters),
    Step(start_moved_guest, undo=destroy_guest),
]

RETURN_STEPS: list[Step[Moving]] = [
    Step(bring_disks_back),
    Step(bring_guest_back),
]

CLEAR_STEPS: list[Step[Moving]] = [
    Step(delete_disks_aside),
]

RETREAT_STEPS: list[Step[Moving]] = [
    Step(destroy_guest),
    Step(disconnect_volumes),
    Step(remove_filters),
    Step(delete_copy),
]
