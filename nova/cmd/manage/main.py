# SPDX-License-Identifier: Apache-2.0
"""The program nova-manage: find the category and the action, run it, say in one line what went wrong."""

from __future__ import annotations

import dataclasses
import importlib
import logging
import sys
from collections.abc import Sequence

from nova import errors
from nova.cmd.configuration import log_settings
from nova.cmd.manage.frame import Action, Category, WrongUsage, find, read
from nova.cmd.manage.operator import Operator
from nova.conf.loading import Loaded, load
from nova.telemetry.output import set_up

CATEGORIES = (
    "config",
    "db",
    "fixed",
    "flavor",
    "floating",
    "host",
    "identity",
    "logs",
    "network",
    "project",
    "role",
    "service",
    "user",
    "version",
    "vm",
    "volume",
)
"""Module names below nova.cmd.manage."""

ABOUT = """\
nova-manage [--config-file F | --flagfile F] [--option value] category action [arguments]

Administers this cloud from a shell on one of its hosts, without credentials.  Arguments may be given by option or by
place; categories and actions may be shortened.  'nova-manage CATEGORY' lists a category's actions.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one action; the exit code is 0, 1 for a failure, 2 for words that were not understood."""
    try:
        loaded = load(list(sys.argv[1:] if argv is None else argv), prog="nova-manage")
        return _run(loaded)
    except WrongUsage as wrong:
        print(wrong, file=sys.stderr)
        return wrong.code
    except errors.NovaError as error:
        print(f"error: {error}", file=sys.stderr)
        return int(error.data.get("exit_code", 1))
    except BrokenPipeError:
        return 1


def _run(loaded: Loaded) -> int:
    words = list(loaded.rest)
    if loaded.version_wanted:
        words = ["version"]
    elif loaded.help_wanted or not words:
        print(ABOUT)
        print("Categories:")
        for category in _all():
            print(f"  {category.name:10} {category.help}")
        return 0 if loaded.help_wanted else 2
    if words[0] == "bash-completion":
        return _complete(words[1:])
    category = _category(words[0])
    if len(words) == 1 and not category.default_action:
        print(_actions(category), file=sys.stderr)
        return 2
    action = find(words[1] if len(words) > 1 else category.default_action, category.actions, what="actions")
    return _act(loaded, category, action, words[2:])


def _act(loaded: Loaded, category: Category, action: Action, words: list[str]) -> int:
    if any(word in {"-h", "--help"} for word in words):
        print(_explain(category, action))
        return 0
    try:
        values = read(action, words)
    except WrongUsage as wrong:
        raise WrongUsage(f"{wrong}\n\n{_explain(category, action)}", code=wrong.code) from wrong
    set_up(dataclasses.replace(log_settings(loaded.conf, "nova-manage"), level=logging.WARNING, file=""))
    return action.run(Operator(loaded), **values) or 0


def _category(word: str) -> Category:
    names = [Category(name, "", ()) for name in (*CATEGORIES, "account", "instance_type")]
    found = find(word, names, what="options").name
    module = {"account": "project", "instance_type": "flavor"}.get(found, found)
    category: Category = importlib.import_module(f"nova.cmd.manage.{module}").CATEGORY
    return category


def _all() -> list[Category]:
    return [_category(name) for name in CATEGORIES]


def _actions(category: Category) -> str:
    lines = [f"nova-manage {category.name}: {category.help}", "", "Actions:"]
    return "\n".join([*lines, *(f"  {action.usage()}\n      {action.help}" for action in category.actions)])


def _explain(category: Category, action: Action) -> str:
    lines = [f"nova-manage {category.name} {action.usage()}", f"    {action.help}"]
    return "\n".join([*lines, *(f"  --{a.name:22} {a.help}" for a in action.arguments)])


def _complete(words: list[str]) -> int:
    if words:
        print(" ".join(action.name for action in _category(words[0]).actions))
    else:
        print(" ".join(CATEGORIES))
    return 0
