# SPDX-License-Identifier: Apache-2.0
"""What the legs of all moves between hosts share.  Runs in nova-compute, on either side."""

from __future__ import annotations

from dataclasses import dataclass

from nova.compute.host import Host
from nova.compute.operations.work import Work, apply_filters, connect_volumes, start_guest
from nova.domain.disk_offer import DiskOffer
from nova.domain.move import Move
from nova.domain.orders import InstanceOrder
from nova.domain.states import PowerState, VmState
from nova.errors import InvalidInput, InvalidState


@dataclass(slots=True, kw_only=True)
class Moving(Work):
    """One leg.  ``instance`` has the flavor and the host of this side."""

    move: Move
    offer: DiskOffer | None = None
    """What the source has said about its disks"""


def start_as_before(work: Moving) -> None:
    """Run the guest, or only define it where the server was off before it moved."""
    if work.move.old_vm_state is VmState.STOPPED:
        work.host.driver.define(work.guest())
    else:
        start_guest(work)


def bring_up_again(work: Moving) -> None:
    """Have the guest here as it was before the move, with volumes and filters."""
    connect_volumes(work)
    apply_filters(work)
    start_as_before(work)


def offer_disks(host: Host, order: InstanceOrder) -> DiskOffer:
    """Let the other side of *order*'s move read the disks that were set aside here for it."""
    if order.move is None:
        raise InvalidInput("Disks are offered for a move only.")
    if order.move.source_host != host.name:
        raise InvalidState(f"Server {order.instance.uuid} does not move from host {host.name}.")
    if not order.move.same_host and host.driver.power_state(order.instance) is not PowerState.NOSTATE:
        raise InvalidState(f"Server {order.instance.uuid} is still defined on host {host.name}.")
    return host.driver.offer_disks(order.instance, move_id=order.move.id)
