# SPDX-License-Identifier: Apache-2.0
"""Soft delete: power a server off and keep all that it has, until it is restored or its time is over; and restore.

Run in nova-compute on the server's host.  When a soft delete fails the server is what it was; when a restore fails the
server stays deleted softly, and can be restored once more.
"""

from __future__ import annotations

from nova.compute.operations.power import shut_down_guest
from nova.compute.operations.work import Work, apply_filters, connect_volumes, start_guest
from nova.workflow.steps import Step

SOFT_DELETE_STEPS: list[Step[Work]] = [
    Step(shut_down_guest),
]

RESTORE_STEPS: list[Step[Work]] = [
    Step(connect_volumes),
    Step(apply_filters),
    Step(start_guest, undo=shut_down_guest),
]
