# SPDX-License-Identifier: Apache-2.0
"""A bounded number of threads that run handlers: green ones in a daemon, native ones where nothing was patched."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from nova.rpc.blocking import is_green

LOG = logging.getLogger(__name__)


class Workers:
    """Runs functions in at most *limit* threads; what is too much waits in line, and submitting never waits."""

    def __init__(self, limit: int, *, name: str) -> None:
        self._limit = limit
        self._name = name
        self._line: deque[tuple[Callable[..., Any], tuple[Any, ...]]] = deque()
        self._changed = threading.Condition(threading.Lock())
        self._running = 0
        self._start = _start_green if is_green() else self._start_native

    def submit(self, function: Callable[..., Any], *args: Any) -> None:
        """Run ``function(*args)`` as soon as a thread is free."""
        with self._changed:
            if self._running >= self._limit:
                self._line.append((function, args))
                return
            self._running += 1
        self._start(self._run, function, args)

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until nothing runs; False when *timeout_s* passed first."""
        until = time.monotonic() + timeout_s
        with self._changed:
            while self._running:
                left = until - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
        return True

    def _run(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        try:
            while True:
                _run_logged(function, args)
                with self._changed:
                    if not self._line:
                        return
                    function, args = self._line.popleft()
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _start_native(self, function: Callable[..., Any], *args: Any) -> None:
        threading.Thread(target=function, args=args, name=self._name, daemon=True).start()


def _run_logged(function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    try:
        function(*args)
    except Exception:
        LOG.exception("A message was not handled because of a defect")


def _start_green(function: Callable[..., Any], *args: Any) -> None:
    import eventlet

    eventlet.spawn_n(function, *args)
