# SPDX-License-Identifier: Apache-2.0
"""Creating a network of 2^20 addresses: nothing may be written for an address that nobody uses."""

from __future__ import annotations

import tempfile

from bench.table import Row
from bench.timing import seconds
from nova.db import addresses, networks
from nova.db.engine import Database, DatabaseSettings
from nova.db.models import Base
from nova.domain.network_plan import CreateNetwork, plan

CIDR = "10.0.0.0/12"


def rows() -> list[Row]:
    """One row."""
    with tempfile.TemporaryDirectory(prefix="nova-bench-") as directory:
        db = Database(DatabaseSettings(url=f"sqlite:///{directory}/nova.sqlite"))
        Base.metadata.create_all(db.engine)
        try:
            took_s = seconds(lambda: create(db))
        finally:
            db.dispose()
    return [Row(what="create a network of 2^20 addresses", ours=took_s * 1000, unit="ms", at_most=1000)]


def create(db: Database) -> None:
    """What ``nova-manage network create`` does with the database."""
    planned = plan(CreateNetwork(label="net", cidr=CIDR, network_size=2**20), [])
    with db.transaction() as tx:
        [network] = networks.create(tx, planned.networks)
        addresses.reserve_plan(tx, network, planned.reserved[0])
