# SPDX-License-Identifier: Apache-2.0
"""SQLAlchemy engines set up so that SQLite, MariaDB and PostgreSQL behave alike, with a count of the statements."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import QueuePool, StaticPool

from nova import errors
from nova.db import patterns
from nova.db.settings import DatabaseSettings, connect_arguments

LOG = logging.getLogger(__name__)

_IDLE_BEFORE_CHECK_S = 5.0


class StatementLog:
    """Counts statements, logs slow ones, and keeps their texts while a test or benchmark asks for it."""

    def __init__(self, *, trace: bool, slow_query_s: float) -> None:
        self.count = 0
        self._trace = trace
        self._slow_s = slow_query_s
        self._recordings: list[list[str]] = []

    @contextlib.contextmanager
    def recording(self) -> Iterator[list[str]]:
        """The texts of all statements that are sent while the body runs."""
        texts: list[str] = []
        self._recordings.append(texts)
        try:
            yield texts
        finally:
            self._recordings.remove(texts)

    def before(self, connection: Connection, statement: str, context: Any) -> None:
        """Note a statement that is about to be sent; refuse one that writes in a transaction that only reads."""
        if statement.startswith("BEGIN"):
            return
        self.count += 1
        for texts in self._recordings:
            texts.append(statement)
        if self._slow_s:
            context.nova_started = time.perf_counter()
        writes = context.isinsert or context.isupdate or context.isdelete
        if writes and connection.get_execution_options().get("nova_write") is False:
            raise errors.InternalError(detail=f"a statement that writes in a read transaction: {statement[:200]}")

    def after(self, statement: str, context: Any) -> None:
        """Log a statement that was traced or slow.  Values are never logged."""
        if self._trace:
            LOG.debug("SQL: %s", statement)
        if self._slow_s and hasattr(context, "nova_started"):
            taken = time.perf_counter() - context.nova_started
            if taken > self._slow_s:
                LOG.warning("A statement took %.2f s: %s", taken, statement)


def is_memory(url: URL) -> bool:
    """Whether *url* is an SQLite database that lives in one connection."""
    return url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}


def make_engine(url: URL, settings: DatabaseSettings, log: StatementLog) -> Engine:
    """An engine on *url*; nothing is connected yet."""
    pool: dict[str, Any] = {"poolclass": StaticPool}
    if not is_memory(url):
        pool = {
            "poolclass": QueuePool,
            "pool_size": settings.max_pool_size,
            "max_overflow": settings.max_overflow,
            "pool_use_lifo": True,
            "pool_timeout": settings.pool_timeout_s,
            "pool_recycle": settings.idle_timeout_s if settings.idle_timeout_s > 0 else -1,
        }
    isolation = {} if url.get_backend_name() == "sqlite" else {"isolation_level": "READ COMMITTED"}
    engine = create_engine(url, connect_args=connect_arguments(url), hide_parameters=True, **isolation, **pool)
    if url.get_backend_name() == "sqlite":
        _teach_sqlite(engine)
    else:
        _check_idle_connections(engine)
    if url.get_backend_name() == "mysql":
        from nova.db.mariadb import connect_by_ourselves  # brings PyMySQL

        connect_by_ourselves(engine)
    _count_statements(engine, log)
    return engine


def _teach_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.create_function("regexp", 2, patterns.search, deterministic=True)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("nova_write", True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _check_idle_connections(engine: Engine) -> None:
    """Ask a connection that has rested whether it still lives, so that a restarted server costs no request."""

    @event.listens_for(engine, "checkin")
    def resting(_connection: Any, record: Any) -> None:
        record.info["nova_resting_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ask(connection: Any, record: Any, _fairy: Any) -> None:
        since = record.info.get("nova_resting_since")
        if since is None or time.monotonic() - since < _IDLE_BEFORE_CHECK_S:
            return
        try:
            alive = engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError("the connection was closed while it rested") from error
        if not alive:
            raise DisconnectionError("the connection was closed while it rested")


def _count_statements(engine: Engine, log: StatementLog) -> None:
    @event.listens_for(engine, "before_cursor_execute")
    def before(connection: Connection, _cursor: Any, statement: str, _values: Any, context: Any, _many: bool) -> None:
        log.before(connection, statement, context)

    @event.listens_for(engine, "after_cursor_execute")
    def after(_connection: Connection, _cursor: Any, statement: str, _values: Any, context: Any, _many: bool) -> None:
        log.after(statement, context)
