# SPDX-License-Identifier: Apache-2.0
"""Bringing the tables to a version: what ``nova-manage db sync`` and ``db version`` do.

Revisions are numbers: ``001``, ``002`` …  A failed step leaves the version before it, and on SQLite and PostgreSQL its
tables too; MariaDB cannot undo a CREATE TABLE, so there the operator goes back to his dump.
"""

from __future__ import annotations

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from nova import errors
from nova.db import flavors
from nova.db.engine import Database
from nova.domain.flavor import STOCK_FLAVORS

LOG = logging.getLogger(__name__)

SCRIPTS = Path(__file__).parent / "migrations"


def sync(db: Database, version: int | None = None) -> int:
    """Bring the tables to *version* (None: the newest), up or down, and return it.

    A database that was empty gets the stock flavors.  Raises InvalidInput for a version that does not exist.
    """
    wanted = newest() if version is None else version
    present = _present(db)
    if not 0 <= wanted <= newest():
        raise errors.InvalidInput(f"There is no database version {wanted}; the newest is {newest()}.", field="version")
    if wanted != present:
        LOG.info("Bringing the %s from version %d to %d.", db.place, present, wanted)
        target = f"{wanted:03d}" if wanted else "base"
        with db.engine.begin() as connection:
            config = _config()
            config.attributes["connection"] = connection
            (command.upgrade if wanted > present else command.downgrade)(config, target)
    if present == 0 and wanted > 0:
        with db.transaction() as tx:
            flavors.add_missing(tx, STOCK_FLAVORS)
    return wanted


def version(db: Database) -> int:
    """The version that the tables have; 0 for an empty database."""
    return _present(db)


def newest() -> int:
    """The newest version there is."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    return int(head) if head else 0


def require_newest(db: Database) -> None:
    """Raise InvalidConfiguration, saying what to run, when the tables are missing or not of the newest version."""
    present = _present(db)
    if present < newest():
        what = "has no tables" if present == 0 else f"is at version {present}, older than {newest()}"
        raise errors.InvalidConfiguration(f"The {db.place} {what}: run 'nova-manage db sync'.")


def _present(db: Database) -> int:
    with db.engine.connect() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
    return int(revision) if revision else 0


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return config
