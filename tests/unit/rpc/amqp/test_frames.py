# SPDX-License-Identifier: Apache-2.0
"""Frames against those of the library, which is right."""

from __future__ import annotations

import struct

import amqp
import pytest
from amqp.basic_message import Message
from amqp.serialization import dumps, loads

from nova.rpc.amqp import frames


def split(data: bytes) -> list[tuple[int, int, bytes]]:
    """The frames in *data*."""
    found = []
    while data:
        kind, channel, size = frames.FRAME.unpack_from(data)
        assert data[7 + size] == 0xCE
        found.append((kind, channel, data[7 : 7 + size]))
        data = data[8 + size :]
    return found


def test_a_message_is_what_the_library_would_read() -> None:
    method = frames.publish_method(3, "exchange", "key", mandatory=True)
    head = frames.properties(
        "application/json", persistent=True, expires_ms=1500, message_id="m-1", headers={"reason": "é"}
    )
    (first, second, third) = split(frames.message(method, 3, head, b"body", frame_max=131072))
    assert first == (1, 3, struct.pack(">HH", 60, 40) + dumps("Bssbb", (0, "exchange", "key", True, False)))
    read = Message()
    read.inbound_header(second[2])
    assert read.properties == {
        "content_type": "application/json",
        "application_headers": {"reason": "é"},
        "delivery_mode": 2,
        "expiration": "1500",
        "message_id": "m-1",
    }
    assert third == (3, 3, b"body")


def test_a_long_body_is_cut_into_frames_and_an_empty_one_has_none() -> None:
    method, head = frames.publish_method(1, "", "q"), frames.properties("t", persistent=False)
    pieces = split(frames.message(method, 1, head, b"x" * 10_000, frame_max=4096))[2:]
    assert b"".join(payload for _, _, payload in pieces) == b"x" * 10_000
    assert all(len(payload) <= 4096 - 8 for _, _, payload in pieces)
    assert len(split(frames.message(method, 1, head, b"", frame_max=4096))) == 2


def test_acknowledging_and_handing_back_are_the_librarys_methods() -> None:
    assert split(frames.acknowledgement(2, 77)) == [(1, 2, struct.pack(">HH", 60, 80) + dumps("Lb", (77, False)))]
    assert split(frames.hand_back(2, 77)) == [(1, 2, struct.pack(">HH", 60, 120) + dumps("Lbb", (77, False, True)))]


def test_a_delivery_is_read() -> None:
    payload = struct.pack(">HH", 60, 60) + dumps("sLbss", ("tag", 2**40, True, "exchange", "key"))
    incoming = frames.delivery(payload)
    assert (incoming.consumer_tag, incoming.delivery_tag) == ("tag", 2**40)


def header(**properties: object) -> bytes:
    """A header frame's payload as the library writes it."""
    serialized: bytes = amqp.Message("", **properties)._serialize_properties()
    return struct.pack(">HHQ", 60, 0, 12345) + serialized


def test_type_and_id_are_found_behind_all_other_properties() -> None:
    payload = header(
        content_type="a/b", content_encoding="utf-8", application_headers={"x": {"y": [1, "z"]}}, delivery_mode=2,
        priority=3, correlation_id="c", reply_to="r", expiration="1", message_id="m", type="t", user_id="u",
    )  # fmt: skip
    assert frames.content_type_and_id(payload) == ("a/b", "m")
    assert frames.body_size(payload) == 12345
    assert frames.content_type_and_id(header()) == ("", "")


@pytest.mark.parametrize("cut", range(14, 40, 3))
def test_a_header_that_was_cut_says_nothing_readable(cut: int) -> None:
    whole = header(content_type="application/json", correlation_id="c" * 20, message_id="m" * 10)
    assert len(whole) > 40
    assert frames.content_type_and_id(whole[:cut])[1] in ("", "m" * 10)
    frames.content_type_and_id(whole[:12])


def test_the_head_of_a_body_that_is_too_large_is_kept() -> None:
    incoming = frames.Incoming("tag", 1, size=30)
    assert [incoming.add(b"x" * 10, keep=20) for _ in range(3)] == [False, False, True]
    assert incoming.body == b"x" * 10
    whole = frames.Incoming("tag", 1, size=30)
    for _ in range(3):
        whole.add(b"x" * 10, keep=30)
    assert whole.body == b"x" * 30


def test_a_table_is_what_the_library_reads() -> None:
    values = {"reason": "x" * 300, "size": "1"}
    assert loads("F", frames.table(values), 0)[0] == [values]
