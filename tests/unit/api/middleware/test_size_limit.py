# SPDX-License-Identifier: Apache-2.0
"""Bodies are bounded before anybody reads them."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

import pytest

from nova.api.middleware.size_limit import BoundedBody, SizeLimit
from nova.api.refusal import Refusal
from nova.errors import TooLarge


def reading(environ: dict[str, Any], _start: Any) -> Iterable[bytes]:
    return [environ["wsgi.input"].read()]


def send(data: bytes, **environ: str) -> bytes:
    app = SizeLimit(reading, limit=10)
    (read,) = app({"wsgi.input": io.BytesIO(data), "REQUEST_METHOD": "POST", **environ}, lambda *_: None)
    return read


def test_a_body_of_the_limit_passes() -> None:
    assert send(b"x" * 10, CONTENT_LENGTH="10") == b"x" * 10
    assert send(b"x" * 10, HTTP_TRANSFER_ENCODING="chunked") == b"x" * 10


def test_a_longer_body_is_refused_before_it_is_read_or_while() -> None:
    with pytest.raises(TooLarge):
        send(b"", CONTENT_LENGTH="11")
    with pytest.raises(TooLarge):
        send(b"x" * 11, HTTP_TRANSFER_ENCODING="chunked")


def test_a_body_ends_where_its_length_says() -> None:
    assert send(b"x" * 100, CONTENT_LENGTH="3") == b"xxx"


def test_without_a_length_there_is_no_body() -> None:
    assert send(b"x" * 100) == b""


@pytest.mark.parametrize("length", ["-1", "1e1", "x", "9" * 30, "٣"])
def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    with pytest.raises(Refusal):
        send(b"", CONTENT_LENGTH=length)


def test_a_length_beside_chunks_and_a_compressed_body_are_refused() -> None:
    with pytest.raises(Refusal):
        send(b"", CONTENT_LENGTH="1", HTTP_TRANSFER_ENCODING="chunked")
    with pytest.raises(Refusal):
        send(b"", CONTENT_LENGTH="1", HTTP_CONTENT_ENCODING="gzip")


def test_lines_and_pieces_count_too() -> None:
    body = BoundedBody(io.BytesIO(b"ab\ncdefgh"), 5, exact=False)
    assert body.readline() == b"ab\n"
    assert body.read(2) == b"cd"
    with pytest.raises(TooLarge):
        body.read()
