# SPDX-License-Identifier: Apache-2.0
"""The program nova-manage: find the category and the action, run it, say in one line what went wrong."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from nova import errors
from nova.cmd.manage.frame import Action, Category, WrongUsage, find, read
from nova.cmd.manage.operator import Operator
from nova.conf.loading import load

CATEGORIES = (
    "config",
    "db",
    "doctor",
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
    "shell",
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
    words = list(sys.argv[1:] if argv is None else argv)
    own, rest = _split_options(words)
    try:
        return _run(own, rest)
    except WrongUsage as wrong:
        print(wrong, file=sys.stderr)
        return wrong.code
    except errors.NovaError as error:
        print(f"error: {error}", file=sys.stderr)
        return int(error.data.get("exit_code", 1))
    except BrokenPipeError:
        return 1


def _run(own: list[str], rest: list[str]) -> int:
    if not rest or rest[0] in {"-h", "--help", "-?"}:
        print(ABOUT)
        print("Categories:")
        for category in _all():
            print(f"  {category.name:10} {category.help}")
        return 0 if rest else 2
    if rest[0] == "bash-completion":
        return _complete(rest[1:])
    if rest[0] == "--version":
        rest = ["version"]
    category = _category(rest[0])
    if len(rest) == 1 and not category.default_action:
        print(_actions(category), file=sys.stderr)
        return 2
    action = find(rest[1] if len(rest) > 1 else category.default_action, category.actions, what="actions")
    if any(word in {"-h", "--help"} for word in rest[2:]):
        print(_explain(category, action))
        return 0
    try:
        values = read(action, rest[2:])
    except WrongUsage as wrong:
        raise WrongUsage(f"{wrong}\n\n{_explain(category, action)}", code=wrong.code) from wrong
    operator = Operator(load(own, prog="nova-manage"))
    return action.run(operator, **values) or 0


def _split_options(words: list[str]) -> tuple[list[str], list[str]]:
    """Options before the category are nova-manage's own; what follows belongs to the action."""
    own: list[str] = []
    rest = list(words)
    while rest and rest[0].startswith("-") and rest[0] not in {"-h", "--help", "-?", "--version"}:
        word = rest.pop(0)
        own.append(word)
        takes_value = "=" not in word and rest and not rest[0].startswith("-") and word.lstrip("-") in _WITH_VALUE
        if takes_value:
            own.append(rest.pop(0))
    return own, rest


_WITH_VALUE = {"flagfile", "config-file", "config_file", "config-dir", "config_dir", "log-file", "log_file"} | {
    "log-dir",
    "log_dir",
    "logdir",
    "logfile",
    "sql_connection",
    "sql-connection",
    "database-connection",
    "state_path",
    "state-path",
}


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
