# SPDX-License-Identifier: Apache-2.0
"""Which hosts builds failed on lately, as this scheduler has heard of them: each retry names the host it comes from."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable


class RecentFailures:
    """A memory of *memory_s* seconds; safe for any number of threads."""

    def __init__(self, memory_s: float, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._memory_s = memory_s
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._failures: deque[tuple[float, str]] = deque(maxlen=10_000)

    def note(self, host: str) -> None:
        """A build has failed on *host*."""
        with self._lock:
            self._failures.append((self._monotonic(), host))

    def by_host(self) -> Counter[str]:
        """How many there were in the last *memory_s* seconds, by host."""
        oldest = self._monotonic() - self._memory_s
        with self._lock:
            while self._failures and self._failures[0][0] < oldest:
                self._failures.popleft()
            return Counter(host for _, host in self._failures)
