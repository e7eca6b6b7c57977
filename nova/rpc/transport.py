# SPDX-License-Identifier: Apache-2.0
"""What carries messages: the protocol that clients and servers use.  ``nova.rpc.connecting`` chooses who speaks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from nova.rpc.calls import Calls

POISONED = ".poisoned"
"""The ending of the queue that keeps what a queue's consumers could not read."""
POISONED_MAX_MESSAGES = 1000
POISONED_MAX_BYTES = 64 * 1024
"""How much of each message that was set aside is kept."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message goes: to any server of a topic, to the one on a host, or to all that run now."""

    topic: str
    host: str = ""
    fanout: bool = False

    @property
    def queue(self) -> str:
        """The durable queue of this address (fanout has none)."""
        return f"{self.topic}.{self.host}" if self.host else self.topic

    def __str__(self) -> str:
        return f"{self.topic}_fanout" if self.fanout else self.queue


@dataclass(frozen=True, slots=True)
class Message:
    """A request on its way out."""

    id: str
    address: Address
    body: bytes
    expires_s: float = 0.0
    """The broker drops the message when it was not taken in that time; 0 keeps it."""
    confirmed: bool = True
    """Wait until the broker has taken responsibility.  A call does not: its reply says more."""


class Delivery(Protocol):
    """A message that a consumer has in hand, until one of its methods was called; later calls do nothing."""

    body: bytes
    """The whole message, or only its head when it is larger than the transport keeps."""
    size: int
    content_type: str
    message_id: str
    queue: str

    def acknowledge(self) -> None:
        """The work is done, or recorded where a crash cannot lose it."""
        ...

    def hand_back(self) -> None:
        """Somebody else shall do it: back to the queue."""
        ...

    def set_aside(self, reason: str) -> None:
        """Nobody can do it: move the message (its head, when it is long) to the bounded queue ``<queue>.poisoned``."""
        ...

    def answer(self, reply_to: str, body: bytes, *, within_s: float) -> None:
        """Send a reply and acknowledge.  A reply that cannot be sent in *within_s* is logged and dropped."""
        ...


class Consumer(Protocol):
    """A subscription of one server."""

    def cancel(self) -> None:
        """Take no more messages; those in hand stay in hand."""
        ...

    def close(self) -> None:
        """Hand back everything that is still in hand."""
        ...


class Transport(Protocol):
    """A way to the broker.  Safe for any number of threads; one for each process."""

    calls: Calls
    reply_address: str

    def publish(self, message: Message, *, within_s: float) -> None:
        """Hand *message* to the broker.  Unavailable when the broker could not be reached in *within_s*."""
        ...

    def consume(self, addresses: list[Address], deliver: Callable[[Delivery], None], *, prefetch: int) -> Consumer:
        """Take messages for *addresses*, at most *prefetch* in hand at once; survives the broker's restarts.

        *deliver* must not wait.
        """
        ...

    def watch(self, note: Callable[[], None]) -> None:
        """Call *note* while the broker is away, each time that this is noticed, and once when it is back."""
        ...

    def close(self) -> None:
        """Let go of the broker; nothing can be sent afterwards."""
        ...
