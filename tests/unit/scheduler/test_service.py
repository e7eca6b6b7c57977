# SPDX-License-Identifier: Apache-2.0
"""Which hosts the scheduler holds for alive, against a real database."""

from __future__ import annotations

import dataclasses
import datetime

import pytest
from sqlalchemy import update

from nova.context import admin_context
from nova.db import compute_nodes, services
from nova.db.engine import Database, DatabaseSettings
from nova.db.models import Base
from nova.db.models.base import table_of
from nova.db.models.host import ServiceRow
from nova.domain.flavor import STOCK_FLAVORS
from nova.domain.host import HostResources
from nova.domain.request_spec import RequestSpec
from nova.errors import NoCapacity
from nova.scheduler.service import SchedulerService
from nova.scheduler.settings import SchedulerSettings

SPEC = RequestSpec(
    instance_uuids=("0b0c8f4e-6a0b-4c55-9d0e-1f2a3b4c5d6e",),
    project_id="p",
    flavor=dataclasses.replace(STOCK_FLAVORS[0], id=1),
)
SILENT_S = 20.0


@pytest.fixture
def db() -> Database:
    """One host, of which nothing was heard for twenty seconds."""
    made = Database(DatabaseSettings(url="sqlite://"))
    Base.metadata.create_all(made.engine)
    resources = HostResources(
        host="h",
        node="h",
        vcpus=8,
        memory_mb=16384,
        disk_gb=100,
        disk_available_gb=100,
        hypervisor_type="QEMU",
        hypervisor_version=1,
        cpu_info="{}",
        host_ip="127.0.0.1",
        running_vms=0,
    )
    with made.transaction() as tx:
        services.heartbeat(tx, host="h", binary="nova-compute", topic="compute")
        compute_nodes.report(tx, resources)
        seen = tx.now - datetime.timedelta(seconds=SILENT_S)
        tx.execute(update(table_of(ServiceRow)).values(updated_at=seen))
    return made


def scheduler_on(db: Database) -> SchedulerService:
    return SchedulerService(db, SchedulerSettings(down_time_s=5))


def test_a_silent_host_gets_no_server(db: Database) -> None:
    with pytest.raises(NoCapacity, match="down"):
        scheduler_on(db).select_hosts(admin_context("test"), spec=SPEC)


def test_a_host_whose_heartbeats_could_not_be_written_is_not_taken_for_dead(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db.outage, "lasted_s", lambda *, within_s: SILENT_S)
    [claim] = scheduler_on(db).select_hosts(admin_context("test"), spec=SPEC)
    assert claim.host == "h"
