# SPDX-License-Identifier: Apache-2.0
"""``python -m tools.states_page > doc/states.rst``: the table of states and actions as a page of the documentation."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from nova.domain.states import PowerState, TaskState, VmState
from nova.domain.transitions import ANY_STATE, FOLLOWS, MUST_BE_OFF, TRANSITIONS, Action, Tasks, Transition, status_of

TITLE = """\
..
   Made by: python -m tools.states_page > doc/states.rst

=================
States of servers
=================

A server has a state (``vm_state``: what it is) and at times a task (``task_state``: what is being done to it).  The API
shows both as one status word, and refuses with 409 an action that the table does not allow.  The table is
``nova/domain/transitions.py``; this page is made from it.
"""


def page() -> str:
    """The whole page."""
    sections = (
        ("Actions", _actions()),
        ("Status words", _statuses()),
        ("Guests that change by themselves", _follows()),
    )
    return "\n".join((TITLE, *(_section(title, text) for title, text in sections)))


def _follows() -> str:
    rows: list[tuple[str, ...]] = [("State", "What the guest does", "Then the server is")]
    rows += [(f"``{state.value}``", power.name.lower(), f"``{end.value}``") for (state, power), end in FOLLOWS.items()]
    rows += [
        (f"``{state.value}``", PowerState.RUNNING.name.lower(), "the same, and the guest is powered off")
        for state in sorted(MUST_BE_OFF)
    ]
    return _table(rows)


def _actions() -> str:
    rows: list[tuple[str, ...]] = [
        ("Action", "From", "While another task runs", "Tasks on the way", "To", "After a failure", "Needs")
    ]
    rows += [_action(action, TRANSITIONS[action]) for action in Action]
    return _table(rows)


def _action(action: Action, row: Transition) -> tuple[str, ...]:
    return (
        f"``{action.value}``",
        "any" if row.allowed == ANY_STATE else _words(row.allowed),
        _tasks(row.tasks),
        ", ".join(f"``{task.value}``" for task in row.during) or "none",
        f"``{row.end.value}``" if row.end else "stays",
        f"``{row.failure.value}``" if row.failure else "stays",
        ", ".join(_needs(row)) or "nothing",
    )


def _needs(row: Transition) -> list[str]:
    needs = {"launched": row.needs_launched, "a host": row.needs_host, "no lock": row.obeys_lock}
    return [word for word, needed in needs.items() if needed]


def _tasks(tasks: Tasks | frozenset[TaskState]) -> str:
    if isinstance(tasks, frozenset):
        return _words(tasks)
    return {Tasks.NONE: "never", Tasks.ANY: "always"}[tasks]


def _words(states: Iterable[VmState] | Iterable[TaskState]) -> str:
    return ", ".join(f"``{state}``" for state in sorted(states))


def _statuses() -> str:
    rows: list[tuple[str, ...]] = [("State", "Status", "Status while a task runs, where it is another one")]
    for state in VmState:
        plain = status_of(state, None)
        other: dict[str, list[str]] = {}
        for task in TaskState:
            if (word := status_of(state, task)) != plain:
                other.setdefault(word, []).append(f"``{task.value}``")
        rows.append(
            (f"``{state.value}``", plain, "; ".join(f"{word}: {', '.join(tasks)}" for word, tasks in other.items()))
        )
    return _table(rows)


def _section(title: str, body: str) -> str:
    return f"{title}\n{'-' * len(title)}\n\n{body}"


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for first, *others in rows:
        lines += [f"   * - {first}", *(f"     - {cell}".rstrip() for cell in others)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
