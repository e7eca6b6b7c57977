# SPDX-License-Identifier: Apache-2.0
"""The base of all daemons."""

from __future__ import annotations

import threading
import time

import pytest

from nova.cmd.daemon import Daemon
from nova.telemetry.logging import bound
from nova.workflow.periodic import PeriodicTask
from tests.unit.cmd.served_process import wait_for


class Recording:
    """An RPC server that writes down what happens to it."""

    def __init__(self, events: list[str]) -> None:
        self._events = events

    def start(self) -> None:
        self._events.append("server starts")

    def stop(self, grace_s: float) -> None:
        self._events.append("server stops")


def test_it_prepares_before_it_takes_messages() -> None:
    events: list[str] = []
    daemon = Daemon("nova-x", host="h", servers=[Recording(events)], prepare=lambda: events.append("prepare"))
    daemon.start()
    daemon.stop(1)
    assert events == ["prepare", "server starts", "server stops"]


def test_a_failing_task_stops_neither_itself_nor_others(caplog: pytest.LogCaptureFixture) -> None:
    turns: list[str] = []

    def bad() -> None:
        turns.append("bad")
        raise OSError("no")

    tasks = [
        PeriodicTask("bad", 0.01, bad, at_start=True),
        PeriodicTask("good", 0.01, lambda: turns.append("good"), at_start=True),
    ]
    daemon = Daemon("nova-x", host="h", periodic=tasks)
    daemon.start()
    wait_for(lambda: turns.count("bad") > 2 and turns.count("good") > 2)
    daemon.stop(1)
    assert "The periodic task bad failed" in caplog.text


def test_a_slow_task_does_not_pile_up() -> None:
    running: list[int] = []
    most: list[int] = []

    def slow() -> None:
        running.append(1)
        most.append(len(running))
        time.sleep(0.02)
        running.pop()

    daemon = Daemon("nova-x", host="h", periodic=[PeriodicTask("slow", 0.001, slow, at_start=True)])
    daemon.start()
    wait_for(lambda: len(most) >= 4)
    daemon.stop(1)
    assert set(most) == {1}


def test_the_first_turn_comes_after_a_part_of_the_spacing_only() -> None:
    turns: list[float] = []
    task = PeriodicTask("t", 1000, lambda: turns.append(1))
    daemon = Daemon("nova-x", host="h", periodic=[task], max_first_delay_s=0.05)
    daemon.start()
    wait_for(lambda: len(turns) == 1)
    daemon.stop(1)


def test_every_turn_has_a_request_id_of_its_own_in_context_and_log() -> None:
    seen: list[str] = []

    def look() -> None:
        current = bound()
        assert current is not None
        assert current.is_admin
        seen.append(current.request_id)

    daemon = Daemon("nova-x", host="h", periodic=[PeriodicTask("t", 0.001, look, at_start=True)])
    daemon.start()
    wait_for(lambda: len(seen) >= 3)
    daemon.stop(1)
    assert len(set(seen)) == len(seen)


def test_of_failing_heartbeats_the_first_is_logged_and_the_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    beats: list[int] = []

    def beat() -> None:
        beats.append(1)
        if len(beats) < 5:
            raise OSError("the database is away")

    daemon = Daemon("nova-x", host="h", heartbeat=beat, report_interval_s=0.001)
    daemon.start()
    wait_for(lambda: len(beats) > 6)
    daemon.stop(1)
    assert caplog.text.count("cannot report that it lives") == 1
    assert caplog.text.count("reports that it lives again") == 1


def test_work_that_does_not_end_in_time_is_left(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()
    begun = threading.Event()

    def stuck() -> None:
        begun.set()
        release.wait(10)

    daemon = Daemon("nova-x", host="h", periodic=[PeriodicTask("stuck", 1, stuck, at_start=True)])
    daemon.start()
    assert begun.wait(5)
    began_at = time.monotonic()
    daemon.stop(0.05)
    assert time.monotonic() - began_at < 1
    assert "stuck does not end in time" in caplog.text
    release.set()


def test_a_heartbeat_that_hangs_does_not_hold_up_the_end() -> None:
    hanging, release = threading.Event(), threading.Event()

    def beat() -> None:
        hanging.set()
        release.wait(20)

    daemon = Daemon("nova-x", host="h", heartbeat=beat)
    daemon.start()
    assert hanging.wait(5)
    began = time.monotonic()
    daemon.stop(10)
    assert time.monotonic() - began < 5
    release.set()
