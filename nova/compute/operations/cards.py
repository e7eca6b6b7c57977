# SPDX-License-Identifier: Apache-2.0
"""What is done to a server's network cards while it runs.  Runs in nova-compute on the server's host.

A card that could not be plugged in is taken out again, and nova-conductor gives it back; one that could not be taken
out stays.  Where nothing is undone, a failure leaves the cards plugged in, and it may be asked for again.
"""

from __future__ import annotations

import dataclasses

from nova.compute.operations.work import Work, apply_filters
from nova.workflow.steps import Step


def replug_cards(work: Work) -> None:
    """Pull the cable of each card and plug it in again, so that the guest asks for its address anew."""
    work.host.driver.replug(work.guest())


def plug_in(work: Work) -> None:
    """Let the guest have all cards of the order."""
    work.host.driver.set_cards(work.guest())


def take_out(work: Work) -> None:
    """Let the guest have all cards of the order but the one in question."""
    guest = work.guest()
    kept = tuple(nic for nic in guest.nics if nic.vif_uuid != work.order.vif_uuid)
    work.host.driver.set_cards(dataclasses.replace(guest, nics=kept))


ATTACH_STEPS: list[Step[Work]] = [
    Step(apply_filters),
    Step(plug_in, undo=take_out),
]

DETACH_STEPS: list[Step[Work]] = [
    Step(take_out, undo=plug_in),
]
"""The filters of a card that is gone go with the next refresh, which its end brings."""

RESET_NETWORK_STEPS: list[Step[Work]] = [
    Step(apply_filters),
    Step(replug_cards),
]

INJECT_NETWORK_INFO_STEPS: list[Step[Work]] = [
    Step(apply_filters),
]
"""What a guest should know it learns from DHCP and the metadata service; what its host enforces is made anew."""
