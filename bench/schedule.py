# SPDX-License-Identifier: Apache-2.0
"""How long it takes to choose and claim one of 10,000 hosts, against the floor: one pass over their rows.

A part of ``python -m bench``.
"""

from __future__ import annotations

import tempfile
import uuid

from sqlalchemy import insert, select

from bench.table import Row
from bench.timing import best_of
from nova.context import RequestContext
from nova.db import compute_nodes, services
from nova.db.engine import Database, DatabaseSettings
from nova.db.models import Base
from nova.domain.flavor import STOCK_FLAVORS
from nova.domain.request_spec import RequestSpec
from nova.scheduler.service import SchedulerService
from nova.scheduler.settings import SchedulerSettings

HOSTS = 10_000


def rows() -> list[Row]:
    """One row."""
    with tempfile.TemporaryDirectory(prefix="nova-bench-") as directory:
        db = Database(DatabaseSettings(url=f"sqlite:///{directory}/nova.sqlite"))
        Base.metadata.create_all(db.engine)
        add_hosts(db, HOSTS)
        scheduler = SchedulerService(db, SchedulerSettings(down_time_s=3600))
        floor_s = best_of(lambda: one_pass(db))
        ours_s = best_of(lambda: choose(scheduler))
        db.dispose()
    what = "schedule: choose and claim one of 10,000 hosts (floor: one pass over their rows)"
    return [Row(what=what, ours=ours_s * 1000, floor=floor_s * 1000, unit="ms", at_most_ratio=3)]


def add_hosts(db: Database, count: int) -> None:
    """That many hosts, all up."""
    with db.transaction() as tx:
        services.heartbeat(tx, host="h", binary="nova-compute", topic="compute")
        service = services.get_by_host(tx, "h", "nova-compute")
        tx.execute(insert(compute_nodes.NODES), [_row(tx.now, service.id, number) for number in range(count)])


def _row(now: object, service_id: int, number: int) -> dict[str, object]:
    return {
        "service_id": service_id,
        "host": f"h{number}",
        "hypervisor_hostname": f"h{number}",
        "vcpus": 32,
        "memory_mb": 100_000 + number,
        "local_gb": 1000,
        "disk_available_least": 900,
        "hypervisor_type": "QEMU",
        "cpu_info": "{}",
        "supported_instances": '[["x86_64", "kvm", "hvm"]]',
        "deleted": 0,
        "created_at": now,
        "updated_at": now,
    }


def one_pass(db: Database) -> int:
    """Read every row and look at it."""
    with db.transaction(write=False) as tx:
        return sum(row.memory_mb - row.memory_mb_used for row in tx.execute(select(compute_nodes.NODES)))


def choose(scheduler: SchedulerService) -> None:
    """One server's host."""
    spec = RequestSpec(
        instance_uuids=(str(uuid.uuid4()),),
        project_id="bench",
        flavor=STOCK_FLAVORS[0],
        image_properties={"architecture": "x86_64"},
        availability_zone="nova",
    )
    scheduler.select_hosts(RequestContext(), spec=spec)
