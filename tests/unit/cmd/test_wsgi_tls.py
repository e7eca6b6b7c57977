# SPDX-License-Identifier: Apache-2.0
"""The web server with TLS of its own."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cmd.served_process import TIMEOUT_S, Served
from tests.unit.rpc.amqp.test_connection import certificate


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    return certificate(tmp_path, "127.0.0.1")


@pytest.fixture
def server(pem: Path) -> Iterator[Served]:
    started = Served("--tls", str(pem))
    yield started
    started.stop()


def get(server: Served, context: ssl.SSLContext) -> bytes:
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=TIMEOUT_S) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
    ):
        secured.sendall(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        return secured.recv(4096)


def test_requests_are_answered_and_a_client_that_says_nothing_holds_nobody_up(server: Served, pem: Path) -> None:
    context = ssl.create_default_context(cafile=str(pem))
    with server.connect():
        assert get(server, context).startswith(b"HTTP/1.1 200")


def test_a_client_that_speaks_no_tls_harms_nobody(server: Served, pem: Path) -> None:
    with server.connect() as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert not plain.recv(4096).startswith(b"HTTP/1.1 200")
    assert get(server, ssl.create_default_context(cafile=str(pem))).startswith(b"HTTP/1.1 200")
    assert "Traceback" not in server.log
