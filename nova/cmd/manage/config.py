# SPDX-License-Identifier: Apache-2.0
"""nova-manage config: the options in force."""

from __future__ import annotations

from nova.cmd.configuration import dump
from nova.cmd.manage.frame import Action, Category
from nova.cmd.manage.operator import Operator


def list_options(operator: Operator) -> None:
    """Every option with its value; passwords are masked."""
    for line in dump(operator.conf):
        operator.say(line)


CATEGORY = Category(
    "config", "The options in force.", (Action("list", list_options, "List every option with its value."),)
)
