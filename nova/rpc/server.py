# SPDX-License-Identifier: Apache-2.0
"""The serving side: takes messages of its topics, runs the implementation, answers.

A message is acknowledged when its handler returned or failed, or as soon as the handler says, with
:func:`acknowledge`, that its work is recorded.  When the process dies before that, the broker gives the message to the
next server.  What cannot be read is set aside once, with one line in the log.
"""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from nova.errors import InternalError, NotSupported, NovaError
from nova.rpc.codec import CONTENT_TYPE, BadMessage, Envelope, Reply, decode_envelope, encode
from nova.rpc.dispatch import Dispatch, Route
from nova.rpc.duplicates import Duplicates
from nova.rpc.failure import describe
from nova.rpc.interface import Interface
from nova.rpc.transport import Address, Consumer, Delivery, Transport
from nova.rpc.workers import Workers
from nova.telemetry.logging import bind

LOG = logging.getLogger(__name__)

Observe = Callable[[str, float, bool], None]
"""Told about each handled message: ``topic.method``, seconds, whether it succeeded."""

_in_hand: contextvars.ContextVar[Delivery | None] = contextvars.ContextVar("nova_rpc_in_hand", default=None)


def acknowledge() -> None:
    """Say that the work of the message being handled is recorded: a crash from now on does not bring it back.

    Does nothing outside a handler, so that operations need not know who called them.
    """
    delivery = _in_hand.get()
    if delivery is not None:
        delivery.acknowledge()


class Server:
    """All interfaces that one daemon serves on one host."""

    def __init__(
        self,
        transport: Transport,
        *,
        host: str,
        threads: int = 64,
        max_message_bytes: int = 16 * 1024 * 1024,
        observe: Observe | None = None,
    ) -> None:
        self._transport = transport
        self._host = host
        self._threads = threads
        self._max_message_bytes = max_message_bytes
        self._observe = observe
        self._dispatch = Dispatch()
        self._duplicates = Duplicates()
        self._workers = Workers(threads, name=f"rpc-{host}")
        self._consumer: Consumer | None = None
        self._stopping = threading.Event()

    def serve(self, interface: type[Interface], implementation: object) -> None:
        """Answer *interface* with the methods of *implementation*; TypeError names every one that does not fit."""
        self._dispatch.add(interface, implementation)

    def start(self) -> None:
        """Begin to take messages: of each topic, of this host's own queue, and of the fanout."""
        addresses = []
        for topic in self._dispatch.topics():
            addresses += [Address(topic), Address(topic, self._host), Address(topic, fanout=True)]
        self._consumer = self._transport.consume(addresses, self._receive, prefetch=self._threads)

    def stop(self, grace_s: float = 60.0) -> None:
        """Take no more messages, let what runs finish for *grace_s* seconds, hand back what is left."""
        self._stopping.set()
        if self._consumer is None:
            return
        self._consumer.cancel()
        if not self._workers.wait_idle(grace_s):
            LOG.warning("Messages are handed back unfinished after %s s of grace.", grace_s)
        self._consumer.close()
        self._consumer = None

    def _receive(self, delivery: Delivery) -> None:
        self._workers.submit(self._handle, delivery)

    def _handle(self, delivery: Delivery) -> None:
        """Everything that happens to one message, in a thread of its own."""
        if self._stopping.is_set():
            delivery.hand_back()
            return
        try:
            envelope = self._open(delivery)
        except BadMessage as exc:
            self._set_aside(delivery, str(exc))
            return
        with bind(envelope.context):
            if envelope.deadline and envelope.deadline < time.time():
                late_s = time.time() - envelope.deadline
                LOG.warning(
                    "Message %s (%s) came %.1f s after its caller gave up.", envelope.id, envelope.method, late_s
                )
                delivery.acknowledge()
            elif not self._duplicates.begin(envelope.id):
                self._repeat(delivery, envelope)
            else:
                self._work(delivery, envelope)

    def _open(self, delivery: Delivery) -> Envelope:
        if delivery.content_type != CONTENT_TYPE:
            raise BadMessage(f"content type {delivery.content_type[:100]!r} is not {CONTENT_TYPE}")
        if delivery.size > self._max_message_bytes:
            raise BadMessage(f"{delivery.size} bytes are more than {self._max_message_bytes}")
        return decode_envelope(delivery.body)

    def _set_aside(self, delivery: Delivery, reason: str) -> None:
        LOG.error("Message %s from queue %s is set aside: %s", delivery.message_id, delivery.queue, reason)
        delivery.set_aside(reason)

    def _repeat(self, delivery: Delivery, envelope: Envelope) -> None:
        LOG.info("Message %s (%s) came again and is not worked on twice.", envelope.id, envelope.method)
        answer = self._duplicates.answer_to(envelope.id)
        if answer is not None and envelope.reply_to:
            delivery.answer(envelope.reply_to, answer, within_s=_left(envelope))
        else:
            delivery.acknowledge()

    def _work(self, delivery: Delivery, envelope: Envelope) -> None:
        try:
            route = self._dispatch.route(envelope.method, envelope.version)
            arguments = route.codec.decode_arguments(envelope.args)
        except (BadMessage, NotSupported) as exc:
            self._refuse(delivery, envelope, exc)
            return
        token = _in_hand.set(delivery)
        began = time.monotonic()
        succeeded = False
        try:
            reply = self._run(route, envelope, arguments)
            succeeded = reply.failure is None
            self._finish(delivery, envelope, reply)
        except BaseException:
            self._duplicates.forget(envelope.id)
            delivery.hand_back()
            raise
        finally:
            _in_hand.reset(token)
            if self._observe is not None:
                self._observe(route.codec.wire_name, time.monotonic() - began, succeeded)

    def _refuse(self, delivery: Delivery, envelope: Envelope, error: Exception) -> None:
        """Set aside a request that is ours but does not fit, and tell its caller at once."""
        self._set_aside(delivery, f"{envelope.method}: {error}")
        if envelope.reply_to:
            shown = error if isinstance(error, NovaError) else InternalError(detail=f"{envelope.method}: {error}")
            body = encode(Reply(envelope.id, failure=describe(shown), host=self._host))
            delivery.answer(envelope.reply_to, body, within_s=_left(envelope))

    def _run(self, route: Route, envelope: Envelope, arguments: dict[str, Any]) -> Reply:
        try:
            return Reply(envelope.id, route.function(envelope.context, **arguments), host=self._host)
        except NovaError as exc:
            level = logging.INFO if envelope.reply_to else logging.ERROR
            LOG.log(level, "%s failed: %s: %s", envelope.method, type(exc).__name__, exc)
            return Reply(envelope.id, failure=describe(exc), host=self._host)
        except Exception as exc:
            LOG.exception("%s failed unexpectedly", envelope.method)
            return Reply(envelope.id, failure=describe(exc), host=self._host)

    def _finish(self, delivery: Delivery, envelope: Envelope, reply: Reply) -> None:
        if not envelope.reply_to:
            delivery.acknowledge()
            return
        body = self._encoded(reply, envelope.method)
        self._duplicates.answered(envelope.id, body)
        delivery.answer(envelope.reply_to, body, within_s=_left(envelope))

    def _encoded(self, reply: Reply, method: str) -> bytes:
        try:
            body = encode(reply)
            problem = f"{len(body)} bytes are too many" if len(body) > self._max_message_bytes else ""
        except (TypeError, ValueError, RecursionError) as exc:
            problem = str(exc)
        if not problem:
            return body
        LOG.error("The result of %s cannot be sent: %s", method, problem)
        unsendable = InternalError(detail=f"the result of {method} cannot be sent: {problem}")
        return encode(Reply(reply.id, failure=describe(unsendable), host=self._host))


def _left(envelope: Envelope) -> float:
    return max(0.0, envelope.deadline - time.time())
