# SPDX-License-Identifier: Apache-2.0
"""Small changes side by side, whole ones alone."""

from __future__ import annotations

import threading

from nova.network.turns import Turns
from tests.unit.db.contracts.samples import at_once


def test_small_changes_go_side_by_side() -> None:
    turns, both = Turns(), threading.Barrier(2, timeout=10)

    def work() -> int:
        with turns.small():
            return both.wait()

    assert sorted(map(str, at_once([work, work]))) == ["0", "1"]


def test_a_whole_change_waits_for_small_ones_and_keeps_later_ones_out() -> None:
    turns, order = Turns(), list[str]()
    inside, go_on, asked = threading.Event(), threading.Event(), threading.Event()

    def first() -> None:
        with turns.small():
            inside.set()
            assert go_on.wait(10)
            order.append("first")

    def whole() -> None:
        assert inside.wait(10)
        asked.set()
        with turns.whole():
            order.append("whole")

    def later() -> None:
        assert asked.wait(10)
        while not turns._whole:
            asked.wait(0.001)
        go_on.set()
        with turns.small():
            order.append("later")

    at_once([first, whole, later])
    assert order == ["first", "whole", "later"]


def test_whole_changes_go_one_after_another_and_a_failure_ends_its_turn() -> None:
    turns, running, most = Turns(), 0, 0

    def work() -> None:
        nonlocal running, most
        with turns.whole():
            running += 1
            most = max(most, running)
            running -= 1
            raise ValueError

    assert all(isinstance(outcome, ValueError) for outcome in at_once([work] * 8))
    assert most == 1
    with turns.small():
        pass
