# SPDX-License-Identifier: Apache-2.0
"""Stop and start.  Run in nova-compute on the server's host.

When a start fails the guest is off as before, with its disks intact.  When a stop fails the guest is as it was.
"""

from __future__ import annotations

from nova.compute.operations.work import Work, apply_filters, connect_volumes, destroy_guest, start_guest
from nova.workflow.steps import Step


def shut_down_guest(work: Work) -> None:
    """Ask the guest to power off; cut its power when it does not."""
    work.host.driver.shut_down(work.instance, timeout_s=work.host.settings.shutdown_timeout_s)


STOP_STEPS: list[Step[Work]] = [
    Step(shut_down_guest),
]

START_STEPS: list[Step[Work]] = [
    Step(connect_volumes),
    Step(apply_filters),
    Step(start_guest, undo=destroy_guest),
]
