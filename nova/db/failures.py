# SPDX-License-Identifier: Apache-2.0
"""What an exception of a database driver means, whichever of the three databases it came from."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

if TYPE_CHECKING:
    import sqlite3

_MARIADB_CONFLICTS = {1020, 1205, 1213, 3572}
_MARIADB_AWAY = {1040, 1047, 1053, 1077, 1079, 1129, 1130, 1203, 1927, 2002, 2003, 2006, 2013, 2014, 2055}
_MARIADB_REFUSALS = {1044, 1045, 1049, 1698}
_MARIADB_BAD_VALUES = {1264, 1366, 1406, 3854}
_MARIADB_TOO_SLOW = {1969, 3024}
_POSTGRESQL_CONFLICTS = {"40001", "40P01", "55P03"}
_POSTGRESQL_REFUSED_TEXTS = (
    "authentication failed",
    "no pg_hba.conf entry",
    "no password supplied",
    "does not exist",
    "is not permitted to log in",
)


class Failure(enum.Enum):
    """What happened to a statement, a commit or a connection."""

    DUPLICATE = "duplicate"
    """A unique constraint stands against it."""
    CONFLICT = "conflict"
    """Deadlock, serialization failure or lock time-out: the same work may succeed when tried again."""
    AWAY = "away"
    """The server cannot be reached, or the connection to it was lost."""
    REFUSED = "refused"
    """The server does not accept this user, password or database."""
    BAD_VALUE = "bad value"
    """A value that the column cannot hold."""
    TOO_SLOW = "too slow"
    """The statement passed the time limit that was set for it."""
    OTHER = "other"


def classify(error: Exception) -> Failure:
    """The meaning of *error*, an exception that SQLAlchemy raised."""
    if isinstance(error, PoolTimeout):
        return Failure.AWAY
    if not isinstance(error, DBAPIError) or error.orig is None:
        return Failure.OTHER
    cause = error.orig
    if type(cause).__module__ == "sqlite3":  # by name: daemons on other databases do without the library
        return _sqlite(cause)  # type: ignore[arg-type]
    if hasattr(cause, "pgcode"):
        return _postgresql(error, cause.pgcode)
    return _mariadb(error, cause.args[0] if cause.args else None)


def _sqlite(cause: sqlite3.Error) -> Failure:
    name = getattr(cause, "sqlite_errorname", "") or ""
    if name in {"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}:
        return Failure.DUPLICATE
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return Failure.CONFLICT
    if name in {"SQLITE_TOOBIG", "SQLITE_MISMATCH"}:
        return Failure.BAD_VALUE
    if name == "SQLITE_INTERRUPT":
        return Failure.TOO_SLOW
    return Failure.AWAY if name.startswith(("SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_FULL")) else Failure.OTHER


def _mariadb(error: DBAPIError, code: object) -> Failure:
    if code in {1062, 1586}:
        return Failure.DUPLICATE
    for codes, failure in (
        (_MARIADB_CONFLICTS, Failure.CONFLICT),
        (_MARIADB_REFUSALS, Failure.REFUSED),
        (_MARIADB_BAD_VALUES, Failure.BAD_VALUE),
        (_MARIADB_TOO_SLOW, Failure.TOO_SLOW),
        (_MARIADB_AWAY, Failure.AWAY),
    ):
        if code in codes:
            return failure
    return Failure.AWAY if error.connection_invalidated else Failure.OTHER


def _postgresql(error: DBAPIError, code: str | None) -> Failure:
    if code is None:
        return _postgresql_connection(str(error.orig), lost=error.connection_invalidated)
    if code == "23505":
        return Failure.DUPLICATE
    if code in _POSTGRESQL_CONFLICTS:
        return Failure.CONFLICT
    if code == "57014":
        return Failure.TOO_SLOW
    if code[:2] == "22":
        return Failure.BAD_VALUE
    if code[:2] in {"08", "53"} or code in {"57P01", "57P02", "57P03"}:
        return Failure.AWAY
    return Failure.REFUSED if code[:2] == "28" or code == "3D000" else Failure.OTHER


def _postgresql_connection(text: str, *, lost: bool) -> Failure:
    # psycopg2 gives no SQLSTATE for an attempt to connect, so the server's text is all there is.
    if not lost and any(known in text for known in _POSTGRESQL_REFUSED_TEXTS):
        return Failure.REFUSED
    return Failure.AWAY
