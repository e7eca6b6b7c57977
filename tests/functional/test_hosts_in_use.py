# SPDX-License-Identifier: Apache-2.0
"""Which hosts get new servers, how full they may become, and that what they have in use is exact and repaired."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from nova.conductor.recovery import CLAIMS_EVERY_S
from nova.db import services
from nova.db.compute_nodes import CLAIMS, NODES
from nova.domain.states import VmState
from nova.scheduler.limits import Limits
from tests.functional.osapi.test_life_of_a_server import Client
from tests.functional.workflow_cloud import WorkflowCloud


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[WorkflowCloud]:
    made = WorkflowCloud(tmp_path)
    made.add_network()
    yield made
    made.close()


def states(cloud: WorkflowCloud, *uuids: str) -> list[VmState]:
    return [each.vm_state for each in cloud.settled(*uuids)]


def test_a_disabled_host_keeps_its_servers_and_gets_no_new_ones(cloud: WorkflowCloud) -> None:
    cloud.add_scheduler()
    cloud.add_host("a")
    [old] = cloud.boot()
    cloud.settled(old)
    with cloud.db.transaction() as tx:
        services.set_enabled(tx, "a", "nova-compute", enabled=False, reason="new disks")
    [refused] = cloud.boot()
    assert states(cloud, refused) == [VmState.ERROR]
    assert "No valid host" in str(cloud.fault(refused))
    client = Client(cloud)
    for action, state in (({"os-stop": None}, "SHUTOFF"), ({"os-start": None}, "ACTIVE"), ({"pause": None}, "PAUSED")):
        assert client.call("POST", f"/servers/{old}/action", action)[0] == 202
        client.becomes(old, state)
    cloud.add_host("b")
    [other] = cloud.boot()
    assert states(cloud, other) == [VmState.ACTIVE]
    assert cloud.guests()[other] == ["b"]
    with cloud.db.transaction() as tx:
        services.set_enabled(tx, "a", "nova-compute", enabled=True)
        services.set_enabled(tx, "b", "nova-compute", enabled=False)
    [back] = cloud.boot()
    cloud.settled(back)
    assert cloud.guests()[back] == ["a"]


@pytest.mark.parametrize(
    ("limits", "host"),
    [
        (Limits(cpu_ratio=1.5, ram_ratio=9.0, disk_ratio=9.0, reserved_memory_mb=0), {"vcpus": 2}),
        (Limits(cpu_ratio=99.0, ram_ratio=1.5, disk_ratio=9.0, reserved_memory_mb=0), {"memory_mb": 2048}),
        (Limits(cpu_ratio=99.0, ram_ratio=2.0, disk_ratio=9.0, reserved_memory_mb=1024), {"memory_mb": 2048}),
        (Limits(cpu_ratio=99.0, ram_ratio=9.0, disk_ratio=0.5, reserved_memory_mb=0), {"disk_gb": 6}),
        (Limits(cpu_ratio=99.0, ram_ratio=9.0, disk_ratio=1.0, reserved_disk_gb=2), {"disk_gb": 5}),
    ],
    ids=["cpu", "ram", "reserved memory", "disk", "reserved disk"],
)
def test_a_host_is_filled_up_to_its_ratios_and_not_further(
    cloud: WorkflowCloud, limits: Limits, host: dict[str, int]
) -> None:
    cloud._limits = limits
    cloud.add_scheduler()
    cloud.add_host("a", **host)
    fits = cloud.boot(3)
    assert states(cloud, *fits) == [VmState.ACTIVE] * 3
    [one_more] = cloud.boot()
    assert states(cloud, one_more) == [VmState.ERROR]
    assert cloud.used()["a"] == (3, 3 * 1024, 3)
    cloud.delete(fits[0])
    cloud.settled(fits[0])
    [again] = cloud.boot()
    assert states(cloud, again) == [VmState.ACTIVE]
    assert cloud.used()["a"] == (3, 3 * 1024, 3)


def test_wrong_claims_are_repaired(cloud: WorkflowCloud) -> None:
    cloud.add_scheduler()
    cloud.add_host("a")
    first, second = cloud.boot(2)
    cloud.settled(first, second)
    with cloud.db.transaction() as tx:
        tx.execute(delete(CLAIMS).where(CLAIMS.c.instance_uuid == first))
        tx.execute(update(NODES).values(vcpus_used=77, local_gb_used=0))
    recovery = cloud.conductor._recovery
    recovery._claims_at -= CLAIMS_EVERY_S + 1
    recovery.turn()
    assert sorted(cloud.claims()) == sorted([first, second])
    assert cloud.used()["a"] == (2, 2048, 2)
