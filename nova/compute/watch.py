# SPDX-License-Identifier: Apache-2.0
"""Follows what the hypervisor says of guests that nobody here did anything to.  A thread of nova-compute.

A guest that something is being done to is looked at again when that has ended.
"""

from __future__ import annotations

import logging
import threading

from nova.compute.host import Host
from nova.compute.periodic.power_states import report_guest, report_power_states
from nova.compute.runner import Runner
from nova.errors import NovaError

LOG = logging.getLogger(__name__)


class Watch:
    """One run of the thread."""

    def __init__(self, host: Host, runner: Runner, *, stopping: threading.Event) -> None:
        self._host = host
        self._runner = runner
        self._stopping = stopping
        self._pending: frozenset[str] = frozenset()
        self._look_at_all = True

    def run(self) -> None:
        """Follow, until *stopping* is set."""
        pause_s = 0.5
        while not self._stopping.is_set():
            try:
                self._turn()
            except NovaError as exc:
                LOG.warning("Guests cannot be watched now: %s. Trying again in %g s.", exc, pause_s)
                self._stopping.wait(pause_s)
                pause_s = min(pause_s * 2, self._host.settings.retry_longest_s)
            else:
                pause_s = 0.5

    def _turn(self) -> None:
        changed = self._host.driver.wait_for_changes(timeout_s=self._host.settings.event_wait_s)
        if self._stopping.is_set():
            return
        if changed is None:
            self._look_at_all = True
        else:
            self._pending |= changed
        if self._look_at_all:
            self._pending |= report_power_states(self._host, self._runner)
            self._look_at_all = False
        for uuid in sorted(self._pending):
            if report_guest(self._host, self._runner, uuid):
                self._pending -= {uuid}
