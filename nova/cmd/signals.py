# SPDX-License-Identifier: Apache-2.0
"""Signals as events that a program waits for.

A handler may run in the middle of anything, so nothing is done there: the interpreter writes the number to a socket
pair, which also wakes the poller of green threads (a bare signal does not).
"""

from __future__ import annotations

import os
import select
import signal
import socket
from collections.abc import Iterable
from types import FrameType, TracebackType
from typing import Self

ENDING = frozenset({signal.SIGTERM, signal.SIGINT})


class Signals:
    """Within its ``with`` block the given signals are queued for :meth:`wait`.

    A second ending signal ends the process at once, whatever it does.
    """

    def __init__(self, numbers: Iterable[signal.Signals]) -> None:
        self._numbers = tuple(numbers)
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        self._old_wake_fd = -1
        self._old: dict[signal.Signals, object] = {}
        self._endings = 0

    def __enter__(self) -> Self:
        self._old_wake_fd = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in self._numbers:
            self._old[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, old in self._old.items():
            signal.signal(number, old)  # type: ignore[arg-type]
        signal.set_wakeup_fd(self._old_wake_fd)
        self._reader.close()
        self._writer.close()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if number in ENDING:
            self._endings += 1
            if self._endings > 1:
                os._exit(128 + number)

    def wait(self, timeout_s: float | None = None) -> signal.Signals | None:
        """The next signal; None when *timeout_s* passed first."""
        if timeout_s is not None and not select.select([self._reader], [], [], max(0.0, timeout_s))[0]:
            return None
        return signal.Signals(self._reader.recv(1)[0])
