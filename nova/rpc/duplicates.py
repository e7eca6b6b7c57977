# SPDX-License-Identifier: Apache-2.0
"""Which messages this server has seen: a redelivered or twice-sent one is not worked on again.

The memory is bounded.  That is enough: only what was in hand when a connection broke, or was sent again because the
broker's confirmation got lost, comes twice, and it comes soon.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

KEPT_MESSAGES = 2000
KEPT_ANSWER_BYTES = 4096


class Duplicates:
    """The ids of the last messages, and what was answered to them."""

    def __init__(self, limit: int = KEPT_MESSAGES) -> None:
        self._limit = limit
        self._answers: OrderedDict[str, bytes | None] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, message_id: str) -> bool:
        """Note that *message_id* is worked on; False when it was seen before."""
        with self._lock:
            if message_id in self._answers:
                return False
            self._answers[message_id] = None
            if len(self._answers) > self._limit:
                self._answers.popitem(last=False)
            return True

    def answered(self, message_id: str, body: bytes) -> None:
        """Keep the answer, unless it is long, for a caller who asks again because it got lost."""
        if len(body) <= KEPT_ANSWER_BYTES and message_id in self._answers:
            self._answers[message_id] = body

    def answer_to(self, message_id: str) -> bytes | None:
        """What was answered to *message_id*, when that is known."""
        return self._answers.get(message_id)

    def forget(self, message_id: str) -> None:
        """The message was handed back unfinished: the next delivery is a new one."""
        with self._lock:
            self._answers.pop(message_id, None)
