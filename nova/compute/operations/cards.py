# SPDX-License-Identifier: Apache-2.0
"""What administrators may do to a server's network cards.  Runs in nova-compute on the server's host.

Nothing is undone: a failure leaves the cards plugged in, and it may be asked for again.
"""

from __future__ import annotations

from nova.compute.operations.work import Work, apply_filters
from nova.workflow.steps import Step


def replug_cards(work: Work) -> None:
    """Pull the cable of each card and plug it in again, so that the guest asks for its address anew."""
    work.host.driver.replug(work.guest())


RESET_NETWORK_STEPS: list[Step[Work]] = [
    Step(apply_filters),
    Step(replug_cards),
]

INJECT_NETWORK_INFO_STEPS: list[Step[Work]] = [
    Step(apply_filters),
]
"""What a guest should know it learns from DHCP and the metadata service; what its host enforces is made anew."""
