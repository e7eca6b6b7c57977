# SPDX-License-Identifier: Apache-2.0
"""How to reach the database, as plain values, and what they mean to SQLAlchemy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from nova import errors

_DRIVERS = {
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "mariadb+pymysql": "mysql+pymysql",
    "postgres": "postgresql+psycopg2",
    "postgresql": "postgresql+psycopg2",
}
_LOCK_WAIT_S = 15
_CONNECT_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """The values of the options of group ``[database]``."""

    url: str = field(repr=False)
    """``sqlite:////path``, ``mysql://user:password@host/nova``, ``postgresql://…``"""
    max_pool_size: int = 10
    max_overflow: int = 20
    """Connections above *max_pool_size* that may be opened for a moment"""
    pool_timeout_s: float = 30
    """How long a transaction waits for a free connection"""
    idle_timeout_s: int = 3600
    """Connections older than this are replaced"""
    max_retries: int = 10
    """Tries to connect at start after the first; -1 is for ever"""
    retry_interval_s: float = 10
    trace: bool = False
    """Log every statement, without its values"""
    slow_query_s: float = 0
    """Log statements that took longer; 0 logs none"""


def parse_url(text: str) -> URL:
    """The SQLAlchemy URL for what an operator wrote; InvalidConfiguration for text that is none."""
    try:
        url = make_url(text)
    except ArgumentError:
        raise errors.InvalidConfiguration("The option [database] connection is not a database URL.") from None
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    if url.get_backend_name() not in {"sqlite", "mysql", "postgresql"}:
        raise errors.InvalidConfiguration(
            f"The database kind {url.drivername} in [database] connection is not supported."
        )
    return url


def place(url: URL) -> str:
    """Where *url* points, for people: user, host and database, and no password."""
    if url.get_backend_name() == "sqlite":
        return f"SQLite file {url.database or ':memory:'}"
    port = f":{url.port}" if url.port else ""
    where = f"{url.host}{port}" if url.host else (url.query.get("unix_socket") or "the local socket")
    return f"{url.get_backend_name()} database {url.database!r} on {where} as user {url.username!r}"


def connect_arguments(url: URL) -> dict[str, Any]:
    """What the driver needs so that all three databases mean the same by text, time and lock waits."""
    kind = url.get_backend_name()
    if kind == "sqlite":
        return {"check_same_thread": False, "timeout": 0.02, "isolation_level": None}
    if kind == "mysql":
        return {
            "charset": "utf8mb4",
            "connect_timeout": _CONNECT_S,
            "init_command": f"SET SESSION sql_mode='TRADITIONAL', innodb_lock_wait_timeout={_LOCK_WAIT_S}, "
            "time_zone='+00:00'",
        }
    return {"connect_timeout": _CONNECT_S, "options": f"-c lock_timeout={_LOCK_WAIT_S * 1000} -c timezone=UTC"}
