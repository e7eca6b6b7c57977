# SPDX-License-Identifier: Apache-2.0
"""Bringing the tables to a version: what ``nova-manage db sync`` and ``db version`` do.

Revisions are numbers: ``001``, ``002`` …  A failed step leaves the version before it, and on SQLite and PostgreSQL its
tables too; MariaDB cannot undo a CREATE TABLE, so there the operator goes back to his dump.
"""

from __future__ import annotations

import logging

from alembic import command
from alembic.config import Config

from nova import errors
from nova.db import flavors, schema
from nova.db.engine import Database
from nova.db.schema import SCRIPTS, newest, require_newest, version
from nova.domain.flavor import STOCK_FLAVORS

__all__ = ["newest", "require_newest", "sync", "version"]

LOG = logging.getLogger(__name__)


def sync(db: Database, version: int | None = None) -> int:
    """Bring the tables to *version* (None: the newest), up or down, and return it.

    A database that was empty gets the stock flavors.  Raises InvalidInput for a version that does not exist.
    """
    wanted = newest() if version is None else version
    present = schema.version(db)
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


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return config
