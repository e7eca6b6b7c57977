# SPDX-License-Identifier: Apache-2.0
"""The way to the database: connections, transactions, tries again.  Runs in every daemon but nova-compute.

    db = Database(DatabaseSettings(url=…))
    db.connect()                                  # once, at start; waits for a server that is not up yet
    with db.transaction() as tx:                  # at the edge: once per request, message or periodic turn
        instances.get(tx, uuid)
    db.run(lambda tx: quotas.claim(tx, …))        # the same, tried again on deadlock and lost connections

A failure leaves nothing behind: the transaction is rolled back and its ``after_commit`` work is dropped.
Never wait for anything but the database inside a transaction.
"""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from nova import errors
from nova.db.connections import StatementLog, is_memory, make_engine
from nova.db.failures import Failure, classify
from nova.db.settings import DatabaseSettings, parse_url, place
from nova.db.transaction import Transaction
from nova.system.outage import Outage

__all__ = ["Database", "DatabaseSettings", "Transaction"]

LOG = logging.getLogger(__name__)

R = TypeVar("R")

_TRIES = 8
_TRY_AGAIN_FOR_S = 20.0
_FIRST_PAUSE_S = 0.01
_LONGEST_PAUSE_S = 1.0
_SQLITE_WAIT_S = 30.0


class _CommitFailed(Exception):
    """The commit itself failed with a lost connection: nobody knows whether it took effect."""


class Database:
    """One database with its pool of connections.  Safe to share between all threads of a process."""

    def __init__(self, settings: DatabaseSettings, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.settings = settings
        self.url = parse_url(settings.url)
        self.place = place(self.url)
        """User, host and database for log lines; no password."""
        self.log = StatementLog(trace=settings.trace, slow_query_s=settings.slow_query_s)
        self.engine = make_engine(self.url, settings, self.log)
        self.outage = Outage()
        """When the database was last away, or what else keeps heartbeats from it"""
        self._sleep = sleep
        self._sqlite = self.url.get_backend_name() == "sqlite"
        self._memory = is_memory(self.url)
        self._writer = threading.Lock()
        self._writing_thread: int | None = None

    @property
    def statements(self) -> int:
        """How many statements were sent since the start."""
        return self.log.count

    def connect(self) -> None:
        """Wait until the database answers, at most ``max_retries`` times ``retry_interval_s`` seconds.

        Raises InvalidConfiguration at once when the server refuses the user, the password or the database's name, and
        Unavailable when the tries are used up.
        """
        tries = 0
        while True:
            try:
                with self.engine.connect():
                    break
            except SQLAlchemyError as error:
                tries += 1
                self._explain_start(error, tries)
            self._sleep(self.settings.retry_interval_s)
        if tries:
            LOG.info("Connected to the %s.", self.place)

    def _explain_start(self, error: SQLAlchemyError, tries: int) -> None:
        failure = classify(error)
        if failure is Failure.REFUSED:
            raise errors.InvalidConfiguration(
                f"The {self.place} refuses us: check user, password and database name in [database] connection.",
                detail=_driver_text(error),
            ) from error
        most = self.settings.max_retries
        if failure is not Failure.AWAY or (most >= 0 and tries > most):
            raise self._translated(error) from error
        LOG.warning(
            "Cannot connect to the %s (try %d of %s): %s. Trying again in %g s.",
            *(self.place, tries, most + 1 if most >= 0 else "any number", _driver_text(error)),
            self.settings.retry_interval_s,
        )

    @contextlib.contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[Transaction]:
        """One transaction: committed at the end of the body, rolled back when it raises.

        Raises Unavailable when the database is away, and InvalidInput for a value that a column cannot hold.  With
        ``write=False`` statements that write are refused.
        """
        try:
            with self._attempt(write) as tx:
                yield tx
        except _CommitFailed as failed:
            raise self._unknown_outcome() from failed.__cause__
        except (SQLAlchemyError, UnicodeEncodeError) as error:
            self._note(error)
            raise self._translated(error) from error
        tx.run_after_commit()

    def run(self, work: Callable[[Transaction], R], *, write: bool = True) -> R:
        """The result of *work* in a transaction of its own.

        Tried again, a bounded number of times, after a deadlock, a serialization failure, a lock time-out, and when the
        connection was lost before the commit.  *work* may so be called several times and must touch nothing but *tx*.
        """
        attempt = 0
        deadline = time.monotonic() + _TRY_AGAIN_FOR_S
        while True:
            attempt += 1
            try:
                with self._attempt(write) as tx:
                    result = work(tx)
            except _CommitFailed as failed:
                raise self._unknown_outcome() from failed.__cause__
            except (SQLAlchemyError, UnicodeEncodeError) as error:
                self._note(error)
                last = attempt == _TRIES or time.monotonic() > deadline
                if last or classify(error) not in {Failure.CONFLICT, Failure.AWAY}:
                    raise self._translated(error) from error
                LOG.info("Trying a transaction again (%d of %d): %s", attempt + 1, _TRIES, _driver_text(error))
            else:
                tx.run_after_commit()
                return result
            self._sleep(random.uniform(0.5, 1.0) * min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 3**attempt))  # noqa: S311

    def _note(self, error: Exception) -> None:
        if classify(error) is Failure.AWAY:
            self.outage.note()

    def dispose(self) -> None:
        """Close all connections that are not in use."""
        self.engine.dispose()

    @contextlib.contextmanager
    def _attempt(self, write: bool) -> Iterator[Transaction]:
        with self._turn(write), self.engine.connect() as bare:
            connection = bare.execution_options(nova_write=write)
            self._begin(connection)
            tx = Transaction(connection, write=write)
            yield tx
            if write:
                tx.ensure_committable()
                self._commit(connection)

    @contextlib.contextmanager
    def _turn(self, write: bool) -> Iterator[None]:
        """Let the writers of this process come one after another to SQLite, which would block the whole process."""
        if not self._sqlite or not (write or self._memory):
            yield
            return
        if self._writing_thread == threading.get_ident():
            raise errors.InternalError(detail="a transaction was begun inside another")
        if not self._writer.acquire(timeout=_SQLITE_WAIT_S):
            raise errors.Unavailable("The database is busy.", detail="a transaction of this process does not end")
        self._writing_thread = threading.get_ident()
        try:
            yield
        finally:
            self._writing_thread = None
            self._writer.release()

    def _begin(self, connection: Connection) -> None:
        deadline = time.monotonic() + _SQLITE_WAIT_S
        while True:
            try:
                connection.begin()
            except DBAPIError as error:
                if not self._sqlite or classify(error) is not Failure.CONFLICT or time.monotonic() > deadline:
                    raise
            else:
                return
            self._sleep(random.uniform(0.001, 0.01))  # noqa: S311

    def _commit(self, connection: Connection) -> None:
        try:
            connection.commit()
        except DBAPIError as error:
            if classify(error) is Failure.AWAY:
                raise _CommitFailed from error
            raise

    def _unknown_outcome(self) -> errors.Unavailable:
        return errors.Unavailable(
            "The database went away while it saved the change: look whether it took effect before trying again.",
            detail=f"commit on {self.place}",
        )

    def _translated(self, error: Exception) -> errors.NovaError:
        text = _driver_text(error)
        failure = Failure.BAD_VALUE if isinstance(error, UnicodeEncodeError) else classify(error)
        if failure in {Failure.AWAY, Failure.CONFLICT, Failure.REFUSED}:
            return errors.Unavailable("The database is not available now.", detail=f"{self.place}: {text}")
        if failure is Failure.BAD_VALUE:
            return errors.InvalidInput("A value is too long, too large or not text for the database.", detail=text)
        if failure is Failure.TOO_SLOW:
            return errors.Timeout("The database did not answer this query in time.", detail=text)
        return errors.InternalError(detail=f"{self.place}: {text}")


def _driver_text(error: Exception) -> str:
    """What the driver said, in one line, without the statement and its values."""
    cause = getattr(error, "orig", None) or error
    return f"{type(cause).__name__}: {' '.join(str(cause).split())[:300]}"
