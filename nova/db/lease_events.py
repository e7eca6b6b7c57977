# SPDX-License-Identifier: Apache-2.0
"""DHCP leases as dnsmasq reports them, written by a process that lives for a few milliseconds.

nova-dhcpbridge is started for every lease, so this module speaks to the database's driver directly, in the SQL that
SQLite, MariaDB and PostgreSQL have in common, and imports nothing slow.  Everybody else goes through SQLAlchemy.
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from nova import errors
from nova.domain.network import Lease

CONNECT_S = 5
WAIT_S = 10

_MINE = "virtual_interface_id = (SELECT id FROM virtual_interfaces WHERE address = ?)"
_START = f"UPDATE fixed_ips SET leased = TRUE, updated_at = ? WHERE address = ? AND {_MINE}"
_END = f"UPDATE fixed_ips SET leased = FALSE, updated_at = ? WHERE address = ? AND {_MINE}"
_FREE = (
    "UPDATE fixed_ips SET instance_uuid = NULL, virtual_interface_id = NULL, host = NULL"
    f" WHERE address = ? AND allocated = FALSE AND leased = FALSE AND {_MINE}"
)
_FORGET = (
    "DELETE FROM virtual_interfaces WHERE address = ? AND position IS NULL"
    " AND NOT EXISTS (SELECT 1 FROM fixed_ips WHERE fixed_ips.virtual_interface_id = virtual_interfaces.id)"
)
_CURRENT = (
    "SELECT v.address, f.address, v.hostname FROM fixed_ips f"
    " JOIN virtual_interfaces v ON v.id = f.virtual_interface_id"
    " WHERE f.network_id = ? AND f.allocated = TRUE AND f.leased = TRUE ORDER BY f.id"
)


class LeaseBook:
    """One connection to the database at *url* (``[database] connection``); a transaction for each call."""

    def __init__(self, url: str) -> None:
        """:raises errors.Unavailable: the database cannot be reached within a few seconds"""
        self._connection, self._placeholder, self._failure = _connect(url)

    def started(self, *, mac_address: str, address: str) -> bool:
        """Record that the card has a lease on its address; False when it has no right to the address."""
        with self._transaction() as run:
            return bool(run(_START, (_now(), address, mac_address)))

    def ended(self, *, mac_address: str, address: str) -> bool:
        """Record that the lease is over; an address that was given back before is free from now on.

        False when the address is not this card's: its new user's lease is not touched.
        """
        with self._transaction() as run:
            found = bool(run(_END, (_now(), address, mac_address)))
            if found and run(_FREE, (address, mac_address)):
                run(_FORGET, (mac_address,))
            return found

    def current(self, network_ids: Sequence[int]) -> list[Lease]:
        """The leases that hold on these networks."""
        with self._cursor() as cursor:
            found = []
            for network_id in network_ids:
                cursor.execute(_CURRENT.replace("?", self._placeholder), (network_id,))
                found += [Lease(mac_address=mac, address=ip, hostname=name) for mac, ip, name in cursor.fetchall()]
            return found

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Any]:
        with self._cursor() as cursor:
            if self._placeholder == "?":
                cursor.execute("BEGIN IMMEDIATE")

            def run(statement: str, values: tuple[object, ...]) -> int:
                cursor.execute(statement.replace("?", self._placeholder), values)
                return int(cursor.rowcount)

            yield run
            self._connection.commit()

    @contextlib.contextmanager
    def _cursor(self) -> Iterator[Any]:
        try:
            cursor = self._connection.cursor()
            yield cursor
            cursor.close()
        except self._failure as exc:
            raise errors.Unavailable("The database did not take the lease.", detail=str(exc)) from exc


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def _connect(url: str) -> tuple[Any, str, type[Exception]]:
    """A connection, the mark for a value in its SQL, and the class of its errors."""
    parts = urlsplit(url)
    kind = parts.scheme.partition("+")[0]
    if kind == "sqlite":
        import sqlite3

        path, failure = unquote(parts.path[1:]), sqlite3.Error
        return _opened(lambda: sqlite3.connect(path, timeout=WAIT_S, isolation_level=None), failure), "?", failure
    place: dict[str, Any] = {
        "host": parts.hostname,
        "port": parts.port,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "database": unquote(parts.path[1:]),
        "connect_timeout": CONNECT_S,
    } | dict(parse_qsl(parts.query))
    place = {name: value for name, value in place.items() if value}
    if kind in ("mysql", "mariadb"):
        return _mariadb(place)
    return _postgresql(place)


def _mariadb(place: dict[str, Any]) -> tuple[Any, str, type[Exception]]:
    import pymysql

    tls = {name: place.pop(name) for name in list(place) if name.startswith("ssl_")}
    known = {"host", "port", "user", "password", "database", "connect_timeout", "unix_socket", "charset"}
    wanted = {name: value for name, value in place.items() if name in known}
    waits = {"read_timeout": WAIT_S, "write_timeout": WAIT_S, "client_flag": pymysql.constants.CLIENT.FOUND_ROWS}
    connection = _opened(lambda: pymysql.connect(**wanted, **waits, **tls), pymysql.Error)
    return connection, "%s", pymysql.Error


def _postgresql(place: dict[str, Any]) -> tuple[Any, str, type[Exception]]:
    import psycopg2

    place["dbname"] = place.pop("database")
    limits = f"-c lock_timeout={WAIT_S * 1000} -c statement_timeout={WAIT_S * 1000}"
    return _opened(lambda: psycopg2.connect(**place, options=limits), psycopg2.Error), "%s", psycopg2.Error


def _opened(connect: Any, failure: type[Exception]) -> Any:
    try:
        return connect()
    except failure as exc:
        raise errors.Unavailable("The database does not answer.", detail=str(exc)) from exc
