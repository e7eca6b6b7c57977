# SPDX-License-Identifier: Apache-2.0
"""A bounded memory of keys and of when each was last noted.  Lives in nova-compute."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator


class LastSeen:
    """The *limit* keys that were noted last."""

    def __init__(self, limit: int, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._monotonic = monotonic
        self._moments: OrderedDict[str, float] = OrderedDict()

    def note(self, key: str) -> None:
        """Remember *key* with the time of now, and forget the oldest one when there are too many."""
        self._moments.pop(key, None)
        self._moments[key] = self._monotonic()
        if len(self._moments) > self._limit:
            self._moments.popitem(last=False)

    def forget(self, key: str) -> None:
        """Do not remember *key* any more."""
        self._moments.pop(key, None)

    def __contains__(self, key: str) -> bool:
        return key in self._moments

    def items(self) -> Iterator[tuple[str, float]]:
        """All keys with the moment (of the monotonic clock) at which each was last noted."""
        return iter(list(self._moments.items()))
