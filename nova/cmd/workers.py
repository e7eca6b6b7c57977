# SPDX-License-Identifier: Apache-2.0
"""Several processes that serve the same listening sockets, and the parent that keeps them alive.

The parent holds no connection to broker or database: each worker builds its own after the fork.  A worker whose parent
is gone stops by itself.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

from nova.cmd.green import forget_parent
from nova.cmd.launcher import reload_logged
from nova.cmd.signals import ENDING, Signals

LOG = logging.getLogger(__name__)

STABLE_S = 5.0
"""A worker that lived for less is started again after a pause."""
MAX_PAUSE_S = 30.0

WATCHED = (*ENDING, signal.SIGHUP, signal.SIGCHLD)


class Workers:
    """*count* processes that run *serve* (which returns when the worker shall end, as ``launcher.run`` does)."""

    def __init__(self, name: str, *, count: int, serve: Callable[[], None]) -> None:
        self._name = name
        self._count = count
        self._serve = serve
        self._started_at: dict[int, float] = {}
        self._pause_s = 0.0
        self._alive_reader, self._alive_writer = os.pipe()

    def run(self, *, grace_s: float, reload: Callable[[], None] | None = None) -> None:
        """Keep the workers running until a signal ends them; returns when all are gone."""
        with Signals(WATCHED) as signals:
            for _ in range(self._count):
                self._fork()
            self._watch(signals, reload)
            self._end(signals, grace_s)

    def _fork(self) -> None:
        # A signal that comes before the worker has left our handlers behind would be told to us, not to the worker.
        unblocked = signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
        pid = os.fork()
        if pid:
            signal.pthread_sigmask(signal.SIG_SETMASK, unblocked)
            self._started_at[pid] = time.monotonic()
            LOG.info("%s: worker %d has started.", self._name, pid)
            return
        status = 1
        try:
            self._be_worker(unblocked)
            status = 0
        except SystemExit as exc:
            status = exc.code if isinstance(exc.code, int) else 1
        except BaseException:
            LOG.exception("%s: worker %d ends with an error", self._name, os.getpid())
        finally:
            logging.shutdown()
            sys.stderr.flush()
            os._exit(status)

    def _be_worker(self, unblocked: set[int | signal.Signals]) -> None:
        os.close(self._alive_writer)
        signal.set_wakeup_fd(-1)
        for number in WATCHED:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, unblocked)
        forget_parent()
        threading.Thread(target=self._end_with_parent, name="parent watch", daemon=True).start()
        self._serve()

    def _end_with_parent(self) -> None:
        while os.read(self._alive_reader, 1):
            continue
        os.kill(os.getpid(), signal.SIGTERM)

    def _watch(self, signals: Signals, reload: Callable[[], None] | None) -> None:
        while True:
            number = signals.wait()
            if number in ENDING:
                return
            if number == signal.SIGHUP:
                if reload is not None:
                    reload_logged(reload)
                self._signal_all(signal.SIGHUP)
            for pid, status in self._reap():
                if self._replace(signals, pid, status):
                    return

    def _replace(self, signals: Signals, pid: int, status: int) -> bool:
        """Start a worker in place of a dead one; True when a signal came meanwhile that ends us all."""
        LOG.error("%s: worker %d has died (%s) and is replaced.", self._name, pid, _shown(status))
        lived_s = time.monotonic() - self._started_at.pop(pid)
        self._pause_s = 0.0 if lived_s > STABLE_S else min(MAX_PAUSE_S, self._pause_s * 2 or 1.0)
        until = time.monotonic() + self._pause_s
        while (left := until - time.monotonic()) > 0:
            if signals.wait(left) in ENDING:
                return True
        self._fork()
        return False

    def _end(self, signals: Signals, grace_s: float) -> None:
        self._signal_all(signal.SIGTERM)
        until = time.monotonic() + grace_s + 2.0
        while self._started_at and time.monotonic() < until:
            for pid, _ in self._reap():
                self._started_at.pop(pid, None)
            if self._started_at:
                signals.wait(min(0.5, until - time.monotonic()))
        self._signal_all(signal.SIGKILL)
        for pid in list(self._started_at):
            os.waitpid(pid, 0)
        os.close(self._alive_writer)
        os.close(self._alive_reader)
        LOG.info("%s: all workers have ended.", self._name)

    def _reap(self) -> list[tuple[int, int]]:
        """The workers that have died, with how."""
        found = []
        for pid in list(self._started_at):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                found.append((pid, status))
        return found

    def _signal_all(self, number: signal.Signals) -> None:
        for pid in self._started_at:
            os.kill(pid, number)


def _shown(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
