# SPDX-License-Identifier: Apache-2.0
"""The web server's limits, seen from a socket."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from nova.cmd.access_log import without_secrets
from tests.unit.cmd.served_process import Served, wait_for

CLOSE = b"Host: h\r\nConnection: close\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    started = Served()
    yield started
    started.stop()


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def test_a_request_is_answered_without_saying_what_we_are_made_of(server: Served) -> None:
    answer = server.get("/")
    assert status(answer) == 200
    assert b"server:" not in answer.lower()
    assert b"python" not in answer.lower()


def test_two_requests_share_a_connection(server: Served) -> None:
    with server.connect() as connection:
        for _ in range(2):
            connection.sendall(b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi")
            answer = b""
            while not answer.endswith(b"\r\n\r\nhi"):
                answer += connection.recv(4096)
            assert status(answer) == 200


def test_a_chunked_body_is_read(server: Served) -> None:
    body = b"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"
    answer = server.raw(b"POST /echo HTTP/1.1\r\n" + CLOSE + b"Transfer-Encoding: Chunked\r\n\r\n" + body)
    assert answer.endswith(b"\r\n\r\nabcde")


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 2\r\nContent-Length: 2\r\n",
        b"Content-Length: 2\r\nContent-Length: 5\r\n",
        b"Content-Length: 2, 2\r\n",
        b"Content-Length: +2\r\n",
        b"Content-Length: 0_2\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: two\r\n",
        b"Content-Length: \r\n",
        b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Content-Length : 2\r\n",
        b"Content Length: 2\r\n",
        b"no colon\r\n",
    ],
)
def test_a_request_whose_end_is_in_doubt_is_refused(server: Served, headers: bytes) -> None:
    answer = server.raw(b"POST /echo HTTP/1.1\r\n" + CLOSE + headers + b"\r\nhi")
    assert status(answer) == 400
    assert answer.count(b"HTTP/1.1") + answer.count(b"HTTP/1.0") == 1
    assert b"two" not in answer


def test_a_transfer_encoding_of_http_1_0_is_refused(server: Served) -> None:
    answer = server.raw(b"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    assert status(answer) == 400


@pytest.mark.parametrize("line", [b"<script>\r\n\r\n", b"GET / HTTP/9.9 <script>\r\n\r\n", b"GET / XTTP/1.1\r\n\r\n"])
def test_a_request_line_that_is_none_is_refused_and_not_echoed(server: Served, line: bytes) -> None:
    answer = server.raw(line)
    assert status(answer) in (400, 505)
    assert b"script" not in answer
    assert b"server:" not in answer.lower()


def test_a_long_request_line_is_414(server: Served) -> None:
    assert status(server.get("/" + "x" * 20_000)) == 414
    assert status(server.get("/" + "x" * 15_000)) == 200


def test_long_headers_are_refused_and_a_long_token_is_not(server: Served) -> None:
    assert status(server.get("/", "X-Auth-Token: " + "x" * 12_000)) == 200
    assert status(server.get("/", "X-Auth-Token: " + "x" * 20_000)) == 400
    assert status(server.get("/", *[f"X-{number}: " + "x" * 8_000 for number in range(10)])) == 400
    assert status(server.get("/", *[f"X-{number}: x" for number in range(200)])) in (400, 431)


def test_a_header_with_underscores_does_not_pass_for_one_with_hyphens(server: Served) -> None:
    assert b"X-Roles: none" in server.get("/", "X_Roles: admin")
    assert b"X-Roles: admin" in server.get("/", "X-Roles: admin")


def test_headers_that_drip_are_cut_off(server: Served) -> None:
    began = time.monotonic()
    with server.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        answer = b""
        connection.settimeout(0.1)
        while not answer and time.monotonic() - began < 10:
            connection.sendall(b"X-A: b\r\n")
            try:
                answer = connection.recv(4096)
            except TimeoutError:
                continue
    assert status(answer) == 408
    assert time.monotonic() - began < 5


def test_an_idle_connection_is_closed(server: Served) -> None:
    with server.connect() as connection:
        assert connection.recv(1) == b""


def test_an_application_that_fails_is_a_plain_500(server: Served) -> None:
    answer = server.get("/fail")
    assert status(answer) == 500
    assert b"inner text" not in answer
    assert b"Traceback" not in answer
    wait_for(lambda: "inner text" in server.log)


def test_tokens_are_cut_from_the_access_log(server: Served) -> None:
    server.get("/v2.0/tokens/s3cr3t?belongsTo=x")
    server.get("/console?token=s3cr3t&a=b")
    wait_for(lambda: "/console?token=***&a=b" in server.log)
    assert "/v2.0/tokens/***?belongsTo=x" in server.log
    assert "s3cr3t" not in server.log


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("GET /v2.0/tokens/abc/endpoints HTTP/1.1", "GET /v2.0/tokens/***/endpoints HTTP/1.1"),
        ("GET /?AWSAccessKeyId=a&Signature=b%3D&Action=c", "GET /?AWSAccessKeyId=***&Signature=***&Action=c"),
        ("GET /servers/1", "GET /servers/1"),
    ],
)
def test_what_is_secret_in_a_request_line_is_not_shown(line: str, shown: str) -> None:
    assert without_secrets(line) == shown
