# SPDX-License-Identifier: Apache-2.0
"""What reaches into a running guest: its password, and the interrupt that makes its kernel write a dump.

Runs in nova-compute on the server's host.  Nothing can be undone; what fails leaves the server as it was.
"""

from __future__ import annotations

from dataclasses import dataclass

from nova.compute.operations.work import Work
from nova.errors import Conflict
from nova.secret import Secret
from nova.workflow.steps import Step


@dataclass(slots=True, kw_only=True)
class PasswordChange(Work):
    """One change of the administrator's password."""

    password: Secret | None
    """None when the order had to be made again: passwords are kept nowhere"""


def set_admin_password(work: PasswordChange) -> None:
    """Have the agent in the guest set it."""
    if work.password is None:
        raise Conflict("The new password was lost in a restart of a daemon; ask for the change once more.")
    work.host.driver.set_admin_password(work.instance, work.password)


def interrupt_guest(work: Work) -> None:
    """Send the interrupt that cannot be masked."""
    work.host.driver.interrupt(work.instance)


CHANGE_PASSWORD_STEPS: list[Step[PasswordChange]] = [
    Step(set_admin_password),
]

TRIGGER_CRASH_DUMP_STEPS: list[Step[Work]] = [
    Step(interrupt_guest),
]
