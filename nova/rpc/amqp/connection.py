# SPDX-License-Identifier: Apache-2.0
"""A connection to one node of RabbitMQ: the library's own, but with frames read in large pieces, and writes in turn.

One thread reads; any thread may write.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

from amqp.exceptions import AMQPError
from amqp.method_framing import frame_handler
from kombu.connection import Connection as BrokerUrl
from kombu.transport import pyamqp

from nova.rpc.amqp import frames
from nova.rpc.amqp.reading import Reader, reader_of
from nova.rpc.settings import Broker, TransportSettings, url_of

LOG = logging.getLogger(__name__)

READ_BYTES = 16 * 1024

CONNECTION_ERRORS = (OSError, AMQPError, EOFError)
"""What the library raises when a connection cannot be made or breaks."""

Receive = Callable[[frames.Incoming], None]


class _Connection(pyamqp.Connection):
    """The library's connection with another way to read and to write."""

    def __init__(self, *args: Any, max_message_bytes: int, **kwargs: Any) -> None:
        super().__init__(*args, frame_handler=self._frame_handler, **kwargs)
        self.write_lock = threading.Lock()
        self.consumers: dict[str, Receive] = {}
        self.last_read_at = self.last_write_at = time.monotonic()
        self._keep = max_message_bytes
        self._unread = b""
        self._reader: Reader | None = None
        self._incoming: dict[int, frames.Incoming] = {}

    def Transport(self, *args: Any, **kwargs: Any) -> Any:
        """The library's socket, with writes that take turns."""
        transport = super().Transport(*args, **kwargs)
        set_up = transport._setup_transport

        def set_up_in_turn() -> None:
            set_up()
            transport._write = self.write

        transport._setup_transport = set_up_in_turn
        return transport

    def write(self, data: bytes | memoryview) -> None:
        """Send *data* whole, before or after what others send."""
        with self.write_lock:
            self.last_write_at = time.monotonic()
            self._transport.sock.sendall(data)

    def blocking_read(self, timeout: float | None = None) -> Any:
        """Handle the next frame; the library calls this while it waits for an answer."""
        found = self._next_frame()
        while found is None:
            with self.transport.having_timeout(timeout):
                self._fill()
            found = self._next_frame()
        return self.on_inbound_frame(found)

    def read_for_ever(self, after_each_read: Callable[[], None]) -> None:
        """Handle frames until the connection breaks."""
        while True:
            while (found := self._next_frame()) is not None:
                self.on_inbound_frame(found)
            after_each_read()
            self._fill()

    def read_here(self) -> None:
        """The calling thread is the one that reads from now on."""
        self._reader = reader_of(self.sock)

    def collect(self) -> None:
        """Close the socket."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        super().collect()

    def _fill(self) -> None:
        data = (self._reader or self._transport.sock).recv(READ_BYTES)
        if not data:
            raise ConnectionResetError("the server closed the connection")
        self.last_read_at = time.monotonic()
        self._unread = self._unread + data if self._unread else data

    def _next_frame(self) -> tuple[int, int, bytes] | None:
        unread = self._unread
        if len(unread) < frames.OVERHEAD:
            return None
        kind, channel, size = frames.FRAME.unpack_from(unread)
        end = size + frames.OVERHEAD
        if size > self.frame_max:
            raise ConnectionResetError("the server sent what is not AMQP")
        if len(unread) < end:
            return None
        self._unread = unread[end:]
        return kind, channel, unread[7 : end - 1]

    def _frame_handler(self, connection: Any, callback: Any) -> Callable[[tuple[int, int, bytes]], bool]:
        """Deliveries go the short way, everything else to the library."""
        others = frame_handler(connection, callback)
        incoming = self._incoming

        def handle(found: tuple[int, int, bytes]) -> bool:
            kind, channel, payload = found
            if kind == frames.METHOD and payload[:4] == frames.DELIVER:
                incoming[channel] = frames.delivery(payload)
                return False
            message = incoming.get(channel)
            if message is None or kind not in (frames.HEADER, frames.BODY):
                return bool(others(found))
            if kind == frames.HEADER:
                message.header = payload
                message.size = frames.body_size(payload)
            if message.size == 0 or (kind == frames.BODY and message.add(payload, keep=self._keep)):
                del incoming[channel]
                self._deliver(message)
                return True
            return False

        return handle

    def _deliver(self, message: frames.Incoming) -> None:
        receive = self.consumers.get(message.consumer_tag)
        if receive is not None:
            receive(message)


class _Transport(pyamqp.Transport):
    Connection = _Connection


def connect(settings: TransportSettings, broker: Broker) -> _Connection:
    """A connection to *broker*; one of CONNECTION_ERRORS when there is none."""
    wanted = BrokerUrl(  # type: ignore[no-untyped-call]
        url_of(broker),
        transport=_Transport,
        ssl=_tls_options(settings, broker),
        login_method="PLAIN",
        heartbeat=settings.heartbeat_s,
        connect_timeout=settings.connect_timeout_s,
        transport_options={
            "max_message_bytes": settings.max_message_bytes,
        },
    )
    connection: _Connection = wanted.transport.establish_connection()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sock.settimeout(None)
    connection.read_here()
    return connection


def _tls_options(settings: TransportSettings, broker: Broker) -> dict[str, Any] | None:
    tls = settings.tls
    if tls is None:
        return None
    return {
        "ca_certs": tls.ca_file or None,
        "certfile": tls.cert_file or None,
        "keyfile": tls.key_file or None,
        "cert_reqs": ssl.CERT_REQUIRED,
        "server_hostname": broker.host,
        "tls_minimum_version": ssl.TLSVersion.TLSv1_2,
    }
