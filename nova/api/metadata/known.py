# SPDX-License-Identifier: Apache-2.0
"""What was read a moment ago: a boot script asks for thirty small pieces, one request for each.

The table is bounded, and lives in one process.  Nobody relies on it for who is who: the caller looks that up each time,
and an entry for another instance than the one that holds the address now counts as none.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from nova.domain.guest_metadata.facts import Facts

MAX_ENTRIES = 1024


class Known:
    """Facts by address.

    :param keep_s: how long an entry is good; 0 keeps nothing
    :param clock: seconds that only grow
    """

    def __init__(
        self, keep_s: float, *, max_entries: int = MAX_ENTRIES, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._keep_s = keep_s
        self._max_entries = max_entries
        self._clock = clock
        self._table: OrderedDict[str, tuple[float, Facts]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, address: str, uuid: str) -> Facts | None:
        """What is known of the instance *uuid* at *address*."""
        with self._lock:
            until, facts = self._table.get(address, (0.0, None))
            if facts is None or facts.instance.uuid != uuid or until <= self._clock():
                self._table.pop(address, None)
                return None
            return facts

    def keep(self, address: str, facts: Facts) -> None:
        """Remember *facts*; the oldest entries make room."""
        if self._keep_s <= 0:
            return
        with self._lock:
            self._table.pop(address, None)
            self._table[address] = (self._clock() + self._keep_s, facts)
            while len(self._table) > self._max_entries:
                self._table.popitem(last=False)

    def __len__(self) -> int:
        return len(self._table)
