# SPDX-License-Identifier: Apache-2.0
"""Calls that block: run in place, or in a native thread where green threads would be held up (see test_green)."""

from __future__ import annotations

import _thread
import threading
import time

import pytest

from nova.context import RequestContext
from nova.rpc.blocking import is_green, run_blocking
from nova.telemetry.logging import bind, bound


def test_the_result_and_the_exception_are_the_callers() -> None:
    assert run_blocking(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        run_blocking(divmod, 7, 0)


def test_the_request_is_known_where_the_call_runs() -> None:
    context = RequestContext()
    with bind(context):
        assert run_blocking(bound) == context


def test_green_threads_go_on_while_a_call_blocks() -> None:
    if not is_green():
        assert run_blocking(_thread.get_native_id) == _thread.get_native_id()
        return
    from eventlet.patcher import original

    native_sleep = original("time").sleep
    ticks: list[float] = []
    done = threading.Event()

    def tick() -> None:
        while not done.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.01)

    ticking = threading.Thread(target=tick)
    ticking.start()
    run_blocking(native_sleep, 0.3)
    done.set()
    ticking.join()
    assert len(ticks) > 10


def test_each_thread_has_its_own_request() -> None:
    seen: dict[str, list[bool]] = {"a": [], "b": []}

    def work(name: str) -> None:
        context = RequestContext(user_id=name)
        with bind(context):
            for _ in range(20):
                time.sleep(0.001)
                seen[name].append(bound() is context)

    threads = [threading.Thread(target=work, args=(name,)) for name in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(all(own) and len(own) == 20 for own in seen.values())
