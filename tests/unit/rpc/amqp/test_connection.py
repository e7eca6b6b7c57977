# SPDX-License-Identifier: Apache-2.0
"""TLS that is asked for is verified, or nothing is said to the other side."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from nova.rpc.amqp.connection import CONNECTION_ERRORS, connect
from nova.rpc.settings import Broker, TlsSettings, TransportSettings


def certificate(directory: Path, address: str, *, ends_in_h: float = 24) -> Path:
    """A self-signed certificate for *address*, with its key; it may have ended."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(hours=ends_in_h))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = directory / f"{address}.pem"
    key_bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(key_bytes + made.public_bytes(serialization.Encoding.PEM))
    return path


class TlsListener:
    """Accepts TLS and writes down what clients say."""

    def __init__(self, certificate_path: Path) -> None:
        self.heard: list[bytes] = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate_path)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.settimeout(5)
            try:
                with self._context.wrap_socket(connection, server_side=True) as secured:
                    self.heard.append(secured.recv(8))
            except OSError:
                connection.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@pytest.fixture
def attempt(tmp_path: Path) -> Iterator[object]:
    listeners = []

    def run(certified: str, *, trusted: bool) -> list[bytes]:
        path = certificate(tmp_path, certified)
        listener = TlsListener(path)
        listeners.append(listener)
        settings = TransportSettings(tls=TlsSettings(ca_file=str(path) if trusted else ""), connect_timeout_s=5)
        with pytest.raises(CONNECTION_ERRORS):
            connect(settings, Broker("127.0.0.1", listener.port))
        return listener.heard

    yield run
    for listener in listeners:
        listener.close()


def test_a_certificate_that_nobody_trusts_ends_the_connection_before_a_word(attempt: object) -> None:
    assert attempt("127.0.0.1", trusted=False) == []  # type: ignore[operator]


def test_a_certificate_of_another_host_ends_the_connection_before_a_word(attempt: object) -> None:
    assert attempt("127.0.0.2", trusted=True) == []  # type: ignore[operator]


def test_a_trusted_certificate_of_the_host_is_spoken_with(attempt: object) -> None:
    assert attempt("127.0.0.1", trusted=True) == [b"AMQP\x00\x00\x09\x01"]  # type: ignore[operator]
