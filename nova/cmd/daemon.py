# SPDX-License-Identifier: Apache-2.0
"""The base of every daemon: answers RPC, does periodic work, reports that it lives, and stops without losing work."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from nova.context import admin_context
from nova.telemetry.logging import bind
from nova.workflow.periodic import PeriodicTask

LOG = logging.getLogger(__name__)


class Service(Protocol):
    """Anything that a process runs until it is told to stop: a daemon, a web server."""

    name: str

    def start(self) -> None:
        """Begin; returns once it serves."""
        ...

    def stop(self, grace_s: float) -> None:
        """End: take no more work, finish what is in hand within *grace_s* seconds, hand back the rest."""
        ...


class Consumer(Protocol):
    """What a daemon needs of ``nova.rpc.server.Server``."""

    def start(self) -> None:
        """Begin to take messages."""
        ...

    def stop(self, grace_s: float) -> None:
        """See Service."""
        ...


class Daemon:
    """One daemon of a host, in a process of its own or beside others."""

    def __init__(
        self,
        name: str,
        *,
        host: str,
        topic: str = "",
        servers: Sequence[Consumer] = (),
        periodic: Sequence[PeriodicTask] = (),
        heartbeat: Callable[[], None] | None = None,
        report_interval_s: float = 10.0,
        max_first_delay_s: float = 60.0,
        prepare: Callable[[], None] | None = None,
    ) -> None:
        """
        :param name: the program (``nova-compute``)
        :param heartbeat: records that this daemon lives; called every *report_interval_s*
        :param max_first_delay_s: bounds the random delay before the first turn of a periodic task
        :param prepare: done before the first message is taken (finding unfinished work, checking the host)
        """
        self.name = name
        self.host = host
        self.topic = topic
        self._servers = servers
        self._periodic = periodic
        self._heartbeat = heartbeat
        self._report_interval_s = report_interval_s
        self._max_first_delay_s = max_first_delay_s
        self._prepare = prepare
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Prepare, take messages, begin the periodic work and the heartbeat."""
        if self._prepare is not None:
            with bind(admin_context(f"start of {self.name}")):
                self._prepare()
        for server in self._servers:
            server.start()
        if self._heartbeat is not None:
            # Nobody waits for its end: it may hang in a call to a daemon that has stopped before us, and loses nothing.
            threading.Thread(target=self._beat, args=(self._heartbeat,), name="heartbeat", daemon=True).start()
        for task in self._periodic:
            self._run_thread(task.name, self._repeat, task)
        LOG.info("%s on host %s has started.", self.name, self.host)

    def stop(self, grace_s: float) -> None:
        """See Service."""
        until = time.monotonic() + grace_s
        self._stopping.set()
        for server in self._servers:
            server.stop(max(0.0, until - time.monotonic()))
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                LOG.warning("%s: %s does not end in time and is left.", self.name, thread.name)
        LOG.info("%s on host %s has stopped.", self.name, self.host)

    def _run_thread(self, name: str, function: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=function, args=args, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _repeat(self, task: PeriodicTask) -> None:
        first_delay_s = 0.0 if task.at_start else random.uniform(0, min(task.spacing_s, self._max_first_delay_s))  # noqa: S311
        due_at = time.monotonic() + first_delay_s
        while not self._stopping.wait(max(0.0, due_at - time.monotonic())):
            began_at = time.monotonic()
            self._turn(task)
            due_at = began_at + task.spacing_s

    def _turn(self, task: PeriodicTask) -> None:
        with bind(admin_context(f"periodic task {task.name}")):
            try:
                task.run()
            except Exception:
                LOG.exception("The periodic task %s failed; its next turn is in %g s", task.name, task.spacing_s)

    def _beat(self, heartbeat: Callable[[], None]) -> None:
        """Report until the daemon stops; of a row of failures the first is logged, and its end."""
        failing = False
        with bind(admin_context(f"heartbeat of {self.name}")):
            while True:
                try:
                    heartbeat()
                    if failing:
                        LOG.info("%s reports that it lives again.", self.name)
                    failing = False
                except Exception as exc:  # noqa: BLE001 - whatever it is, the next beat is tried
                    level = logging.DEBUG if failing else logging.ERROR
                    LOG.log(level, "%s cannot report that it lives: %s", self.name, exc)
                    failing = True
                if self._stopping.wait(self._report_interval_s):
                    return
