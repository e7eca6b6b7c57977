# SPDX-License-Identifier: Apache-2.0
"""Reboot, softly or hard.  Runs in nova-compute on the server's host.

Soft: the guest is asked, and reset when it does not obey in time.  Hard: the guest is cut off, its domain, volume
connections and filters are made anew, and it is started.  When that fails the server goes to ERROR with its disks
intact, and another hard reboot may mend it.
"""

from __future__ import annotations

from nova.compute.operations.work import Work, apply_filters, connect_volumes, destroy_guest, start_guest
from nova.workflow.steps import Step


def reboot_guest(work: Work) -> None:
    """Ask the guest to reboot; reset it when it does not."""
    work.host.driver.reboot(work.guest(), timeout_s=work.host.settings.soft_reboot_timeout_s)


SOFT_STEPS: list[Step[Work]] = [
    Step(connect_volumes),
    Step(reboot_guest),
]

HARD_STEPS: list[Step[Work]] = [
    Step(destroy_guest),
    Step(connect_volumes),
    Step(apply_filters),
    Step(start_guest),
]
