# SPDX-License-Identifier: Apache-2.0
"""Counts failed logins and closes the door for a while.  Lives in one API process; a restart forgets.

The table is bounded: the oldest entries make room, so a flood of names costs no memory.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LockoutSettings:
    """``attempts`` failures of one account from one source within ``window_s`` close it for ``lock_s`` seconds."""

    attempts: int = 5
    source_attempts: int = 100
    """The same, for all accounts that one source tries."""
    window_s: float = 900.0
    lock_s: float = 900.0
    max_entries: int = 10_000


@dataclass(slots=True)
class _Failures:
    count: int
    since: float
    locked_until: float = 0.0


class Lockout:
    """Failures by (account, source), so that nobody can lock out a victim from elsewhere.

    :param clock: seconds that only grow
    """

    def __init__(self, settings: LockoutSettings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._table: OrderedDict[bytes, _Failures] = OrderedDict()
        self._lock = threading.Lock()

    def is_locked(self, account: str, source: str) -> bool:
        """Whether *account* may not try from *source* now."""
        now = self._clock()
        with self._lock:
            found = (self._table.get(key) for key, _ in self._keys(account, source))
            return any(entry is not None and entry.locked_until > now for entry in found)

    def failed(self, account: str, source: str) -> None:
        """Count one failure."""
        now = self._clock()
        with self._lock:
            for key, attempts in self._keys(account, source):
                self._count(key, attempts, now)
            while len(self._table) > self._settings.max_entries:
                self._table.popitem(last=False)

    def succeeded(self, account: str, source: str) -> None:
        """Forget the failures of *account* from *source*."""
        with self._lock:
            self._table.pop(_key(account, source), None)

    def __len__(self) -> int:
        return len(self._table)

    def _keys(self, account: str, source: str) -> list[tuple[bytes, int]]:
        keys = [(_key(account, source), self._settings.attempts)]
        if source:
            keys.append((_key("", source), self._settings.source_attempts))
        return keys

    def _count(self, key: bytes, attempts: int, now: float) -> None:
        entry = self._table.get(key)
        if entry is None or now - entry.since > self._settings.window_s:
            entry = self._table[key] = _Failures(count=0, since=now)
        self._table.move_to_end(key)
        entry.count += 1
        if entry.count >= attempts:
            entry.locked_until = now + self._settings.lock_s
            entry.count, entry.since = 0, now


def _key(account: str, source: str) -> bytes:
    text = f"{len(account)}:{account.casefold()}\0{source}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]
