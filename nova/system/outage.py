# SPDX-License-Identifier: Apache-2.0
"""Remembers when the database or the message broker was last away, as this process saw it.

While either is away nobody's heartbeat is written, so after an outage a heartbeat is old without its daemon being dead.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_SAME_OUTAGE_S = 60.0
"""Failures that follow one another more slowly belong to different outages"""


class Outage:
    """The last outage.  Safe to share between threads."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._began_at = self._last_at = float("-inf")

    def note(self) -> None:
        """It did not answer just now, or answers again just now."""
        with self._lock:
            now = self._monotonic()
            if now - self._last_at > _SAME_OUTAGE_S:
                self._began_at = now
            self._last_at = now

    def lasted_s(self, *, within_s: float) -> float:
        """How long the last outage was, if it was over for less than *within_s* seconds; otherwise 0."""
        with self._lock:
            if self._monotonic() - self._last_at > within_s:
                return 0.0
            return self._last_at - self._began_at
