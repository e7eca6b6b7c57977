# SPDX-License-Identifier: Apache-2.0
"""Work that a daemon does again and again.  Rooms name theirs; ``cmd/daemon.py`` drives the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PeriodicTask:
    """One such piece of work.  A turn that raises is logged; a slow one delays its own next turn only."""

    name: str
    spacing_s: float
    """Seconds from the start of one turn to the start of the next"""
    run: Callable[[], None]
    at_start: bool = False
    """Do the first turn at once, and not after a random part of the spacing."""
