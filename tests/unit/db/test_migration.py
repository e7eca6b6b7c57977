# SPDX-License-Identifier: Apache-2.0
"""Versions of the tables, on SQLite."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from nova import errors
from nova.db import flavors, migration
from nova.db.engine import Database, DatabaseSettings
from nova.db.models import Base
from nova.domain.flavor import STOCK_FLAVORS


@pytest.fixture
def empty(tmp_path: Path) -> Database:
    """A database without tables."""
    return Database(DatabaseSettings(url=f"sqlite:///{tmp_path}/empty.sqlite"))


def differences(db: Database) -> list[object]:
    """What alembic would change to bring the tables to the models."""
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        return list(compare_metadata(context, Base.metadata))


def test_up_down_and_up_again_gives_what_the_models_say(empty: Database) -> None:
    assert migration.sync(empty) == migration.version(empty) == migration.newest() >= 1
    assert differences(empty) == []
    assert migration.sync(empty, 0) == migration.version(empty) == 0
    assert migration.sync(empty) == migration.newest()
    assert differences(empty) == []
    empty.dispose()


def test_a_new_database_has_the_stock_flavors_once(empty: Database) -> None:
    migration.sync(empty)
    migration.sync(empty)
    with empty.transaction(write=False) as tx:
        assert [flavor.name for flavor in flavors.find(tx)] == [flavor.name for flavor in STOCK_FLAVORS]
    empty.dispose()


def test_missing_tables_are_named_with_the_remedy(empty: Database) -> None:
    with pytest.raises(errors.InvalidConfiguration, match=r"has no tables: run 'nova-manage db sync'"):
        migration.require_newest(empty)
    migration.sync(empty)
    migration.require_newest(empty)
    empty.dispose()


def test_an_unknown_version_is_refused(empty: Database) -> None:
    for version in (-1, 99):
        with pytest.raises(errors.InvalidInput, match="no database version"):
            migration.sync(empty, version)
    empty.dispose()
