# SPDX-License-Identifier: Apache-2.0
"""In how few rounds many operations can each be stopped at each of their steps, when all run side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def rounds(steps: Mapping[str, Sequence[str]]) -> list[frozenset[str]]:
    """Sets of step names: each operation comes, in one of the rounds, to each of its steps as the first of that set.

    :param steps: the names of each operation's steps, in order
    """
    left = {(operation, name) for operation, names in steps.items() for name in names}
    found = []
    while left:
        chosen = _best(steps, left)
        found.append(chosen)
        left -= stops(steps, chosen)
    return found


def stops(steps: Mapping[str, Sequence[str]], chosen: frozenset[str]) -> set[tuple[str, str]]:
    """Where each operation stops, when all that come to a step of *chosen* do; those that do not are left out."""
    first = {operation: next((name for name in names if name in chosen), "") for operation, names in steps.items()}
    return {(operation, name) for operation, name in first.items() if name}


def _best(steps: Mapping[str, Sequence[str]], left: set[tuple[str, str]]) -> frozenset[str]:
    """Names are added one by one as long as that lets more operations stop where they have not yet."""
    chosen: frozenset[str] = frozenset()
    names = sorted({name for _, name in left})
    while True:
        gains = {name: len(stops(steps, chosen | {name}) & left) for name in names}
        best = max(names, key=lambda name: (gains[name], name))
        if gains[best] <= len(stops(steps, chosen) & left):
            return chosen
        chosen |= {best}
