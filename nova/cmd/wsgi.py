# SPDX-License-Identifier: Apache-2.0
"""Serves a WSGI application on a listening socket, with limits on everything that a client can make large or slow.

What is ambiguous about the length of a request is refused, so that no proxy in front can disagree with us on where it
ends.
"""

from __future__ import annotations

import errno
import logging
import re
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import eventlet
import eventlet.wsgi
from eventlet.greenio import GreenSocket

from nova.cmd.access_log import LOG_FORMAT, AccessLog

LOG = logging.getLogger(__name__)

WsgiApp = Callable[..., Any]

_DROPPED_AT_ONCE = 16 * 1024
_MAX_DROPPED_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class WsgiSettings:
    """The limits of one server."""

    max_connections: int = 1000
    max_request_line: int = 16 * 1024
    max_header_line: int = 16 * 1024
    keep_alive_s: float = 75.0
    """How long a connection may wait for its next request."""
    header_timeout_s: float = 30.0
    """For all headers of a request together."""
    io_timeout_s: float = 60.0
    """For each read of a body, and each write of an answer."""
    log_format: str = LOG_FORMAT


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """TLS 1.2 or newer; with *ca_file* clients must show a certificate signed by it."""

    cert_file: str
    key_file: str = ""
    ca_file: str = ""


class WsgiServer:
    """See Service.  One listening socket and one application."""

    def __init__(
        self,
        name: str,
        app: WsgiApp,
        listener: socket.socket,
        *,
        settings: WsgiSettings | None = None,
        tls: TlsFiles | None = None,
    ) -> None:
        self.name = name
        self._app = app
        self._listener = listener
        self._settings = settings or WsgiSettings()
        self._tls = _tls_context(tls) if tls else None
        self._pool = eventlet.GreenPool(self._settings.max_connections)
        self._stopping = threading.Event()
        self._thread: Any = None

    def start(self) -> None:
        """Begin to answer."""
        self._thread = eventlet.spawn(self._serve)
        LOG.info("%s listens on %s.", self.name, self._shown_address())

    def stop(self, grace_s: float) -> None:
        """Close the socket and idle connections, and let running requests finish within *grace_s*."""
        self._stopping.set()
        if self._thread is None:
            return
        if not self._thread.dead:
            eventlet.kill(self._thread)
        with eventlet.Timeout(max(0.01, grace_s), False):
            self._pool.waitall()
        if self._pool.running():
            LOG.warning("%s: %d requests do not end in time and are left.", self.name, self._pool.running())
        self._listener.close()

    def _serve(self) -> None:
        """Answer until stopped; running out of descriptors is survived."""
        eventlet.wsgi.MAX_HEADER_LINE = self._settings.max_header_line
        while not self._stopping.is_set():
            try:
                self._serve_once()
            except OSError as exc:
                if self._stopping.is_set() or exc.errno in (errno.EBADF, errno.EINVAL):
                    return
                LOG.error("%s cannot accept connections: %s. Trying again in a second.", self.name, exc.strerror)
                eventlet.sleep(1)

    def _serve_once(self) -> None:
        """Run the library's server on a copy of the socket, which it closes at its end."""
        listening: Any = self._listener.dup()
        if not isinstance(listening, GreenSocket):
            listening = GreenSocket(listening)
        if self._tls is not None:
            listening = self._tls.wrap_socket(listening, server_side=True, do_handshake_on_connect=False)
        settings = self._settings
        eventlet.wsgi.server(
            listening,
            self._app,
            log=AccessLog(LOG),
            log_format=settings.log_format,
            log_x_forwarded_for=False,
            custom_pool=self._pool,
            protocol=_protocol(settings),
            keepalive=settings.keep_alive_s,
            socket_timeout=settings.io_timeout_s,
            url_length_limit=settings.max_request_line,
            debug=False,
        )

    def _shown_address(self) -> str:
        address = self._listener.getsockname()
        if self._listener.family == socket.AF_INET6:
            return f"[{address[0]}]:{address[1]}"
        return f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address)


def _tls_context(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(files.cert_file, files.key_file or None)
    if files.ca_file:
        context.load_verify_locations(files.ca_file)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _protocol(settings: WsgiSettings) -> type[Any]:
    class Protocol(_Protocol):
        header_timeout_s = settings.header_timeout_s

    return Protocol


class _Protocol(eventlet.wsgi.HttpProtocol):  # type: ignore[misc]
    """The library's handler of one connection, made stricter and more taciturn."""

    header_timeout_s = 30.0

    def setup(self) -> None:
        """Send small answers at once."""
        if self.request.family in (socket.AF_INET, socket.AF_INET6):
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().setup()

    def parse_request(self) -> bool:
        """Read the headers; False when the request was refused."""
        parsed: list[bool] = []
        with eventlet.Timeout(self.header_timeout_s, False):
            parsed.append(super().parse_request())
        if not parsed:
            self.send_error(408, "The headers came too slowly")
        elif parsed[0] and (problem := _ambiguity(self.request_version, self.headers)):
            self.send_error(400, problem)
            return False
        return parsed == [True]

    def get_environ(self) -> dict[str, Any]:
        """The library's, with a bound on what is read of a body that the application did not want."""
        environ: dict[str, Any] = super().get_environ()
        body = environ["eventlet.input"]
        body.discard = lambda: self._drop_rest(body)
        return environ

    def _drop_rest(self, body: Any) -> None:
        """Read a short rest, so that the connection may be used again; end the connection before a long one."""
        for _ in range(_MAX_DROPPED_BYTES // _DROPPED_AT_ONCE):
            if not body.read(_DROPPED_AT_ONCE):
                return
        self.close_connection = True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse in as few words as possible; nothing of the request comes back, nor what we are made of."""
        LOG.info("A request from %s is refused with %d: %s", self.client_address[0], code, message)
        phrase = self.responses.get(code, ("Error", ""))[0]
        head = f"HTTP/1.1 {code} {phrase}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        self.wfile.write(head.encode("latin-1"))
        self.wfile.flush()
        self.close_connection = True

    def log_message(self, text: str, *args: object) -> None:
        """The standard library's own way to log is not used."""


def _ambiguity(version: str, headers: Any) -> str:
    """Why the end of a request with *headers* is not beyond doubt; empty when it is."""
    names = [name for name, _ in headers.items()]
    lengths = headers.get_all("content-length", [])
    codings = headers.get_all("transfer-encoding", [])
    if version == "HTTP/0.9":
        return "HTTP/0.9 is not spoken"
    if headers.defects or any(not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) for name in names):
        return "A header cannot be read"
    if len(lengths) > 1 or any(not re.fullmatch(r"[0-9]{1,18}", length) for length in lengths):
        return "The Content-Length is not one number"
    if codings and (lengths or codings[1:] or codings[0].lower() != "chunked" or version == "HTTP/1.0"):
        return "The Transfer-Encoding is not chunked alone"
    return ""
