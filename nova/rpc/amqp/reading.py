# SPDX-License-Identifier: Apache-2.0
"""How the one thread that reads a connection waits for bytes.

Under eventlet every ``recv`` of a socket registers with the poller and leaves it again.  The reader of a connection
registers once, which saves a third of the system calls of an RPC.
"""

from __future__ import annotations

from typing import Any, Protocol

from nova.rpc.blocking import is_green


class Reader(Protocol):
    """Reads one socket."""

    def recv(self, size: int) -> bytes:
        """Wait for bytes, at most *size*; empty at the end."""
        ...

    def close(self) -> None:
        """The socket is about to be closed."""
        ...


class PlainReader:
    """Reads as the socket itself does."""

    def __init__(self, sock: Any) -> None:
        self.recv = sock.recv

    def close(self) -> None:
        """See Reader."""


class GreenReader:
    """Reads a green socket, registered with the poller for as long as it lives."""

    def __init__(self, sock: Any) -> None:
        from eventlet import hubs

        self._hub = hubs.get_hub()
        self._socket = sock.fd
        self._waiting: Any = None
        fileno = self._socket.fileno()
        self._listener = self._hub.add(self._hub.READ, fileno, self._on_readable, self._on_obsolete, lambda: None)

    def recv(self, size: int) -> bytes:
        """See Reader."""
        from greenlet import getcurrent

        while True:
            self._waiting = getcurrent()
            try:
                self._hub.switch()
            finally:
                self._waiting = None
            try:
                data: bytes = self._socket.recv(size)
                return data
            except BlockingIOError:
                continue

    def _on_readable(self, fileno: int) -> None:
        if self._waiting is not None:
            self._waiting.switch()

    def _on_obsolete(self, error: BaseException) -> None:
        if self._waiting is not None:
            self._waiting.throw(error)

    def close(self) -> None:
        """See Reader."""
        self._hub.remove(self._listener)


def reader_of(sock: Any) -> Reader:
    """The best reader for *sock*; to be made by the thread that will read."""
    if not is_green():
        return PlainReader(sock)
    from eventlet.greenio import GreenSocket

    return GreenReader(sock) if type(sock) is GreenSocket else PlainReader(sock)
