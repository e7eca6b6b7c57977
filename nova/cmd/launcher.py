# SPDX-License-Identifier: Apache-2.0
"""Runs the services of a process until a signal ends them.

SIGTERM and SIGINT stop gracefully, a second one at once; SIGHUP reads the log files and the options that may change
anew.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass

from nova.cmd.daemon import Service
from nova.cmd.process import PidFile, daemonize, name_process
from nova.cmd.signals import ENDING, Signals

LOG = logging.getLogger(__name__)

WATCHED = (*ENDING, signal.SIGHUP)
_START_POLL_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSettings:
    """How a program wants to live."""

    name: str
    """The program, as ``ps`` shows it."""
    daemonize: bool = False
    pidfile: str = ""
    grace_s: float = 60.0
    """What running work is given when the program is told to stop."""


@contextmanager
def process(settings: ProcessSettings) -> Iterator[None]:
    """Be the process that *settings* describe.  Before any thread, connection or socket of ours.

    InvalidConfiguration when another live process holds the pid file.
    """
    pidfile = PidFile(settings.pidfile) if settings.pidfile else None
    if settings.daemonize:
        if pidfile is not None:
            # Said while there is still a terminal to say it on.
            pidfile.acquire()
            pidfile.release()
        daemonize()
    name_process(settings.name)
    if pidfile is not None:
        pidfile.acquire()
    try:
        yield
    finally:
        if pidfile is not None:
            pidfile.release()


def run(services: Sequence[Service], *, grace_s: float, reload: Callable[[], None] | None = None) -> None:
    """Start *services* in order, wait for a signal, stop them all; returns when they have stopped.

    When one cannot start, those before it are stopped and its error is raised.  A signal that ends us while one starts
    does not wait for that one, which may itself wait for a broker or a database: it is left, as in a crash.
    """
    with Signals(WATCHED) as signals:
        started: list[Service] = []
        try:
            if _start_all(services, started, signals):
                wait_for_end(signals, reload)
        finally:
            stop_all(list(started), grace_s=grace_s)


def _start_all(services: Sequence[Service], started: list[Service], signals: Signals) -> bool:
    """Start *services* and note them in *started*; False when a signal has ended us meanwhile.

    A SIGHUP is passed over: the files are being read for the first time.
    """
    outcome: Future[None] = Future()
    ended = threading.Event()

    def start() -> None:
        try:
            for service in services:
                if ended.is_set():
                    break
                service.start()
                started.append(service)
            outcome.set_result(None)
        except BaseException as exc:  # noqa: BLE001 - raised again in the thread that waits
            outcome.set_exception(exc)

    threading.Thread(target=start, name="start", daemon=True).start()
    while not outcome.done():
        number = signals.wait(_START_POLL_S)
        if number in ENDING:
            ended.set()
            LOG.info("Signal %s: stopping before all has started.", signal.Signals(number).name)
            return False
    outcome.result()
    return True


def wait_for_end(signals: Signals, reload: Callable[[], None] | None) -> None:
    """Handle signals until one says that it is time to stop."""
    while True:
        number = signals.wait()
        if number in ENDING:
            LOG.info("Signal %s: stopping.", number.name)
            return
        if number == signal.SIGHUP and reload is not None:
            reload_logged(reload)


def reload_logged(reload: Callable[[], None]) -> None:
    """Read anew what may change; a mistake in the files is logged, and the old values stay."""
    LOG.info("Signal SIGHUP: reading logs and changeable options anew.")
    try:
        reload()
    except Exception:
        LOG.exception("The configuration cannot be read anew; the old values stay")


def stop_all(services: Sequence[Service], *, grace_s: float) -> None:
    """Stop *services* side by side: together they are given *grace_s* seconds."""
    until = time.monotonic() + grace_s
    threads = [
        threading.Thread(target=_stop_logged, args=(service, grace_s), name=f"stop {service.name}", daemon=True)
        for service in services
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        # The services count the same seconds; a little more lets them end by themselves.
        thread.join(max(0.0, until - time.monotonic()) + 1.0)


def _stop_logged(service: Service, grace_s: float) -> None:
    try:
        service.stop(grace_s)
    except Exception:
        LOG.exception("%s did not stop cleanly", service.name)
