# SPDX-License-Identifier: Apache-2.0
"""Methods that cannot be sent, and messages that are none."""

from __future__ import annotations

from typing import Any

import pytest

from nova.context import RequestContext
from nova.rpc.codec import BadMessage, checked_codecs, decode_envelope, decode_reply
from nova.rpc.interface import Interface, cast


class WithoutContext(Interface):
    topic, version = "t", "1.0"

    @cast
    def go(self, name: str) -> None: ...


class Anything(Interface):
    topic, version = "t", "1.0"

    @cast
    def go(self, context: RequestContext, **anything: Any) -> None: ...


class Unannotated(Interface):
    topic, version = "t", "1.0"

    @cast
    def go(self, context: RequestContext, *, name) -> None: ...  # type: ignore[no-untyped-def]


class Unsendable(Interface):
    topic, version = "t", "1.0"

    @cast
    def go(self, context: RequestContext, *, items: dict[str, list[Interface | None]]) -> None: ...


class Indistinct(Interface):
    topic, version = "t", "1.0"

    @cast
    def go(self, context: RequestContext, *, item: tuple[int, ...] | list[str]) -> None: ...


@pytest.mark.parametrize("interface", [WithoutContext, Anything, Unannotated, Unsendable, Indistinct])
def test_a_method_that_cannot_be_sent_is_named(interface: type[Interface]) -> None:
    with pytest.raises(TypeError, match=rf"{interface.__name__}\.go"):
        checked_codecs(interface)


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"1", b"[]", b"{}", b'{"id": 1}', b"[" * 50_000, b'{"id": "\\ud800"', b"NaN"]
)
def test_bytes_that_are_no_message_are_said_to_be_none(body: bytes) -> None:
    with pytest.raises(BadMessage):
        decode_envelope(body)
    with pytest.raises(BadMessage):
        decode_reply(body)
