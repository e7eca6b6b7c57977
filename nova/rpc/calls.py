# SPDX-License-Identifier: Apache-2.0
"""The calls of this process that wait for an answer, by message id: from the one reply queue back to each caller."""

from __future__ import annotations

import itertools
import logging
import secrets
import threading

from nova.rpc.codec import BadMessage, Reply, decode_reply

LOG = logging.getLogger(__name__)


class Waiter:
    """One caller's place to wait; it may be woken with an answer, or without one to send its request again."""

    __slots__ = ("_bell", "reply")

    def __init__(self) -> None:
        self.reply: Reply | None = None
        self._bell = threading.Lock()
        self._bell.acquire()

    def wake(self) -> None:
        """Let the waiting caller go on; waking it twice before it ran is the same as once."""
        try:
            self._bell.release()
        except RuntimeError:
            return

    def wait(self, timeout_s: float) -> bool:
        """Wait to be woken; False when *timeout_s* passed first."""
        return self._bell.acquire(timeout=timeout_s) if timeout_s > 0 else False


class Calls:
    """Who waits for which reply.  Safe for any number of threads."""

    def __init__(self) -> None:
        self._waiting: dict[str, Waiter] = {}
        self._prefix = secrets.token_hex(8)
        self._numbers = itertools.count()

    def new_id(self) -> str:
        """A message id that no other process or call has."""
        return f"{self._prefix}-{next(self._numbers)}"

    def open(self, message_id: str) -> Waiter:
        """A place to wait for the reply to *message_id*; must be closed."""
        waiter = self._waiting[message_id] = Waiter()
        return waiter

    def close(self, message_id: str) -> None:
        """Nobody waits for *message_id* any more."""
        self._waiting.pop(message_id, None)

    def deliver(self, body: bytes | memoryview) -> None:
        """Hand a reply to its caller; one that nobody waits for (it came too late, or twice) is dropped."""
        try:
            reply = decode_reply(body)
        except BadMessage as exc:
            LOG.error("A reply that cannot be read was dropped: %s", exc)
            return
        waiter = self._waiting.get(reply.id)
        if waiter is None:
            LOG.debug("The reply to message %s came when nobody waited for it any more.", reply.id)
            return
        waiter.reply = reply
        waiter.wake()

    def send_again(self) -> None:
        """Wake every caller without an answer: the broker may have lost the requests, so each is sent once more."""
        for waiter in list(self._waiting.values()):
            waiter.wake()
