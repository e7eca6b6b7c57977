# SPDX-License-Identifier: Apache-2.0
"""One transaction, as repository functions see it: a connection, one time, and what is to be done after the commit."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy.exc import DBAPIError

from nova import errors
from nova.db.failures import Failure, classify


def utcnow() -> datetime.datetime:
    """Now, as all tables keep it: naive UTC with microseconds."""
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)


class Transaction:
    """What every repository function takes first.  Made by :class:`nova.db.engine.Database` only."""

    def __init__(self, connection: Connection, *, write: bool) -> None:
        self.connection = connection
        self.write = write
        self.now = utcnow()
        """The time of everything that this transaction writes."""
        self.dialect: str = connection.dialect.name
        """``sqlite``, ``mysql`` (MariaDB too) or ``postgresql``"""
        self._after: list[Callable[[], object]] = []
        self._doomed = ""

    def execute(self, statement: Executable, values: Any = None) -> CursorResult[*tuple[Any, ...]]:
        """Run one statement; a list of values runs it for each of them in one go."""
        return self.connection.execute(statement, values)

    def after_commit(self, work: Callable[[], object]) -> None:
        """Do *work* once everything is safely written, in the order of asking; never when it was rolled back."""
        self._after.append(work)

    def doom(self, why: str) -> None:
        """Make a commit impossible: half of a change was made, and only the roll-back takes it away."""
        self._doomed = why

    def ensure_committable(self) -> None:
        """Raise InternalError when the transaction was doomed and the error was swallowed on its way out."""
        if self._doomed:
            raise errors.InternalError(detail=f"a transaction was to be committed although {self._doomed}")

    def run_after_commit(self) -> None:
        """Do what was asked for with :meth:`after_commit`."""
        for work in self._after:
            work()

    @contextlib.contextmanager
    def unique(self, message: str, **data: Any) -> Iterator[None]:
        """Raise AlreadyExists with *message* when the body meets a unique constraint.

        The body is a savepoint: the caller may catch the error and go on with the same transaction.
        """
        try:
            with self.connection.begin_nested():
                yield
        except DBAPIError as error:
            if classify(error) is Failure.DUPLICATE:
                raise errors.AlreadyExists(message, **data) from error
            raise
