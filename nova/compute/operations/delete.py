# SPDX-License-Identifier: Apache-2.0
"""Delete: remove an instance from its host, whatever its state.  Runs in nova-compute on that host.

Nothing is undone on failure: what was removed stays removed, the server goes to ERROR, and a second delete goes on.
Addresses, room and quota are released by nova-conductor when the end is reported.
"""

from __future__ import annotations

from nova.compute.operations.work import Work, destroy_guest, disconnect_volumes, remove_filters
from nova.workflow.steps import Step


def delete_disks(work: Work) -> None:
    """Remove the directory and all that is in it."""
    work.host.driver.withdraw_disks(work.instance)
    work.host.driver.delete_disks(work.instance)
    work.host.driver.delete_disks_aside(work.instance)


STEPS: list[Step[Work]] = [
    Step(destroy_guest),
    Step(disconnect_volumes),
    Step(remove_filters),
    Step(delete_disks),
]
