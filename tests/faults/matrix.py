# SPDX-License-Identifier: Apache-2.0
"""Counts how the walks ended, by action and fault, over all processes of a run, and prints the table at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest

KEY = "fault walk"
_COUNTS: Counter[tuple[str, str, str]] = Counter()


def record(request: pytest.FixtureRequest, action: str, fault: str, outcome: str) -> None:
    """Note one walk; it comes to the process that prints with the report of the test."""
    request.node.user_properties.append((KEY, (action, fault, outcome)))


def collect(report: pytest.TestReport) -> None:
    """Take the notes out of a test's report."""
    if report.when == "teardown":
        _COUNTS.update(tuple(value) for name, value in report.user_properties if name == KEY)


def show(terminal: Any) -> None:
    """Print the table, if there was any walk."""
    if _COUNTS:
        terminal.section("walks over recorded steps: how each operation ended")
        for line in table(_COUNTS.items()):
            terminal.write_line(line)


def table(counts: Iterable[tuple[tuple[str, str, str], int]]) -> list[str]:
    """One line for each action, one column for each fault: how many ended well and how many with an explained error."""
    found = Counter(dict(counts))
    actions = sorted({action for action, _, _ in found})
    faults = sorted({fault for _, fault, _ in found})
    cells = {(a, f): f"{found[a, f, 'finished']}+{found[a, f, 'explained']}" for a in actions for f in faults}
    widths = [max(len(f), *(len(cells[a, f]) for a in actions)) for f in faults]
    first = max(map(len, actions))
    lines = [" " * first + "  " + "  ".join(f.rjust(w) for f, w in zip(faults, widths, strict=True))]
    for a in actions:
        row = (("-" if cells[a, f] == "0+0" else cells[a, f]).rjust(w) for f, w in zip(faults, widths, strict=True))
        lines.append(a.ljust(first) + "  " + "  ".join(row))
    ends = Counter[str]()
    for (_, _, outcome), number in found.items():
        ends[outcome] += number
    lines.append(f"{sum(ends.values())} walks: {ends['finished']} finished + {ends['explained']} explained errors")
    return lines
