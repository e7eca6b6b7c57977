# SPDX-License-Identifier: Apache-2.0
"""Deletion that can be taken back, deletion at once, and deletion in the middle of other work, with all daemons."""

from __future__ import annotations

import dataclasses
import datetime
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from nova.compute.operations.soft_delete import RESTORE_STEPS
from nova.conductor.reclaim import reclaim
from nova.conductor.settings import ConductorSettings
from nova.db import instances, quotas
from nova.db.instances.rows import INSTANCES
from nova.domain.quota import DEFAULT_QUOTAS
from nova.domain.states import OperationState, PowerState, VmState
from nova.errors import HypervisorError
from tests.functional.osapi.test_life_of_a_server import Client
from tests.functional.test_rescue_workflow import dying_before
from tests.functional.workflow_cloud import ALICE, WorkflowCloud, wait_until

KEPT_S = 3600


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[WorkflowCloud]:
    made = WorkflowCloud(tmp_path, conductor=ConductorSettings(reclaim_interval_s=KEPT_S))
    made.add_scheduler()
    made.add_network()
    made.add_host("a")
    made.api = dataclasses.replace(
        made.api, settings=dataclasses.replace(made.api.settings, reclaim_instance_interval_s=KEPT_S)
    )
    yield made
    made.close()


@pytest.fixture
def uuid(cloud: WorkflowCloud) -> str:
    [made] = cloud.boot()
    cloud.settled(made)
    return made


def act(cloud: WorkflowCloud, uuid: str, action: str, *, argument: Any = None, status: int = 202) -> Any:
    answered, body = Client(cloud).call("POST", f"/servers/{uuid}/action", {action: argument})
    assert answered == status, body
    return body


def gives_up(cloud: WorkflowCloud) -> bool:
    """Whether an order on the host knows that it is pointless."""
    return any(entry.control.given_up for entry in list(cloud.daemons["a"].runner._in_hand.values()))


def pausing_before(step: str, go_on: threading.Event) -> Callable[[str], None]:
    def hook(name: str) -> None:
        if name == step:
            go_on.wait(20)

    return hook


def in_use(cloud: WorkflowCloud) -> int:
    """Servers that count for the project, which is what a recount finds."""
    with cloud.db.transaction() as tx:
        used = quotas.usages(tx, ALICE.project_id, defaults=DEFAULT_QUOTAS)
        counter = instances.usage_by_user
        assert quotas.recount(tx, ALICE.project_id, resources=("instances", "cores", "ram"), counter=counter) == {}
        return used["instances"].in_use


def soft_deleted(cloud: WorkflowCloud, uuid: str) -> None:
    assert Client(cloud).call("DELETE", f"/servers/{uuid}")[0] == 204
    assert cloud.settled(uuid)[0].vm_state is VmState.SOFT_DELETED


def test_a_deleted_server_is_off_hidden_and_not_counted_until_it_is_restored(cloud: WorkflowCloud, uuid: str) -> None:
    client, guest = Client(cloud), cloud.drivers["a"].guests[uuid]
    soft_deleted(cloud, uuid)
    assert client.call("DELETE", f"/servers/{uuid}")[0] == 204
    assert client.status(uuid) == "SOFT_DELETED"
    assert guest.state is PowerState.SHUTDOWN
    assert client.call("GET", "/servers")[1]["servers"] == []
    for query in ("deleted=True&name=web", "status=SOFT_DELETED"):
        assert [each["id"] for each in client.call("GET", f"/servers?{query}")[1]["servers"]] == [uuid]
    assert in_use(cloud) == 0
    assert cloud.claims() == [uuid]
    assert len(cloud.allocated()) == 1

    act(cloud, uuid, "restore")
    assert cloud.settled(uuid)[0].vm_state is VmState.ACTIVE
    assert guest.state is PowerState.RUNNING
    assert in_use(cloud) == 1
    act(cloud, uuid, "restore", status=409)
    assert [each.action for each in cloud.operations(uuid)] == ["restore", "soft_delete", "create"]
    listed = client.call("GET", f"/servers/{uuid}/os-instance-actions")[1]["instanceActions"]
    assert [each["action"] for each in listed] == ["restore", "delete", "create"]


def test_a_restore_needs_room_in_the_quota(cloud: WorkflowCloud, uuid: str) -> None:
    limits = {**cloud.api.settings.default_quotas, "instances": 1}
    cloud.api = dataclasses.replace(cloud.api, settings=dataclasses.replace(cloud.api.settings, default_quotas=limits))
    soft_deleted(cloud, uuid)
    cloud.settled(*cloud.boot())
    assert "instances" in act(cloud, uuid, "restore", status=403)["forbidden"]["message"]
    assert cloud.get(uuid).task_state is None
    assert in_use(cloud) == 1


def test_a_failed_restore_leaves_the_server_deleted_and_uncounted(cloud: WorkflowCloud, uuid: str) -> None:
    soft_deleted(cloud, uuid)
    cloud.drivers["a"].fail("start", HypervisorError("no memory"))
    act(cloud, uuid, "restore")
    assert cloud.settled(uuid)[0].vm_state is VmState.SOFT_DELETED
    assert in_use(cloud) == 0
    act(cloud, uuid, "restore")
    assert cloud.settled(uuid)[0].vm_state is VmState.ACTIVE
    assert in_use(cloud) == 1


@pytest.mark.parametrize("step", [step.name for step in RESTORE_STEPS])
def test_a_server_that_is_deleted_while_it_is_restored_is_not_counted(
    cloud: WorkflowCloud, uuid: str, step: str
) -> None:
    soft_deleted(cloud, uuid)
    go_on = threading.Event()
    cloud.kill("a")
    cloud.start_compute("a", pause_before_step=pausing_before(step, go_on))
    act(cloud, uuid, "restore")
    act(cloud, uuid, "forceDelete")
    wait_until(lambda: gives_up(cloud), 10)
    go_on.set()
    assert cloud.settled(uuid)[0].deleted
    assert in_use(cloud) == 0
    assert cloud.guests() == {}


def test_force_delete_does_not_wait(cloud: WorkflowCloud, uuid: str) -> None:
    other = cloud.boot()[0]
    cloud.settled(other)
    soft_deleted(cloud, uuid)
    act(cloud, uuid, "forceDelete")
    act(cloud, other, "forceDelete", argument={})
    cloud.settled(uuid, other)
    assert cloud.guests() == {}
    assert cloud.claims() == []
    assert in_use(cloud) == 0


def test_deleted_servers_are_reclaimed_when_their_time_is_over(cloud: WorkflowCloud, uuid: str) -> None:
    young = cloud.boot()[0]
    cloud.settled(young)
    soft_deleted(cloud, uuid)
    soft_deleted(cloud, young)
    with cloud.db.transaction() as tx:
        long_ago = tx.now - datetime.timedelta(seconds=KEPT_S + 1)
        tx.execute(update(INSTANCES).where(INSTANCES.c.uuid == uuid).values(deleted_at=long_ago))
    for _twice in range(2):
        reclaim(cloud.conductor.cloud)
    wait_until(lambda: cloud.get(uuid).deleted, 20)
    assert list(cloud.guests()) == [young]
    assert cloud.get(young).vm_state is VmState.SOFT_DELETED
    assert in_use(cloud) == 0


def test_a_server_in_error_that_never_ran_is_deleted_at_once(cloud: WorkflowCloud) -> None:
    cloud.drivers["a"].fail("create_disks", HypervisorError("broken"), times=9)
    [made] = cloud.boot()
    assert cloud.settled(made)[0].vm_state is VmState.ERROR
    assert Client(cloud).call("DELETE", f"/servers/{made}")[0] == 204
    assert cloud.settled(made)[0].deleted
    assert in_use(cloud) == 0


@pytest.mark.parametrize("vm_action", ["suspend", "pause", "os-stop", "rescue"])
def test_whatever_state_it_was_in_a_restored_server_runs(cloud: WorkflowCloud, uuid: str, vm_action: str) -> None:
    act(cloud, uuid, vm_action, status=200 if vm_action == "rescue" else 202)
    cloud.settled(uuid)
    soft_deleted(cloud, uuid)
    act(cloud, uuid, "restore")
    assert cloud.settled(uuid)[0].vm_state is VmState.ACTIVE
    guest = cloud.drivers["a"].guests[uuid]
    assert (guest.state, guest.rescued) == (PowerState.RUNNING, False)
    wait_until(lambda: cloud.drivers["a"].rescue_disks == {}, 10)


def test_a_soft_delete_makes_what_runs_before_it_give_up(cloud: WorkflowCloud, uuid: str) -> None:
    go_on = threading.Event()
    cloud.kill("a")
    cloud.start_compute("a", pause_before_step=pausing_before("connect_volumes", go_on))
    cloud.reboot(uuid, hard=True)
    assert Client(cloud).call("DELETE", f"/servers/{uuid}")[0] == 204
    wait_until(lambda: gives_up(cloud), 10)
    go_on.set()
    assert cloud.settled(uuid)[0].vm_state is VmState.SOFT_DELETED
    assert [each.state for each in cloud.operations(uuid)][:2] == [OperationState.FINISHED, OperationState.FAILED]
    act(cloud, uuid, "restore")
    assert cloud.settled(uuid)[0].vm_state is VmState.ACTIVE


def test_a_delete_does_not_wait_for_a_guest_that_ignores_its_power_button(cloud: WorkflowCloud, uuid: str) -> None:
    driver = cloud.drivers["a"]
    driver.deaf.add(uuid)
    cloud.stop(uuid)
    wait_until(lambda: "shut_down" in driver.calls, 10)
    act(cloud, uuid, "forceDelete")
    assert cloud.settled(uuid, within_s=15)[0].deleted
    assert cloud.guests() == {}


def test_a_soft_delete_whose_host_died_holds_and_its_guest_is_off_when_the_host_is_back(
    cloud: WorkflowCloud, uuid: str
) -> None:
    reached = threading.Event()
    cloud.kill("a")
    cloud.start_compute("a", pause_before_step=dying_before("shut_down_guest", reached))
    assert Client(cloud).call("DELETE", f"/servers/{uuid}")[0] == 204
    assert reached.wait(10)
    cloud.kill("a")
    cloud.silence("a")
    cloud.age_operations(10_000)
    cloud.conductor._recovery._began_at -= 10_000
    cloud.conductor._recovery.turn()
    assert cloud.get(uuid).vm_state is VmState.SOFT_DELETED
    assert in_use(cloud) == 0
    cloud.start_compute("a")
    wait_until(lambda: cloud.drivers["a"].guests[uuid].state is PowerState.SHUTDOWN, 20)
    wait_until(lambda: cloud.journals() == [], 10)
