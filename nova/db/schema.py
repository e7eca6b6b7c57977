# SPDX-License-Identifier: Apache-2.0
"""Which version the tables have, told by one query: daemons ask at their start, without loading what changes tables."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, text

from nova import errors
from nova.db.engine import Database, Transaction

SCRIPTS = Path(__file__).parent / "migrations"
_TABLE = "alembic_version"


def newest() -> int:
    """The newest version there is; the files that lead to a version begin with its number."""
    numbers = (path.name.partition("_")[0] for path in (SCRIPTS / "versions").glob("*.py"))
    return max((int(number) for number in numbers if number.isdecimal()), default=0)


def version(db: Database) -> int:
    """The version that the tables have; 0 for an empty database."""

    def work(tx: Transaction) -> int:
        return _version(tx.connection)

    return db.run(work, write=False)


def require_newest(db: Database) -> None:
    """Raise InvalidConfiguration, saying what to run, when the tables are missing or older than this program."""
    present, wanted = version(db), newest()
    if present < wanted:
        what = "has no tables" if present == 0 else f"is at version {present}, older than {wanted}"
        raise errors.InvalidConfiguration(f"The {db.place} {what}: run 'nova-manage db sync'.")


def _version(connection: Connection) -> int:
    if not connection.dialect.has_table(connection, _TABLE):
        return 0
    found = connection.execute(text(f"SELECT version_num FROM {_TABLE}")).scalar()
    return int(found) if found else 0
