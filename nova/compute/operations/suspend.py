# SPDX-License-Identifier: Apache-2.0
"""Pause and suspend a guest, and let it go on.  Run in nova-compute on the server's host.

A paused guest stays in the host's memory; a suspended one is on its disk, and survives a restart of the host.  When one
of these fails the server stays what it was: it runs on, or it can be asked to go on once more.
"""

from __future__ import annotations

from nova.compute.operations.work import Work, apply_filters, connect_volumes, destroy_guest, start_guest
from nova.workflow.steps import Step


def pause_guest(work: Work) -> None:
    """Stop the guest's processors."""
    work.host.driver.pause(work.instance)


def unpause_guest(work: Work) -> None:
    """Let them go on."""
    work.host.driver.unpause(work.instance)


def suspend_guest(work: Work) -> None:
    """Write the guest's memory to the disk and power it off."""
    work.host.driver.suspend(work.instance)


def wake_guest(work: Work) -> None:
    """Bring the guest back from there, if it is there already."""
    connect_volumes(work)
    start_guest(work)


PAUSE_STEPS: list[Step[Work]] = [
    Step(pause_guest, undo=unpause_guest),
]

UNPAUSE_STEPS: list[Step[Work]] = [
    Step(unpause_guest, undo=pause_guest),
]

SUSPEND_STEPS: list[Step[Work]] = [
    Step(suspend_guest, undo=wake_guest),
]

RESUME_STEPS: list[Step[Work]] = [
    Step(connect_volumes),
    Step(apply_filters),
    Step(start_guest, undo=suspend_guest),
]
"""A start goes on where the guest was, so what undoes it must not lose the guest's memory."""

START_PAUSED_STEPS: list[Step[Work]] = [
    Step(connect_volumes),
    Step(apply_filters),
    Step(start_guest, undo=destroy_guest),
    Step(pause_guest),
]
"""For a paused server whose host was down: what was in its memory is lost, so it boots when it goes on."""
