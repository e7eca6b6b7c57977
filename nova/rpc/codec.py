# SPDX-License-Identifier: Apache-2.0
"""Messages as bytes: the envelope, and the arguments and results of each method by their annotations.

JSON only, decoded strictly: a message that does not fit the annotations never reaches an implementation.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Any

import msgspec
import msgspec.inspect

from nova.context import RequestContext
from nova.rpc.failure import Failure
from nova.rpc.interface import Interface, MethodSpec, methods

CONTENT_TYPE = "application/json"
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""What a message may hold: far above the largest honest one, far below what would hurt a daemon."""


class BadMessage(Exception):
    """Bytes that are no message of ours, or arguments that do not fit the method; the text says why."""


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """What is known about a request before its method is looked up."""

    id: str
    method: str
    """``topic.method``"""
    version: str
    context: RequestContext
    args: Any
    """A mapping of arguments by name on the way out; a ``msgspec.Raw`` on the way in."""
    reply_to: str = ""
    deadline: float = 0.0
    """Seconds since the epoch after which nobody waits any more; 0 for never."""
    sent_at: float = 0.0


class _Received(Envelope, frozen=True, gc=False):
    args: msgspec.Raw


class Reply(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The answer to a call: a result, or a failure."""

    id: str
    result: Any = None
    failure: Failure | None = None
    host: str = ""


class _ReceivedReply(Reply, frozen=True, gc=False, omit_defaults=True):
    result: msgspec.Raw = msgspec.Raw(b"null")


_encoder = msgspec.json.Encoder()
_envelopes = msgspec.json.Decoder(_Received)
_replies = msgspec.json.Decoder(_ReceivedReply)

encode: Callable[[Envelope | Reply], bytes] = _encoder.encode
"""An envelope or reply as bytes.  TypeError for a value that has no form on the wire."""


def decode_envelope(body: bytes | memoryview) -> Envelope:
    """The request in *body*; BadMessage when it is none."""
    return typing.cast(Envelope, _decode(_envelopes, body))


def decode_reply(body: bytes | memoryview) -> Reply:
    """The reply in *body*; BadMessage when it is none."""
    return typing.cast(Reply, _decode(_replies, body))


def _decode(decoder: msgspec.json.Decoder[Any], body: bytes | memoryview | msgspec.Raw) -> Any:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, RecursionError, ValueError) as exc:
        raise BadMessage(str(exc)[:500]) from exc


class MethodCodec:
    """The wire form of one method of an interface."""

    def __init__(self, interface: type[Interface], name: str, spec: MethodSpec) -> None:
        self.name = name
        self.wire_name = f"{interface.topic}.{name}"
        self.spec = spec
        self.topic = interface.topic
        self.version = interface.version
        function = getattr(interface, name)
        parameters = list(inspect.signature(function).parameters.values())[1:]
        if not parameters or parameters[0].name != "context":
            raise TypeError(f"{interface.__name__}.{name} must take the request context as its first argument")
        hints = typing.get_type_hints(function)
        self._signature = inspect.Signature(parameters[1:])
        self._required = {each.name for each in parameters[1:] if each.default is each.empty}
        try:
            self._arguments = _decoder(_arguments_type(interface, name, parameters[1:], hints))
            self._result = _decoder(hints.get("return", Any))
        except TypeError as exc:
            raise TypeError(f"{interface.__name__}.{name} cannot be sent: {exc}") from exc

    def arguments(self, positional: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
        """The arguments of one call by name; TypeError as for any Python function when they do not fit."""
        if not positional and named.keys() == self._required:
            return named
        return self._signature.bind(*positional, **named).arguments

    def decode_arguments(self, raw: msgspec.Raw) -> dict[str, Any]:
        """The arguments in a request, checked against the annotations; BadMessage when they do not fit."""
        return msgspec.structs.asdict(_decode(self._arguments, raw))

    def decode_result(self, raw: msgspec.Raw) -> Any:
        """The result in a reply, checked against the annotation; BadMessage when it does not fit."""
        return _decode(self._result, raw)


def _decoder(annotation: Any) -> msgspec.json.Decoder[Any]:
    """A decoder of *annotation*; TypeError when it holds a class that has no form on the wire."""
    _refuse_custom(msgspec.inspect.type_info(annotation), set())
    return msgspec.json.Decoder(annotation)


def _refuse_custom(info: Any, seen: set[int]) -> None:
    if isinstance(info, msgspec.inspect.CustomType):
        raise TypeError(f"{info.cls.__module__}.{info.cls.__qualname__} has no form on the wire")
    if isinstance(info, (list, tuple)):
        for each in info:
            _refuse_custom(each, seen)
    elif isinstance(info, (msgspec.inspect.Type, msgspec.inspect.Field)) and id(info) not in seen:
        seen.add(id(info))
        for name in info.__struct_fields__:
            _refuse_custom(getattr(info, name), seen)


def _arguments_type(
    interface: type[Interface], name: str, parameters: list[inspect.Parameter], hints: dict[str, Any]
) -> type[msgspec.Struct]:
    fields: list[Any] = []
    for each in parameters:
        if each.kind in (each.VAR_KEYWORD, each.VAR_POSITIONAL) or each.name not in hints:
            raise TypeError(f"argument {each.name} must be named and annotated")
        with_default = () if each.default is each.empty else (each.default,)
        fields.append((each.name, hints[each.name], *with_default))
    return msgspec.defstruct(
        f"{interface.__name__}_{name}", fields, kw_only=True, frozen=True, forbid_unknown_fields=True
    )


def codecs(interface: type[Interface]) -> dict[str, MethodCodec]:
    """The wire form of every remote method of *interface*; TypeError names the one that cannot have any."""
    return {name: MethodCodec(interface, name, spec) for name, spec in methods(interface).items()}
