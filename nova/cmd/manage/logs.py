# SPDX-License-Identifier: Apache-2.0
"""nova-manage logs: errors in the daemons' log files."""

from __future__ import annotations

from pathlib import Path

from nova import errors
from nova.cmd.manage.frame import Action, Category
from nova.cmd.manage.operator import Operator


def list_errors(operator: Operator) -> None:
    """The lines with ERROR of each log file, the newest first."""
    directory = operator.conf.log_dir
    if not directory or not Path(directory).is_dir():
        raise errors.NotFound("There is no log directory: set log_dir in nova.conf, or read the service manager's log.")
    found = False
    for path in sorted(Path(directory).glob("*.log")):
        with path.open(errors="replace") as file:
            lines = [(number, line.rstrip()) for number, line in enumerate(file, 1) if " ERROR " in line]
        if lines:
            found = True
            operator.say(f"{path}:-")
        for number, line in reversed(lines):
            operator.say(f"Line {number} : {line}")
    if not found:
        operator.say("No errors in logfiles!")


CATEGORY = Category(
    "logs",
    "The daemons' log files.",
    (Action("errors", list_errors, "Print the lines with ERROR, newest first."),),
)
