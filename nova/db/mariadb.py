# SPDX-License-Identifier: Apache-2.0
"""PyMySQL with less work: for each connection where TLS is concerned, for each answer where columns are described."""

from __future__ import annotations

import functools
import ssl
from typing import Any

from pymysql.connections import Connection
from pymysql.protocol import FieldDescriptorPacket, MysqlPacket
from sqlalchemy import Engine, event

KEPT_DESCRIPTIONS = 4096
"""Packets that describe a column, of some hundred bytes each"""


class _Column(FieldDescriptorPacket):  # type: ignore[misc]
    """What a result says about one of its columns.  Nobody changes it, so that results can share it."""

    def __init__(self, data: bytes, encoding: str) -> None:
        super().__init__(data, encoding)
        self._description = super().description()

    def description(self) -> Any:
        """See the base."""
        return self._description


_column = functools.lru_cache(maxsize=KEPT_DESCRIPTIONS)(_Column)


class MariaDbConnection(Connection):  # type: ignore[misc]
    """The library's connection without two things that it does in vain.

    It reads what it is told of a column once, and not with every result: a server's row has 36 columns, each described
    in a packet of its own, which is more work than the row.  And it rolls nothing back where nothing was asked since
    the last commit, as the pool wants of each connection that it gets back: a round trip for every transaction.
    """

    _asked = True

    def _read_packet(self, packet_type: Any = MysqlPacket) -> Any:
        return super()._read_packet(_column if packet_type is FieldDescriptorPacket else packet_type)

    def query(self, sql: Any, unbuffered: bool = False) -> Any:
        """See the base."""
        self._asked = True
        return super().query(sql, unbuffered)

    def commit(self) -> None:
        """See the base."""
        super().commit()
        self._asked = False

    def rollback(self) -> None:
        """See the base."""
        if self._asked:
            super().rollback()
            self._asked = False


def connect_by_ourselves(engine: Engine) -> None:
    """Let the connections of *engine* be ours, and share what TLS needs where its URL says nothing about TLS.

    PyMySQL encrypts where the server offers it and checks no certificate, and yet reads the host's whole list of
    authorities for every connection: most of what a busy scheduler did.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, words: Any, options: dict[str, Any]) -> Any:
        if any(name.startswith("ssl") for name in options):
            return MariaDbConnection(*words, **options)
        connection = MariaDbConnection(*words, **options, ssl_disabled=True, defer_connect=True)
        connection.ssl, connection.ctx = True, context
        connection.connect()
        return connection
