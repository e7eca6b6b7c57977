# SPDX-License-Identifier: Apache-2.0
"""Who asks for TLS gets it, verified, or a failure before a word was said; nobody is served with an old protocol."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova import errors
from nova.conf.loading import load
from nova.context import RequestContext
from nova.neighbours.glance import GlanceClient, GlanceSettings
from nova.rpc.amqp.connection import CONNECTION_ERRORS, connect
from nova.rpc.settings import Broker, TlsSettings, TransportSettings
from nova.secret import Secret
from tests.unit.cmd.served_process import TIMEOUT_S, Served
from tests.unit.rpc.amqp.test_connection import TlsListener, certificate

CONTEXT = RequestContext(project_id="p", auth_token=Secret("canary-token"))
BAD = {
    "nobody trusts it": ("127.0.0.1", False, 24.0),
    "it is of another host": ("127.0.0.2", True, 24.0),
    "its time is over": ("127.0.0.1", True, -1.0),
}


@pytest.fixture
def listeners() -> Iterator[list[TlsListener]]:
    made: list[TlsListener] = []
    yield made
    for listener in made:
        listener.close()


def asked(listener: TlsListener, **settings: object) -> None:
    """A question to the image service there, with a token."""
    server = f"https://127.0.0.1:{listener.port}"
    client = GlanceClient(GlanceSettings(servers=(server,), timeout_s=5, **settings))  # type: ignore[arg-type]
    with pytest.raises(errors.Unavailable):
        client.call(CONTEXT, "GET", "/v2/images/x")


@pytest.mark.parametrize("flaw", BAD)
def test_a_neighbour_with_a_bad_certificate_is_refused(
    tmp_path: Path, listeners: list[TlsListener], flaw: str, caplog: pytest.LogCaptureFixture
) -> None:
    """CVE-2013-4111, CVE-2013-2255, OSSN-0033, CVE-2015-1852"""
    address, trusted, ends_in_h = BAD[flaw]
    path = certificate(tmp_path, address, ends_in_h=ends_in_h)
    listeners.append(TlsListener(path))
    asked(listeners[0], ca_file=str(path) if trusted else "")
    assert listeners[0].heard == []
    assert "canary-token" not in caplog.text


def test_a_neighbour_with_a_good_certificate_is_spoken_with(tmp_path: Path, listeners: list[TlsListener]) -> None:
    path = certificate(tmp_path, "127.0.0.1")
    listeners.append(TlsListener(path))
    asked(listeners[0], ca_file=str(path))
    assert listeners[0].heard == [b"GET /v2/"]


def test_certificates_go_unchecked_only_when_somebody_says_so_and_the_log_tells(
    tmp_path: Path, listeners: list[TlsListener], caplog: pytest.LogCaptureFixture
) -> None:
    """CVE-2013-2255"""
    listeners.append(TlsListener(certificate(tmp_path, "127.0.0.2")))
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("ignore")
        asked(listeners[0], insecure=True)
    assert listeners[0].heard == [b"GET /v2/"]
    assert "NOT verified" in caplog.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [("False", False), ("false", False), ("0", False), ("no", False), ("off", False), ("True", True), ("1", True)],
)
def test_a_boolean_that_opens_a_door_is_read_as_one(tmp_path: Path, text: str, expected: bool) -> None:
    """CVE-2014-7144, CVE-2015-1852: the text False is not something true"""
    conf = tmp_path / "nova.conf"
    for line in (f"[glance]\napi_insecure = {text}\n", f"[DEFAULT]\nglance_api_insecure = {text}\n"):
        conf.write_text(line)
        conf.chmod(0o640)
        assert load(["--config-file", str(conf)], prog="nova-api").conf.glance.insecure is expected


@pytest.mark.parametrize("word", ["maybe", "Falsch", "2", "none"])
def test_a_word_that_is_no_boolean_stops_the_start(tmp_path: Path, word: str) -> None:
    """CVE-2014-7144, CVE-2015-1852"""
    conf = tmp_path / "nova.conf"
    conf.write_text(f"[glance]\napi_insecure = {word}\n")
    with pytest.raises(errors.InvalidConfiguration):
        load(["--config-file", str(conf)], prog="nova-api")


def test_a_broker_without_tls_is_told_no_password() -> None:
    """CVE-2013-6491: asked for TLS, nothing else is spoken"""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as plain:

        def answer() -> None:
            connection, _ = plain.accept()
            with connection:
                connection.settimeout(5)
                heard.append(connection.recv(4096))
                connection.sendall(b"AMQP\x00\x00\x09\x01")

        thread = threading.Thread(target=answer)
        thread.start()
        settings = TransportSettings(tls=TlsSettings(), connect_timeout_s=5)
        broker = Broker("127.0.0.1", plain.getsockname()[1], user="nova", password=Secret("c4n4ry"))
        with pytest.raises(CONNECTION_ERRORS):
            connect(settings, broker)
        thread.join(10)
    assert heard[0][:2] == b"\x16\x03"
    assert b"AMQP" not in heard[0]
    assert b"c4n4ry" not in heard[0]


def test_old_protocols_are_refused_by_the_listeners(tmp_path: Path) -> None:
    """OSSN-0012, OSSN-0039, OSSN-0043, OSSN-0045"""
    path = certificate(tmp_path, "127.0.0.1")
    server = Served("--tls", str(path))
    try:
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            with pytest.raises(OSError, match="(?i)protocol|alert|eof|reset"):
                shaken(server, path, version)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            assert shaken(server, path, version)
    finally:
        server.stop()


def shaken(server: Served, path: Path, version: ssl.TLSVersion) -> str | None:
    """The protocol that was agreed upon, of one only that the client speaks."""
    context = ssl.create_default_context(cafile=str(path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=TIMEOUT_S) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
    ):
        return secured.version()
