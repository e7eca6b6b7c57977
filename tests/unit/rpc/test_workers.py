# SPDX-License-Identifier: Apache-2.0
"""The threads that run handlers."""

from __future__ import annotations

import threading

import pytest

from nova.rpc.workers import Workers
from tests.unit.rpc.contract import wait_for


def test_no_more_run_than_the_limit_and_all_run_in_the_end() -> None:
    workers = Workers(3, name="w")
    gate, running, most, done = threading.Event(), [], [], []

    def work(number: int) -> None:
        running.append(number)
        most.append(len(running))
        gate.wait(10)
        running.remove(number)
        done.append(number)

    for number in range(10):
        workers.submit(work, number)
    wait_for(lambda: len(running) == 3)
    assert not workers.wait_idle(0.02)
    gate.set()
    assert workers.wait_idle(10)
    assert sorted(done) == list(range(10))
    assert max(most) <= 3


def test_a_defect_in_one_is_logged_and_costs_no_thread(caplog: pytest.LogCaptureFixture) -> None:
    workers = Workers(1, name="w")
    done: list[int] = []
    workers.submit(divmod, 1, 0)
    workers.submit(done.append, 1)
    assert workers.wait_idle(10)
    assert done == [1]
    assert "ZeroDivisionError" in caplog.text
