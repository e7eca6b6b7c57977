# SPDX-License-Identifier: Apache-2.0
"""An SQLite database with all tables, for one test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nova.db.engine import Database, DatabaseSettings
from nova.db.models import Base

pytest.register_assert_rewrite("tests.unit.db.contracts")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """An empty database in a file of its own."""
    database = Database(DatabaseSettings(url=f"sqlite:///{tmp_path}/nova.sqlite", max_pool_size=4, max_overflow=40))
    with database.transaction() as tx:
        Base.metadata.create_all(tx.connection)
    yield database
    database.dispose()
