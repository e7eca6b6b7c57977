# SPDX-License-Identifier: Apache-2.0
"""Separate daemons on RabbitMQ and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.databases import PostgreSql
from tests.integration.production import ProductionCloud
from tests.integration.production_contract import ProductionContract

pytestmark = [pytest.mark.root, pytest.mark.slow]


@pytest.fixture(scope="module")
def cloud() -> Iterator[ProductionCloud]:
    with ProductionCloud(PostgreSql.create) as cloud:
        yield cloud


class TestProductionOnPostgreSQL(ProductionContract):
    """All of the contract."""
