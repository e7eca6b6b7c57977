# SPDX-License-Identifier: Apache-2.0
"""The AMQP 0-9-1 frames that each message needs (sections 4.2.3 and 4.2.6 of the specification), as pure functions.

Everything that happens once for a connection or a queue is left to the library.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

METHOD, HEADER, BODY = 1, 2, 3
END = b"\xce"
OVERHEAD = 8
"""Bytes of a frame beside its payload."""

FRAME = struct.Struct(">BHI")
_CONTENT = struct.Struct(">HHQ")
_ACK = struct.Struct(">BHIHHQBB")
_TAG = struct.Struct(">Q")
_SHORT = struct.Struct(">H")
_LONG = struct.Struct(">I")

BASIC = 60
DELIVER = struct.pack(">HH", BASIC, 60)

_CONTENT_TYPE, _ENCODING, _HEADERS, _DELIVERY_MODE, _PRIORITY, _CORRELATION, _REPLY_TO, _EXPIRATION, _MESSAGE_ID = (
    1 << bit for bit in range(15, 6, -1)
)


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    """One frame."""
    return FRAME.pack(kind, channel, len(payload)) + payload + END


def short_string(text: str) -> bytes:
    """A string of at most 255 bytes."""
    raw = text.encode()
    return bytes((len(raw),)) + raw


def publish_method(channel: int, exchange: str, routing_key: str, *, mandatory: bool = False) -> bytes:
    """The first frame of a message: where it goes."""
    head = struct.pack(">HHH", BASIC, 40, 0)
    return frame(METHOD, channel, head + short_string(exchange) + short_string(routing_key) + bytes((mandatory,)))


def table(values: dict[str, str]) -> bytes:
    """A field table of long strings."""
    fields = b""
    for name, value in values.items():
        raw = value.encode()
        fields += short_string(name) + b"S" + _LONG.pack(len(raw)) + raw
    return _LONG.pack(len(fields)) + fields


def properties(
    content_type: str,
    *,
    persistent: bool,
    expires_ms: int = 0,
    message_id: str = "",
    headers: dict[str, str] | None = None,
) -> bytes:
    """The properties of a message."""
    flags = _CONTENT_TYPE | _DELIVERY_MODE
    values = short_string(content_type)
    if headers:
        flags |= _HEADERS
        values += table(headers)
    values += b"\x02" if persistent else b"\x01"
    if expires_ms:
        flags |= _EXPIRATION
        values += short_string(str(expires_ms))
    if message_id:
        flags |= _MESSAGE_ID
        values += short_string(message_id)
    return _SHORT.pack(flags) + values


def message(method: bytes, channel: int, head: bytes, body: bytes, *, frame_max: int) -> bytes:
    """All frames of a message; *method* is from :func:`publish_method`, *head* from :func:`properties`."""
    content = _CONTENT.pack(BASIC, 0, len(body)) + head
    start = method + FRAME.pack(HEADER, channel, len(content)) + content + END
    size = frame_max - OVERHEAD
    if not body:
        return start
    if len(body) <= size:
        return start + FRAME.pack(BODY, channel, len(body)) + body + END
    pieces = (body[offset : offset + size] for offset in range(0, len(body), size))
    return start + b"".join(frame(BODY, channel, piece) for piece in pieces)


def acknowledgement(channel: int, tag: int) -> bytes:
    """``basic.ack`` of one message."""
    return _ACK.pack(METHOD, channel, 13, BASIC, 80, tag, 0, 0xCE)


def hand_back(channel: int, tag: int) -> bytes:
    """``basic.nack`` of one message with requeue."""
    return _ACK.pack(METHOD, channel, 13, BASIC, 120, tag, 2, 0xCE)


def nudge(channel: int) -> bytes:
    """A request without effect (``basic.qos`` on a channel that consumes nothing) that the broker answers."""
    return frame(METHOD, channel, struct.pack(">HHIHB", BASIC, 10, 0, 0, 0))


@dataclass(slots=True)
class Incoming:
    """A message that arrives, as far as its frames are here."""

    consumer_tag: str
    delivery_tag: int
    header: bytes = b""
    size: int = 0
    """The length of the whole body, also when only its head was kept."""
    received: int = 0
    body: bytes = b""

    def add(self, piece: bytes, *, keep: int) -> bool:
        """Take the next piece of the body; True when it was the last.  Above *keep* bytes only the head is kept."""
        self.received += len(piece)
        if not self.body:
            self.body = piece
        elif self.size <= keep:
            self.body += piece
        return self.received >= self.size


def delivery(payload: bytes) -> Incoming:
    """The ``basic.deliver`` in the payload of a method frame."""
    end = 5 + payload[4]
    return Incoming(payload[5:end].decode(), _TAG.unpack_from(payload, end)[0])


def body_size(header: bytes) -> int:
    """The length that the payload of a header frame announces."""
    size: int = _TAG.unpack_from(header, 4)[0]
    return size


def content_type_and_id(header: bytes) -> tuple[str, str]:
    """The content type and the message id in the payload of a header frame; empty where it says nothing readable."""
    try:
        return _content_type_and_id(header)
    except (struct.error, IndexError, UnicodeDecodeError):
        return "", ""


def _content_type_and_id(header: bytes) -> tuple[str, str]:
    flags = _SHORT.unpack_from(header, 12)[0]
    found = {_CONTENT_TYPE: "", _MESSAGE_ID: ""}
    at = 14
    for flag in (_CONTENT_TYPE, _ENCODING, _HEADERS, _DELIVERY_MODE, _PRIORITY, _CORRELATION, _REPLY_TO, _EXPIRATION,
                 _MESSAGE_ID):  # fmt: skip
        if not flags & flag:
            continue
        if flag == _HEADERS:
            at += 4 + _LONG.unpack_from(header, at)[0]
        elif flag in (_DELIVERY_MODE, _PRIORITY):
            at += 1
        else:
            end = at + 1 + header[at]
            if flag in found:
                found[flag] = header[at + 1 : end].decode()
            at = end
    return found[_CONTENT_TYPE], found[_MESSAGE_ID]
