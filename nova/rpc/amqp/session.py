# SPDX-License-Identifier: Apache-2.0
"""One connection to the broker from when it was made until it breaks: its channels, its confirmations, its heartbeat.

Nothing of a session survives it; the transport makes another one.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from nova.errors import Unavailable
from nova.rpc.amqp import frames
from nova.rpc.amqp.connection import CONNECTION_ERRORS, connect
from nova.rpc.amqp.names import REPLY_QUEUE_KEPT_S, Names, declare_poisoned
from nova.rpc.codec import CONTENT_TYPE
from nova.rpc.settings import Broker, TransportSettings
from nova.rpc.transport import Address, Message

LOG = logging.getLogger(__name__)

KEPT_REPLY_ROUTES = 1000


class SessionLost(Exception):
    """The connection broke; what was being sent may or may not have arrived."""


class _Confirmation:
    """A message that the broker has not confirmed yet."""

    __slots__ = ("bell", "message_id", "outcome")

    def __init__(self, message_id: str) -> None:
        self.message_id = message_id
        self.outcome = ""
        self.bell = threading.Event()

    def settle(self, outcome: str) -> None:
        self.outcome = self.outcome or outcome
        self.bell.set()


class Session:
    """See the module.  Made, and read, by the transport's own thread; everything else may be called from any."""

    def __init__(self, settings: TransportSettings, broker: Broker) -> None:
        self.broker = broker
        self.names = Names(settings)
        self.connection = connect(settings, broker)
        self.ended = threading.Event()
        self.began_at = time.monotonic()
        self._tasks: deque[Callable[[], None]] = deque()
        self._unblocked = threading.Event()
        self._unblocked.set()
        self.connection.on_blocked = self._on_blocked
        self.connection.on_unblocked = self._unblocked.set
        self._start_beating()
        self._plain = self.connection.channel()
        self._confirmed = self.connection.channel()
        self._plain_id, self._confirmed_id = self._plain.channel_id, self._confirmed.channel_id
        self._plain.exchange_declare(self.names.exchange, "topic", durable=True, auto_delete=False)
        self._confirmations: dict[int, _Confirmation] = {}
        self._sequence = 0
        self._sequence_lock = threading.Lock()
        self._routes: dict[tuple[Address, bool], bytes] = {}
        self._reply_routes: dict[str, bytes] = {}
        self._reply_properties = frames.properties(CONTENT_TYPE, persistent=False)
        self._start_confirming()

    def _start_confirming(self) -> None:
        self._confirmed.confirm_select()
        self._confirmed.events["basic_ack"].add(lambda tag, multiple: self._settle(tag, "taken", multiple=multiple))
        self._confirmed.events["basic_nack"].add(lambda tag, multiple: self._settle(tag, "refused", multiple=multiple))
        self._confirmed.events["basic_return"].add(self._on_return)

    # The thread that reads

    def take_replies(self, queue: str, deliver: Callable[[bytes], None]) -> None:
        """Have every reply sent to *queue* delivered."""
        arguments = {"x-expires": REPLY_QUEUE_KEPT_S * 1000}
        self._plain.queue_declare(queue, durable=True, auto_delete=False, arguments=arguments)
        self.connection.consumers[queue] = lambda incoming: deliver(incoming.body)
        self._plain.basic_consume(queue, consumer_tag=queue, no_ack=True)

    def read(self) -> None:
        """Handle what the broker sends, and what other threads asked for, until the connection breaks."""
        self._run_tasks()
        self.connection.read_for_ever(self._run_tasks)

    def _run_tasks(self) -> None:
        while self._tasks:
            self._tasks.popleft()()

    def run_soon(self, task: Callable[[], None]) -> None:
        """Have the reading thread run *task*: only it may wait for the broker's answers."""
        self._tasks.append(task)
        self.write(frames.nudge(self._plain_id))

    def delete_queue(self, queue: str) -> None:
        """Have the broker forget *queue*, if it still listens."""
        try:
            self._plain.queue_delete(queue, nowait=True)
        except CONNECTION_ERRORS as exc:
            LOG.debug("Queue %s is left to expire: %s", queue, exc)

    def end(self) -> None:
        """The connection is of no use any more: wake everybody who waits for it."""
        self.ended.set()
        self._unblocked.set()
        for confirmation in list(self._confirmations.values()):
            confirmation.settle("lost")
        try:
            self.connection.collect()
        except CONNECTION_ERRORS as exc:
            LOG.debug("The AMQP connection was closed with %s.", exc)

    def break_off(self) -> None:
        """Wake the reading thread with the end of its connection."""
        try:
            self.connection.sock.shutdown(socket.SHUT_RDWR)
        except (OSError, AttributeError):
            LOG.debug("The AMQP connection was closed already.")

    def _start_beating(self) -> None:
        interval = self.connection.heartbeat
        if interval:
            threading.Thread(target=self._beat, args=(interval,), name="amqp-heartbeat", daemon=True).start()

    def _beat(self, interval: float) -> None:
        while not self.ended.wait(interval / 4):
            now = time.monotonic()
            if now - self.connection.last_read_at > 2 * interval:
                LOG.error("AMQP server on %s has been silent for %d seconds.", self.broker, 2 * interval)
                self.break_off()
                return
            if now - self.connection.last_write_at > interval / 2 and not self.connection.write_lock.locked():
                try:
                    self.connection.send_heartbeat()
                except CONNECTION_ERRORS:
                    return

    # Senders

    def write(self, data: bytes) -> None:
        """Send frames; SessionLost when the connection is broken."""
        if self.ended.is_set():
            raise SessionLost
        try:
            self.connection.write(data)
        except (*CONNECTION_ERRORS, AttributeError) as exc:
            raise SessionLost(str(exc)) from exc

    def publish(self, message: Message, until: float) -> None:
        """Send *message*, confirmed if it asks for that; SessionLost, or Unavailable when it is not taken."""
        if not (self._unblocked.is_set() or self._unblocked.wait(max(0.0, until - time.monotonic()))):
            raise Unavailable("The message broker takes no messages now: it is short of memory or disk.")
        try:
            if message.confirmed:
                self._publish_confirmed(message, until)
            else:
                self.write(self._frames(message))
        except CONNECTION_ERRORS as exc:
            raise SessionLost(str(exc)) from exc

    def _publish_confirmed(self, message: Message, until: float) -> None:
        data = self._frames(message)
        confirmation = _Confirmation(message.id)
        with self._sequence_lock:
            self._sequence += 1
            sequence = self._sequence
            self._confirmations[sequence] = confirmation
            self.write(data)
        confirmation.bell.wait(max(0.0, until - time.monotonic()))
        self._confirmations.pop(sequence, None)
        if confirmation.outcome == "lost":
            raise SessionLost
        if confirmation.outcome == "unroutable":
            self._routes.pop((message.address, True), None)
            raise SessionLost(f"queue {message.address} was deleted")
        if confirmation.outcome != "taken":
            reason = "refused the message" if confirmation.outcome else "did not confirm the message in time"
            raise Unavailable(f"The message broker {reason}.", detail=f"message {message.id} to {message.address}")

    def reply_frames(self, reply_to: str, body: bytes) -> bytes:
        """The frames of a reply."""
        channel = self._plain_id
        method = self._reply_routes.get(reply_to)
        if method is None:
            if len(self._reply_routes) >= KEPT_REPLY_ROUTES:
                self._reply_routes.clear()
            method = self._reply_routes[reply_to] = frames.publish_method(channel, "", reply_to)
        return frames.message(method, channel, self._reply_properties, body, frame_max=self.connection.frame_max)

    def set_aside(self, queue: str, head: bytes, body: bytes) -> None:
        """Move what *queue*'s consumers could not read to its queue of poisoned messages."""
        channel = self._plain_id
        try:
            name = declare_poisoned(self._plain, queue)
        except CONNECTION_ERRORS as exc:
            raise SessionLost(str(exc)) from exc
        method = frames.publish_method(channel, "", name)
        self.write(frames.message(method, channel, head, body, frame_max=self.connection.frame_max))

    def _frames(self, message: Message) -> bytes:
        channel = self._confirmed_id if message.confirmed else self._plain_id
        method = self._routes.get((message.address, message.confirmed)) or self._route(message, channel)
        head = frames.properties(
            CONTENT_TYPE,
            persistent=message.confirmed and not message.address.fanout,
            expires_ms=int(message.expires_s * 1000),
            message_id=message.id,
        )
        return frames.message(method, channel, head, message.body, frame_max=self.connection.frame_max)

    def _route(self, message: Message, channel: int) -> bytes:
        """Declare where *message* goes, so that it waits there for a server that has never run yet."""
        exchange, routing_key = self.names.route(message.address)
        self.names.declare(self._confirmed if message.confirmed else self._plain, message.address, nowait=True)
        mandatory = message.confirmed and not message.address.fanout
        method = frames.publish_method(channel, exchange, routing_key, mandatory=mandatory)
        self._routes[message.address, message.confirmed] = method
        return method

    def _settle(self, tag: int, outcome: str, *, multiple: bool) -> None:
        tags = [each for each in list(self._confirmations) if each <= tag] if multiple else [tag]
        for each in tags:
            confirmation = self._confirmations.pop(each, None)
            if confirmation is not None:
                confirmation.settle(outcome)

    def _on_return(self, error: Exception, exchange: str, routing_key: str, returned: Any) -> None:
        for confirmation in list(self._confirmations.values()):
            if confirmation.message_id == returned.properties.get("message_id"):
                confirmation.outcome = "unroutable"

    def _on_blocked(self, reason: str) -> None:
        LOG.warning("AMQP server on %s takes no messages now: it is short of memory or disk.", self.broker)
        self._unblocked.clear()
