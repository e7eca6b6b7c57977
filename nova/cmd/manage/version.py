# SPDX-License-Identifier: Apache-2.0
"""nova-manage version: what is installed."""

from __future__ import annotations

from nova.cmd.configuration import version
from nova.cmd.manage.frame import Action, Category
from nova.cmd.manage.operator import Operator


def show(operator: Operator) -> None:
    """Print the version of the package."""
    operator.say(version())


CATEGORY = Category(
    "version",
    "The version of this software.",
    (Action("list", show, "Print the version of the installed package."),),
    default_action="list",
)
