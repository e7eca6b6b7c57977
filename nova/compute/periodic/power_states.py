# SPDX-License-Identifier: Apache-2.0
"""What the guests do, reported so that a server which its user shut down from inside is shown as stopped."""

from __future__ import annotations

import time
from collections.abc import Callable

from nova.compute.host import Host
from nova.compute.runner import Runner
from nova.context import admin_context


def report_power_states(host: Host, runner: Runner, *, monotonic: Callable[[], float] = time.monotonic) -> None:
    """Report all guests but those that an operation touched meanwhile: its own report says what they do."""
    begun_at = monotonic()
    states = host.driver.power_states()
    touched = runner.touched_since(begun_at)
    host.conductor.sync_power_states(
        admin_context("a host reports its guests"),
        host=host.name,
        states={uuid: state for uuid, state in states.items() if uuid not in touched},
    )
