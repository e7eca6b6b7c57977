# SPDX-License-Identifier: Apache-2.0
"""The transport of a cloud in one process: queues in memory, nothing polled, every message still encoded to bytes.

Several transports may share one :class:`MemoryBroker`, as daemons share a real one.  A message goes to its consumer in
the sender's own thread; a message without a consumer stays in its queue until one comes or the process ends.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from nova.errors import TooLarge, Unavailable
from nova.rpc.calls import Calls
from nova.rpc.codec import CONTENT_TYPE
from nova.rpc.settings import TransportSettings
from nova.rpc.transport import POISONED, POISONED_MAX_BYTES, POISONED_MAX_MESSAGES, Address, Delivery, Message

LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class StoredMessage:
    """A message in a queue."""

    id: str
    body: bytes
    content_type: str = CONTENT_TYPE
    expires_at: float = 0.0


@dataclass(slots=True)
class _Queue:
    name: str
    messages: deque[StoredMessage] = field(default_factory=deque)
    consumers: deque[MemoryConsumer] = field(default_factory=deque)


class MemoryBroker:
    """The queues; the lock is held for bookkeeping only, never while a message is handled."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._queues: dict[str, _Queue] = {}
        self._listeners: dict[str, list[_Queue]] = {}
        self.reply_queues: dict[str, Callable[[bytes], None]] = {}

    def queue(self, name: str) -> _Queue:
        """The queue called *name*, made when it is not there."""
        with self.lock:
            return self._queues.setdefault(name, _Queue(name))

    def listen(self, topic: str, queue: _Queue) -> None:
        """Add *queue* to those that get what is fanned out to *topic*."""
        with self.lock:
            self._listeners.setdefault(topic, []).append(queue)

    def leave(self, queue: _Queue) -> None:
        """Take *queue* from every fanout."""
        with self.lock:
            for queues in self._listeners.values():
                if queue in queues:
                    queues.remove(queue)

    def put(self, address: Address, stored: StoredMessage) -> None:
        """Route one message."""
        with self.lock:
            queues = list(self._listeners.get(address.topic, ())) if address.fanout else [self.queue(address.queue)]
            for queue in queues:
                queue.messages.append(stored)
        for queue in queues:
            self.feed(queue)

    def feed(self, queue: _Queue) -> None:
        """Hand out what waits in *queue*, in turn, to the consumers that may take more."""
        while True:
            with self.lock:
                consumer = _ready_consumer(queue) if queue.messages else None
                if consumer is None:
                    return
                stored = queue.messages.popleft()
                if stored.expires_at and stored.expires_at < time.monotonic():
                    continue
                delivery = consumer.take(queue, stored)
            consumer.deliver(delivery)

    def drain(self, queue: str) -> list[bytes]:
        """Take out everything that waits in *queue*, oldest first."""
        with self.lock:
            messages = self.queue(queue).messages
            bodies = [each.body for each in messages]
            messages.clear()
            return bodies


def _ready_consumer(queue: _Queue) -> MemoryConsumer | None:
    for _ in range(len(queue.consumers)):
        queue.consumers.rotate(-1)
        if queue.consumers[0].has_room():
            return queue.consumers[0]
    return None


class MemoryDelivery:
    """A message in a consumer's hand."""

    __slots__ = ("_consumer", "_queue", "_stored", "body", "content_type", "message_id", "queue", "size")

    def __init__(self, consumer: MemoryConsumer, queue: _Queue, stored: StoredMessage) -> None:
        self._consumer = consumer
        self._queue = queue
        self._stored = stored
        self.body = stored.body
        self.size = len(stored.body)
        self.content_type = stored.content_type
        self.message_id = stored.id
        self.queue = queue.name

    def acknowledge(self) -> None:
        """See Delivery."""
        if self._consumer.drop(self):
            self._consumer.feed()

    def hand_back(self) -> None:
        """See Delivery."""
        broker = self._consumer.broker
        with broker.lock:
            if not self._consumer.drop(self):
                return
            self._queue.messages.appendleft(self._stored)
        broker.feed(self._queue)

    def set_aside(self, reason: str) -> None:
        """See Delivery."""
        broker = self._consumer.broker
        with broker.lock:
            kept = broker.queue(self.queue + POISONED).messages
            kept.append(StoredMessage(self.message_id, self._stored.body[:POISONED_MAX_BYTES], self.content_type))
            while len(kept) > POISONED_MAX_MESSAGES:
                kept.popleft()
        self.acknowledge()

    def answer(self, reply_to: str, body: bytes, *, within_s: float) -> None:
        """See Delivery."""
        deliver = self._consumer.broker.reply_queues.get(reply_to)
        if deliver is None:
            LOG.info("Nobody waits for the reply to message %s any more.", self.message_id)
        else:
            deliver(body)
        self.acknowledge()


class MemoryConsumer:
    """One server's subscription."""

    def __init__(self, broker: MemoryBroker, deliver: Callable[[Delivery], None], prefetch: int) -> None:
        self.broker = broker
        self.deliver = deliver
        self._prefetch = prefetch
        self._in_hand: set[MemoryDelivery] = set()
        self._queues: list[_Queue] = []

    def subscribe(self, queue: _Queue) -> None:
        """Take messages from *queue* too."""
        with self.broker.lock:
            self._queues.append(queue)
            queue.consumers.append(self)

    def has_room(self) -> bool:
        """Whether another message may be in hand."""
        return len(self._in_hand) < self._prefetch

    def take(self, queue: _Queue, stored: StoredMessage) -> MemoryDelivery:
        """Put a message in hand."""
        delivery = MemoryDelivery(self, queue, stored)
        self._in_hand.add(delivery)
        return delivery

    def drop(self, delivery: MemoryDelivery) -> bool:
        """Take a message out of the hand; False when it was not there."""
        with self.broker.lock:
            if delivery not in self._in_hand:
                return False
            self._in_hand.discard(delivery)
            return True

    def feed(self) -> None:
        """Ask for what waits, now that there is room."""
        for queue in self._queues:
            if queue.messages:
                self.broker.feed(queue)

    def cancel(self) -> None:
        """See Consumer."""
        with self.broker.lock:
            for queue in self._queues:
                if self in queue.consumers:
                    queue.consumers.remove(self)
                self.broker.leave(queue)

    def close(self) -> None:
        """See Consumer."""
        self.cancel()
        for delivery in list(self._in_hand):
            delivery.hand_back()


class MemoryTransport:
    """One process's way to a broker in memory."""

    def __init__(self, settings: TransportSettings, broker: MemoryBroker | None = None) -> None:
        self.broker = broker or MemoryBroker()
        self.calls = Calls()
        self.reply_address = f"reply_{self.calls.new_id()}"
        self._settings = settings
        self._closed = False
        self.consumers: list[MemoryConsumer] = []
        self.broker.reply_queues[self.reply_address] = self.calls.deliver

    def publish(self, message: Message, *, within_s: float) -> None:
        """See Transport."""
        if self._closed:
            raise Unavailable("The message transport is closed.")
        if len(message.body) > self._settings.max_message_bytes:
            raise TooLarge(f"A message of {len(message.body)} bytes is too large to be sent.")
        expires_at = time.monotonic() + message.expires_s if message.expires_s else 0.0
        self.broker.put(message.address, StoredMessage(message.id, message.body, expires_at=expires_at))

    def consume(
        self, addresses: list[Address], deliver: Callable[[Delivery], None], *, prefetch: int
    ) -> MemoryConsumer:
        """See Transport."""
        consumer = MemoryConsumer(self.broker, deliver, prefetch)
        for address in addresses:
            if address.fanout:
                own = _Queue(f"{address.topic}_fanout")
                self.broker.listen(address.topic, own)
                consumer.subscribe(own)
            else:
                consumer.subscribe(self.broker.queue(address.queue))
        self.consumers.append(consumer)
        consumer.feed()
        return consumer

    def watch(self, note: Callable[[], None]) -> None:
        """See Transport.  Memory is never away."""

    def close(self) -> None:
        """See Transport."""
        self._closed = True
        self.broker.reply_queues.pop(self.reply_address, None)
