# SPDX-License-Identifier: Apache-2.0
"""The caller's side: an object of an interface's class whose methods send messages."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable
from typing import Any, ClassVar, Self, TypeVar, cast

from nova.context import RequestContext
from nova.errors import InternalError, Timeout
from nova.rpc.codec import BadMessage, Envelope, MethodCodec, Reply, codecs, encode
from nova.rpc.failure import rebuild
from nova.rpc.interface import Interface, Kind
from nova.rpc.transport import Address, Message, Transport

I = TypeVar("I", bound=Interface)  # noqa: E741

PUBLISH_TIMEOUT_S = 15.0
"""How long a sender waits for a broker that is away, unless the client was made with another value."""


class _Client:
    """What every client holds."""

    topic: ClassVar[str]

    def __init__(self, transport: Transport, host: str, publish_timeout_s: float) -> None:
        self._transport = transport
        self._host = host
        self._address = Address(self.topic, host)
        self._publish_timeout_s = publish_timeout_s

    def on(self, host: str) -> Self:
        """The same client, speaking with the server on *host* only."""
        return type(self)(self._transport, host, self._publish_timeout_s)


def client_for(interface: type[I], transport: Transport, *, publish_timeout_s: float = PUBLISH_TIMEOUT_S) -> I:
    """A client of *interface*.

    Its calls raise what the server raised (a kind of ``nova.errors``), Timeout when no answer came in time, and every
    method raises Unavailable when the broker could not be reached within *publish_timeout_s*.
    """
    return cast(I, _client_class(interface)(transport, "", publish_timeout_s))


def _client_class(interface: type[Interface]) -> type[_Client]:
    senders = {name: _sender(interface, codec) for name, codec in codecs(interface).items()}
    return type(interface.__name__, (_Client, interface), senders)


def _sender(interface: type[Interface], codec: MethodCodec) -> Callable[..., Any]:
    send = {Kind.CALL: _call, Kind.CAST: _cast, Kind.FANOUT: _fanout}[codec.spec.kind]

    @functools.wraps(getattr(interface, codec.name))
    def method(self: _Client, context: RequestContext, *args: Any, **kwargs: Any) -> Any:
        carried = context if interface.carries_token else _without_token(context)
        return send(self, codec, carried, codec.arguments(args, kwargs))

    return method


def _without_token(context: RequestContext) -> RequestContext:
    return context if context.auth_token is None else dataclasses.replace(context, auth_token=None)


def _cast(client: _Client, codec: MethodCodec, context: RequestContext, arguments: dict[str, Any]) -> None:
    _send_and_go(client, codec, context, arguments, to=client._address)


def _fanout(client: _Client, codec: MethodCodec, context: RequestContext, arguments: dict[str, Any]) -> None:
    if client._host:
        raise TypeError(f"{codec.wire_name} goes to every host, not to {client._host} alone")
    _send_and_go(client, codec, context, arguments, to=Address(codec.topic, fanout=True))


def _send_and_go(
    client: _Client, codec: MethodCodec, context: RequestContext, arguments: dict[str, Any], *, to: Address
) -> None:
    message_id = client._transport.calls.new_id()
    body = encode(Envelope(message_id, codec.wire_name, codec.version, context, arguments, sent_at=time.time()))
    client._transport.publish(Message(message_id, to, body), within_s=client._publish_timeout_s)


def _call(client: _Client, codec: MethodCodec, context: RequestContext, arguments: dict[str, Any]) -> Any:
    transport, timeout_s, now = client._transport, codec.spec.timeout_s, time.time()
    address = client._address
    message_id = transport.calls.new_id()
    body = encode(
        Envelope(
            message_id,
            codec.wire_name,
            codec.version,
            context,
            arguments,
            reply_to=transport.reply_address,
            deadline=now + timeout_s,
            sent_at=now,
        )
    )
    reply = _exchange(client, Message(message_id, address, body, timeout_s, confirmed=False))
    if reply is None:
        raise Timeout(
            f"{codec.wire_name} was not answered in {timeout_s:g} s.",
            detail=f"no reply from {address} to message {message_id}; is a server of it running?",
            topic=codec.topic,
            host=client._host,
            method=codec.name,
        )
    return _outcome(codec, reply)


def _exchange(client: _Client, message: Message) -> Reply | None:
    """Send a request and wait for its reply; sent again when the broker may have lost it, None when time is up."""
    transport = client._transport
    until = time.monotonic() + message.expires_s
    waiter = transport.calls.open(message.id)
    left = message.expires_s
    try:
        while waiter.reply is None and left > 0:
            transport.publish(message, within_s=min(left, client._publish_timeout_s))
            waiter.wait(until - time.monotonic())
            left = until - time.monotonic()
        return waiter.reply
    finally:
        transport.calls.close(message.id)


def _outcome(codec: MethodCodec, reply: Reply) -> Any:
    where = f"{codec.wire_name} on {reply.host}"
    if reply.failure is not None:
        raise rebuild(reply.failure, where=where)
    try:
        return codec.decode_result(reply.result)
    except BadMessage as exc:
        raise InternalError(detail=f"the result of {where} is not what the interface says: {exc}") from exc
