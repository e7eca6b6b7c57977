# SPDX-License-Identifier: Apache-2.0
"""Handlers of log lines that hold no lock.

A daemon's green threads share their handlers with native threads (those that wait for libvirt).  A green thread that
waited for a lock held by a native one would never be woken.  So each line is one write to a descriptor, which the
kernel keeps whole, and nothing needs a lock.
"""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Any

LOOK_INTERVAL_S = 1.0
"""How often a file is looked at for whether logrotate has moved it away."""


class NoLock:
    """What the logging module takes for a lock."""

    def acquire(self) -> bool:
        """Always at once."""
        return True

    def release(self) -> None:
        """Nothing was taken."""

    def __enter__(self) -> bool:
        return True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def _at_fork_reinit(self) -> None:
        """The logging module calls this in a forked process."""


class _Lockless(logging.Handler):
    def createLock(self) -> None:
        """Have none."""
        lock: Any = NoLock()
        self.lock = lock


class StderrHandler(_Lockless, logging.StreamHandler[Any]):
    """Lines on a stream."""


class SyslogHandler(_Lockless, logging.handlers.SysLogHandler):
    """Lines to syslog, each a datagram."""


class FileHandler(_Lockless):
    """Lines appended to a file, which is opened again when it was moved or removed.

    :param mode: of a file that is made here, whatever the umask is
    """

    def __init__(self, path: Path, mode: int) -> None:
        super().__init__()
        self._path = path
        self._mode = mode
        self._descriptor = self._open()
        self._look_at = time.monotonic() + LOOK_INTERVAL_S

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        try:
            descriptor = os.open(self._path, flags | os.O_CREAT | os.O_EXCL, self._mode)
            os.fchmod(descriptor, self._mode)
        except FileExistsError:
            descriptor = os.open(self._path, flags)
        return descriptor

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; when even that fails, the logging module says so on stderr."""
        try:
            line = self.format(record) + "\n"
            if time.monotonic() >= self._look_at:
                self._look()
            os.write(self._descriptor, line.encode(errors="backslashreplace"))
        except Exception:  # noqa: BLE001 - a line that cannot be logged must not stop the work it tells of
            self.handleError(record)

    def _look(self) -> None:
        self._look_at = time.monotonic() + LOOK_INTERVAL_S
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.stat(self._path), os.fstat(self._descriptor)):
                return
        fresh = self._open()
        # The old number goes on to name an open file, for a thread that is about to write to it.
        os.dup2(fresh, self._descriptor, inheritable=False)
        os.close(fresh)

    def close(self) -> None:
        """Close the file."""
        super().close()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
