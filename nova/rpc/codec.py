# SPDX-License-Identifier: Apache-2.0
"""Messages as bytes: the envelope, and the arguments and results of each method by their annotations.

JSON only, decoded strictly: a message that does not fit the annotations never reaches an implementation.
"""

from __future__ import annotations

import functools
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
    """The wire form of one method of an interface.  What is costly is made when the first message needs it."""

    def __init__(self, interface: type[Interface], name: str, spec: MethodSpec) -> None:
        self.name = name
        self.wire_name = f"{interface.topic}.{name}"
        self.spec = spec
        self.topic = interface.topic
        self.version = interface.version
        self._interface = interface

    @functools.cached_property
    def _signature(self) -> inspect.Signature:
        """Without ``self`` and the context."""
        parameters = list(inspect.signature(getattr(self._interface, self.name)).parameters.values())[1:]
        if not parameters or parameters[0].name != "context":
            raise TypeError(f"{self._shown} must take the request context as its first argument")
        return inspect.Signature(parameters[1:])

    @functools.cached_property
    def _required(self) -> set[str]:
        return {each.name for each in self._signature.parameters.values() if each.default is each.empty}

    @functools.cached_property
    def _hints(self) -> dict[str, Any]:
        return typing.get_type_hints(getattr(self._interface, self.name))

    @functools.cached_property
    def _arguments_type(self) -> type[msgspec.Struct]:
        fields: list[Any] = []
        for each in self._signature.parameters.values():
            if each.kind in (each.VAR_KEYWORD, each.VAR_POSITIONAL) or each.name not in self._hints:
                raise TypeError(f"{self._shown} cannot be sent: argument {each.name} must be named and annotated")
            with_default = () if each.default is each.empty else (each.default,)
            fields.append((each.name, self._hints[each.name], *with_default))
        name = f"{self._interface.__name__}_{self.name}"
        return msgspec.defstruct(name, fields, kw_only=True, frozen=True, forbid_unknown_fields=True)

    @functools.cached_property
    def _arguments(self) -> msgspec.json.Decoder[Any]:
        return msgspec.json.Decoder(self._arguments_type)

    @functools.cached_property
    def _result(self) -> msgspec.json.Decoder[Any]:
        return msgspec.json.Decoder(self._hints.get("return", Any))

    @property
    def _shown(self) -> str:
        return f"{self._interface.__name__}.{self.name}"

    @property
    def types(self) -> tuple[Any, Any]:
        """What its arguments and its result are; TypeError when an argument has no annotation."""
        return self._arguments_type, self._hints.get("return", Any)

    def prepare(self) -> None:
        """Be ready for the first message; TypeError when a type cannot be told from another on the wire."""
        try:
            _ = self._arguments, self._result
        except TypeError as exc:
            raise TypeError(f"{self._shown} cannot be sent: {exc}") from exc

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


def codecs(interface: type[Interface]) -> dict[str, MethodCodec]:
    """The wire form of every remote method of *interface*."""
    return {name: MethodCodec(interface, name, spec) for name, spec in methods(interface).items()}


def checked_codecs(interface: type[Interface]) -> dict[str, MethodCodec]:
    """The same, ready for the first message; TypeError names a method with a type that has no form on the wire."""
    found = codecs(interface)
    for codec in found.values():
        codec.prepare()
    # All types at once: a class that many methods take is looked at once.
    described = msgspec.inspect.multi_type_info([each for codec in found.values() for each in codec.types])
    seen: set[int] = set()
    for number, codec in enumerate(found.values()):
        try:
            _refuse_custom(described[2 * number : 2 * number + 2], seen)
        except TypeError as exc:
            raise TypeError(f"{interface.__name__}.{codec.name} cannot be sent: {exc}") from exc
    return found


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
