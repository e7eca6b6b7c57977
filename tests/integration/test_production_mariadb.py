# SPDX-License-Identifier: Apache-2.0
"""Separate daemons on RabbitMQ and MariaDB."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.databases import MariaDb
from tests.integration.production import ProductionCloud
from tests.integration.production_contract import ProductionContract
from tests.integration.production_power import PowerContract

pytestmark = [pytest.mark.root, pytest.mark.slow]


@pytest.fixture(scope="module")
def cloud() -> Iterator[ProductionCloud]:
    with ProductionCloud(MariaDb.create) as cloud:
        yield cloud


class TestProductionOnMariaDB(ProductionContract, PowerContract):
    """All of the contract."""
