# SPDX-License-Identifier: Apache-2.0
"""A server's subscription on RabbitMQ; it subscribes again with each new session."""

from __future__ import annotations

import functools
import logging
import threading
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nova.rpc.amqp import frames
from nova.rpc.amqp.connection import CONNECTION_ERRORS
from nova.rpc.amqp.session import Session, SessionLost
from nova.rpc.transport import POISONED_MAX_BYTES, Address, Delivery

if TYPE_CHECKING:
    from nova.rpc.amqp.transport import AmqpTransport

LOG = logging.getLogger(__name__)

CHANNEL_CLOSE_TIMEOUT_S = 5.0


class AmqpDelivery:
    """A message in hand.  When its session is lost, the broker gives the message out again by itself."""

    __slots__ = ("_consumer", "_incoming", "_session", "body", "content_type", "message_id", "queue", "size")

    def __init__(self, consumer: AmqpConsumer, session: Session, queue: str, incoming: frames.Incoming) -> None:
        self._consumer = consumer
        self._session = session
        self._incoming = incoming
        self.body = incoming.body
        self.size = incoming.size
        self.content_type, self.message_id = frames.content_type_and_id(incoming.header)
        self.queue = queue

    def acknowledge(self) -> None:
        """See Delivery."""
        if self._consumer.drop(self):
            self._settle(frames.acknowledgement)

    def hand_back(self) -> None:
        """See Delivery."""
        if self._consumer.drop(self):
            self._settle(frames.hand_back)

    def _settle(self, frame: Callable[[int, int], bytes]) -> None:
        try:
            self._session.write(frame(self._consumer.channel_id, self._incoming.delivery_tag))
        except SessionLost:
            LOG.debug("Message %s comes again: its session was lost.", self.message_id)

    def set_aside(self, reason: str) -> None:
        """See Delivery."""
        headers = {"reason": reason[:1000], "size": str(self.size)}
        head = frames.properties(self.content_type, persistent=True, message_id=self.message_id, headers=headers)
        try:
            self._session.set_aside(self.queue, head, self.body[:POISONED_MAX_BYTES])
        except SessionLost:
            return
        self.acknowledge()

    def answer(self, reply_to: str, body: bytes, *, within_s: float) -> None:
        """See Delivery."""
        try:
            data = self._session.reply_frames(reply_to, body)
            if self._consumer.drop(self):
                data += frames.acknowledgement(self._consumer.channel_id, self._incoming.delivery_tag)
            self._session.write(data)
        except SessionLost:
            self._consumer.transport.reply(reply_to, body, within_s=within_s)


class AmqpConsumer:
    """See Consumer."""

    def __init__(
        self, transport: AmqpTransport, addresses: list[Address], deliver: Callable[[Delivery], None], *, prefetch: int
    ) -> None:
        self.transport = transport
        self.channel: Any = None
        self.channel_id = 0
        self.attached = threading.Event()
        self._addresses = addresses
        self._deliver = deliver
        self._prefetch = prefetch
        self._session: Session | None = None
        self._tags: list[str] = []
        self._in_hand: set[AmqpDelivery] = set()

    def attach(self, session: Session) -> None:
        """Subscribe with *session*; called by the thread that reads it."""
        self._in_hand = set()
        self._tags = []
        self._session = session
        self.channel = session.connection.channel()
        self.channel_id = self.channel.channel_id
        self.channel.basic_qos(0, self._prefetch, False)
        for address in self._addresses:
            session.names.declare(self.channel, address, nowait=False)
            if address.fanout:
                queue = self._fanout_queue(session.names.fanout_exchange(address))
            else:
                queue = session.names.queue(address)
            self._subscribe(session, queue)
        self.attached.set()

    def _fanout_queue(self, exchange: str) -> str:
        queue = f"{exchange}_{uuid.uuid4().hex}"
        self.channel.queue_declare(queue, durable=False, exclusive=True, auto_delete=True)
        self.channel.queue_bind(queue, exchange)
        return queue

    def _subscribe(self, session: Session, queue: str) -> None:
        tag = f"{self.channel_id}-{queue}"
        session.connection.consumers[tag] = functools.partial(self._receive, session, queue)
        self._tags.append(tag)
        self.channel.basic_consume(queue, consumer_tag=tag)

    def _receive(self, session: Session, queue: str, incoming: frames.Incoming) -> None:
        delivery = AmqpDelivery(self, session, queue, incoming)
        self._in_hand.add(delivery)
        self._deliver(delivery)

    def drop(self, delivery: AmqpDelivery) -> bool:
        """Take a message out of the hand; False when it was settled before, or its session was lost."""
        try:
            self._in_hand.remove(delivery)
        except KeyError:
            return False
        return True

    def cancel(self) -> None:
        """See Consumer."""
        self.transport.forget(self)
        try:
            for tag in self._tags:
                self.channel.basic_cancel(tag, nowait=True)
        except CONNECTION_ERRORS:
            LOG.debug("There is no subscription to cancel: the connection is lost.")

    def close(self) -> None:
        """See Consumer."""
        self.cancel()
        for delivery in list(self._in_hand):
            delivery.hand_back()
        session, closed = self._session, threading.Event()
        if session is None or session.ended.is_set():
            return

        def close_channel() -> None:
            self.channel.close()
            closed.set()

        try:
            session.run_soon(close_channel)
        except SessionLost:
            return
        closed.wait(CHANNEL_CLOSE_TIMEOUT_S)
