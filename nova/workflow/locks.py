# SPDX-License-Identifier: Apache-2.0
"""One operation at a time on each instance, within one process."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator


class KeyedLocks:
    """A lock for each key, there only while somebody holds it or waits for it."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, tuple[threading.Lock, int]] = {}

    @contextlib.contextmanager
    def hold(self, key: str) -> Iterator[None]:
        """Hold the lock of *key*; those who wait for the same key follow one after another."""
        lock = self._join(key)
        try:
            with lock:
                yield
        finally:
            self._leave(key)

    def held(self) -> frozenset[str]:
        """The keys that somebody holds or waits for now."""
        with self._guard:
            return frozenset(self._locks)

    def _join(self, key: str) -> threading.Lock:
        with self._guard:
            lock, users = self._locks.get(key, (threading.Lock(), 0))
            self._locks[key] = (lock, users + 1)
            return lock

    def _leave(self, key: str) -> None:
        with self._guard:
            lock, users = self._locks[key]
            if users == 1:
                del self._locks[key]
            else:
                self._locks[key] = (lock, users - 1)
