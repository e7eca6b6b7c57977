# SPDX-License-Identifier: Apache-2.0
"""The suites of networks, addresses and security groups on MariaDB and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nova.db.engine import Database, DatabaseSettings
from nova.db.models import Base
from tests.integration.databases import DatabaseServer, mariadb, postgresql
from tests.unit.db.contracts import networks, security_groups

__all__ = ["mariadb", "postgresql"]


@pytest.fixture(scope="module", params=["mariadb", "postgresql"])
def made(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database with all tables on each of the two."""
    server: DatabaseServer = request.getfixturevalue(request.param)
    database = Database(DatabaseSettings(url=server.fresh_url(), max_pool_size=10, max_overflow=40))
    database.connect()
    with database.transaction() as tx:
        Base.metadata.create_all(tx.connection)
    yield database
    database.dispose()


@pytest.fixture
def db(made: Database) -> Database:
    """The database without rows."""
    with made.transaction() as tx:
        for table in reversed(Base.metadata.sorted_tables):
            tx.execute(table.delete())
    return made


class TestAddresses(networks.Addresses):
    """Addresses."""


class TestLeases(networks.Leases):
    """Leases."""


class TestNetworks(networks.Networks):
    """Networks."""


class TestFloatingAddresses(networks.FloatingAddresses):
    """Floating addresses."""


class TestSecurityGroups(security_groups.SecurityGroups):
    """Security groups."""


class TestInstanceFilters(security_groups.InstanceFilters):
    """Filters."""
