# SPDX-License-Identifier: Apache-2.0
"""Work that a daemon does again and again, as its service names it to whoever drives the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PeriodicTask:
    """One such piece of work.  A turn that raises is logged and does not stop the next one."""

    name: str
    interval_s: float
    """Seconds from the end of one turn to the beginning of the next"""
    run: Callable[[], None]
