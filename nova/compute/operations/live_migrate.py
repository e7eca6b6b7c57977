# SPDX-License-Identifier: Apache-2.0
"""Live migration, leg by leg.  Runs in nova-compute on either side.

    prepare (destination) → transfer (source) → settle (destination) → leave (source)

Until the transfer has ended the guest runs on its source, which keeps its disks: whatever fails before, the destination
removes what it made (discard), and the server stays what it was.  The filters are in force on the destination before
the guest can send a frame there.  Where disks are not shared they are copied with the memory.
"""

from __future__ import annotations

import logging
import threading

from nova.compute.host import Host
from nova.compute.operations.moving import Moving
from nova.compute.operations.work import (
    apply_filters,
    connect_volumes,
    destroy_guest,
    disconnect_volumes,
    remove_filters,
)
from nova.context import RequestContext
from nova.domain.disk_offer import DiskOffer, Landing
from nova.domain.move import Progress
from nova.domain.orders import InstanceOrder
from nova.domain.states import PowerState, VmState
from nova.errors import InvalidInput, InvalidState, NovaError, Unavailable
from nova.workflow.steps import Step

LOG = logging.getLogger(__name__)


def check_host(work: Moving) -> None:
    """Refuse at once when no guest could be started here now."""
    work.host.driver.check()


def compare_storage(work: Moving) -> None:
    """See whether the server's disks are below this host too, and whether that is what was asked for."""
    offer = work.host.peers.on(work.move.source_host).describe_disks(work.context, order=work.order)
    shared = work.host.driver.shares_disks(work.instance, offer)
    if work.move.block_migration is False and not shared and offer.disks:
        raise InvalidInput(
            f"Hosts {work.move.source_host} and {work.host.name} do not share the disks of servers: "
            "a migration without block_migration needs that."
        )
    if work.move.block_migration and shared:
        raise InvalidInput(
            f"Hosts {work.move.source_host} and {work.host.name} share the disks of servers: "
            "a block migration would copy a disk onto itself."
        )
    work.shared_storage = shared
    work.offer = offer


def make_landing_disks(work: Moving) -> None:
    """Make disks of the same size for what is going to be copied, unless they are shared."""
    if work.offer is not None and not work.shared_storage:
        work.host.driver.make_landing_disks(work.instance, work.offer, move_id=work.move.id)


def delete_landing_disks(work: Moving) -> None:
    """Remove what this move made here; shared disks stay."""
    work.host.driver.delete_moved_disks(work.instance, move_id=work.move.id)


def transfer_guest(work: Moving) -> None:
    """Move the running guest, and tell how far it is; one that has arrived already is left alone."""
    driver, move = work.host.driver, work.move
    if driver.power_state(work.instance) in (PowerState.NOSTATE, PowerState.SHUTDOWN, PowerState.CRASHED):
        state = work.host.peers.on(move.dest_host).guest_state(work.context, instance=work.instance)
        if state not in (PowerState.RUNNING, PowerState.PAUSED):
            raise InvalidState("The guest does not run: it ended by itself while it was to be moved.")
        return
    landing = work.host.peers.on(move.dest_host).landing(work.context, order=work.order)
    done = threading.Event()
    watch = threading.Thread(target=_watch, args=(work, done), daemon=True)
    watch.start()
    try:
        driver.transfer(work.instance, landing)
    finally:
        done.set()
        watch.join()


def _watch(work: Moving, done: threading.Event) -> None:
    """Report the progress until the transfer has ended; what cannot be reported now is reported the next time."""
    settings = work.host.settings
    waited_s, before = 0.0, Progress()
    while not done.wait(settings.move_report_s):
        waited_s += settings.move_report_s
        try:
            progress = work.host.driver.transfer_progress(work.instance)
            if progress != before:
                work.host.conductor.report_move(
                    work.context, operation_id=work.order.operation_id, host=work.host.name, progress=progress
                )
                before = progress
            if settings.move_timeout_s and waited_s > settings.move_timeout_s:
                LOG.warning("The move of server %s takes too long.", work.instance.uuid)
                _end_of_patience(work)
        except NovaError as exc:
            LOG.warning("The progress of server %s's move is not known now: %s", work.instance.uuid, exc)


def _end_of_patience(work: Moving) -> None:
    if work.host.settings.move_timeout_forces:
        work.host.driver.force_transfer(work.instance)
    else:
        work.host.driver.abort_transfer(work.instance)


def settle_guest(work: Moving) -> None:
    """Keep the guest's definition here, let it run if it should, and tell the network where it is now."""
    connect_volumes(work)
    work.host.driver.settle(work.guest(), paused=work.move.old_vm_state is VmState.PAUSED)
    apply_filters(work)


def delete_left_disks(work: Moving) -> None:
    """Remove the disks that were copied."""
    if work.move.shared_storage is False:
        work.host.driver.delete_disks(work.instance)


def drop_landed_guest(work: Moving) -> None:
    """End what may have come of the guest here: it goes on on its source."""
    if work.host.peers.on(work.move.source_host).guest_state(work.context, instance=work.instance) in (
        PowerState.NOSTATE,
        PowerState.SHUTDOWN,
    ):
        raise Unavailable("The guest does not run on its source; what is here of it stays.")
    destroy_guest(work)


def describe_disks(host: Host, order: InstanceOrder) -> DiskOffer:
    """What the destination must know about the disks of a guest that runs here."""
    if order.move is None or order.move.source_host != host.name:
        raise InvalidState(f"Server {order.instance.uuid} does not move from host {host.name}.")
    return host.driver.describe_disks(order.instance, move_id=order.move.id)


def landing(host: Host, context: RequestContext, order: InstanceOrder) -> Landing:
    """Where the guest is to go on here."""
    if order.move is None or order.move.dest_host != host.name:
        raise InvalidState(f"Server {order.instance.uuid} does not move to host {host.name}.")
    work = Moving(context=context, order=order, host=host, move=order.move)
    connect_volumes(work)
    return host.driver.landing(work.guest(), copies_disks=order.move.shared_storage is False)


PREPARE_STEPS: list[Step[Moving]] = [
    Step(check_host),
    Step(compare_storage),
    Step(make_landing_disks, undo=delete_landing_disks),
    Step(connect_volumes, undo=disconnect_volumes),
    Step(apply_filters, undo=remove_filters),
]

TRANSFER_STEPS: list[Step[Moving]] = [
    Step(transfer_guest),
]

SETTLE_STEPS: list[Step[Moving]] = [
    Step(settle_guest),
]

LEAVE_STEPS: list[Step[Moving]] = [
    Step(destroy_guest),
    Step(disconnect_volumes),
    Step(remove_filters),
    Step(delete_left_disks),
]

DISCARD_STEPS: list[Step[Moving]] = [
    Step(drop_landed_guest),
    Step(disconnect_volumes),
    Step(remove_filters),
    Step(delete_landing_disks),
]
