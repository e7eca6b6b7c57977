# SPDX-License-Identifier: Apache-2.0
"""The life of nova-compute on one host: what it is made of, what it does at its start, all the time, and at its end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from nova.compute.host import Host
from nova.compute.periodic.filters import refresh_filters
from nova.compute.periodic.heartbeat import send_heartbeat
from nova.compute.periodic.leftovers import remove_leftovers
from nova.compute.periodic.power_states import report_power_states
from nova.compute.periodic.resources import report_resources
from nova.compute.periodic.unfinished import fetch_unfinished
from nova.compute.runner import Runner
from nova.compute.service import ComputeService
from nova.compute.startup import come_up
from nova.compute.watch import Watch
from nova.workflow.background import Background, in_thread
from nova.workflow.journal import JournalDirectory
from nova.workflow.periodic import PeriodicTask
from nova.workflow.steps import no_pause

SAFE_AGE_S = 600.0
"""An image that was asked for so lately stays whatever the options say: a disk may be about to rest on it"""


class ComputeDaemon:
    """Holds ``service``, which is to be served, and the runner behind it."""

    def __init__(
        self,
        host: Host,
        *,
        journal_dir: Path,
        background: Background = in_thread,
        pause_before_step: Callable[[str], None] = no_pause,
    ) -> None:
        self._host = host
        self._background = background
        self._journals = JournalDirectory(journal_dir, host=host.name)
        self._stopping = threading.Event()
        self._is_up = threading.Event()
        self.runner = Runner(host, self._journals, background=background, pause_before_step=pause_before_step)
        self.service = ComputeService(host, self.runner)

    def start(self) -> None:
        """Finish what a former run left, bring guests back and follow them, in the background.  Call before serving."""
        self._background(self._come_up_and_watch)

    def _come_up_and_watch(self) -> None:
        if come_up(self._host, self.runner, self._journals, stopping=self._stopping):
            self._is_up.set()
            Watch(self._host, self.runner, stopping=self._stopping).run()

    def stop(self, grace_s: float = 60.0) -> None:
        """Let what is in hand finish for *grace_s* seconds; the next start goes on with what did not."""
        self._stopping.set()
        self.runner.stop(grace_s)

    def periodic_tasks(self) -> list[PeriodicTask]:
        """What must be called again and again, each by its own clock."""
        host, runner, settings = self._host, self.runner, self._host.settings
        return [
            PeriodicTask("resources", settings.resources_interval_s, lambda: report_resources(host), at_start=True),
            PeriodicTask("unfinished orders", settings.unfinished_interval_s, lambda: fetch_unfinished(host, runner)),
            PeriodicTask("power states", settings.power_state_interval_s, self._report_power_states),
            PeriodicTask("filters", settings.filters_interval_s, lambda: refresh_filters(host, ())),
            PeriodicTask("leftovers", settings.leftovers_interval_s, lambda: remove_leftovers(host, runner)),
            PeriodicTask("image cache", settings.image_cache_interval_s, self._age_images),
        ]

    def heartbeat(self) -> None:
        """Say that this host lives; Unavailable, and nothing said, when its hypervisor does not answer."""
        send_heartbeat(self._host)

    def _report_power_states(self) -> None:
        """Not while guests that should run may still be off after a restart of their host."""
        if self._is_up.is_set():
            report_power_states(self._host, self.runner)

    def _age_images(self) -> None:
        settings = self._host.settings
        if settings.removes_unused_images:
            self._host.driver.age_out_images(min_age_s=max(settings.image_unused_s, SAFE_AGE_S))
