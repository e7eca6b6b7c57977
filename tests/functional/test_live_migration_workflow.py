# SPDX-License-Identifier: Apache-2.0
"""Live migration and evacuation over HTTP with all daemons on two hosts, whatever fails or is killed on the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nova.compute.operations.live_migrate import LEAVE_STEPS, PREPARE_STEPS, SETTLE_STEPS, TRANSFER_STEPS
from nova.compute.runner import REPORTING
from nova.domain.move import MoveStatus
from nova.domain.states import OperationState, PowerState, VmState
from nova.errors import HypervisorError
from tests.functional.moves import NONE, SMALL, act, booted, ended, in_use, killed_at, move_of, two_hosts
from tests.functional.osapi.test_life_of_a_server import Client
from tests.functional.workflow_cloud import WorkflowCloud, wait_until


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[WorkflowCloud]:
    made = two_hosts(tmp_path)
    yield made
    made.close()


@pytest.fixture
def uuid(cloud: WorkflowCloud) -> str:
    """A server that runs on host ``a``."""
    return booted(cloud)


def migrate(
    cloud: WorkflowCloud, uuid: str, *, host: str | None = None, copies: Any = "auto", status: int = 202
) -> Any:
    argument = {"host": host, "block_migration": copies}
    return act(cloud, uuid, "os-migrateLive", argument, admin=True, version="2.30", status=status)


def assert_on(cloud: WorkflowCloud, uuid: str, host: str, *, state: PowerState = PowerState.RUNNING) -> None:
    """The server is on that host, and nowhere else is anything of it."""
    other = "b" if host == "a" else "a"
    found = cloud.get(uuid)
    assert (found.host, found.task_state) == (host, None)
    assert cloud.guests() == {uuid: [host]}
    assert cloud.drivers[host].guests[uuid].state is state
    assert cloud.drivers[other].disks == {}
    assert cloud.drivers[host].disks == {uuid: 1}
    assert cloud.used() == {host: SMALL, other: NONE}
    assert in_use(cloud) == (1, 1024)


@pytest.mark.parametrize("copies", ["auto", True])
@pytest.mark.parametrize("host", [None, "b"])
def test_a_running_server_goes_to_another_host(cloud: WorkflowCloud, uuid: str, host: str | None, copies: Any) -> None:
    starts = cloud.drivers["a"].guests[uuid].starts
    migrate(cloud, uuid, host=host, copies=copies)
    assert ended(cloud, uuid).vm_state is VmState.ACTIVE
    assert_on(cloud, uuid, "b")
    assert cloud.drivers["b"].guests[uuid].starts == starts
    move = move_of(cloud, uuid)
    assert (move.status, move.shared_storage) == (MoveStatus.COMPLETED, False)
    assert cloud.operations(uuid)[0].action == "live-migration"


def test_a_paused_server_stays_paused(cloud: WorkflowCloud, uuid: str) -> None:
    act(cloud, uuid, "pause")
    wait_until(lambda: cloud.get(uuid).vm_state is VmState.PAUSED, 10)
    migrate(cloud, uuid)
    assert ended(cloud, uuid).vm_state is VmState.PAUSED
    assert_on(cloud, uuid, "b", state=PowerState.PAUSED)


def test_on_shared_storage_nothing_is_copied_and_nothing_deleted(cloud: WorkflowCloud, uuid: str) -> None:
    for driver in cloud.drivers.values():
        driver.mark = "the same"
    migrate(cloud, uuid, copies=False)
    ended(cloud, uuid)
    assert move_of(cloud, uuid).shared_storage is True
    assert cloud.guests() == {uuid: ["b"]}
    assert cloud.drivers["a"].disks == {uuid: 1}
    assert "make_landing_disks" not in cloud.drivers["b"].calls
    migrate(cloud, uuid, copies=True)
    ended(cloud, uuid)
    assert "share the disks" in cloud.operations(uuid)[0].message


def test_without_shared_storage_a_migration_that_copies_nothing_is_refused(cloud: WorkflowCloud, uuid: str) -> None:
    migrate(cloud, uuid, copies=False)
    ended(cloud, uuid)
    assert_on(cloud, uuid, "a")
    assert "do not share the disks" in cloud.operations(uuid)[0].message
    assert move_of(cloud, uuid).status is MoveStatus.ERROR


@pytest.mark.parametrize(
    ("host", "method"),
    [("b", "check"), ("a", "describe_disks"), ("b", "make_landing_disks"), ("b", "landing"), ("a", "transfer")],
)
def test_a_failure_on_either_side_leaves_the_server_where_it_runs(
    cloud: WorkflowCloud, uuid: str, host: str, method: str
) -> None:
    cloud.drivers[host].fail(method, HypervisorError("the cable is cut"))
    migrate(cloud, uuid)
    assert ended(cloud, uuid).vm_state is VmState.ACTIVE
    assert_on(cloud, uuid, "a")
    operation = cloud.operations(uuid)[0]
    assert (operation.state, operation.message) == (OperationState.FAILED, "the cable is cut")


DESTINATION = [step.name for step in (*PREPARE_STEPS, *SETTLE_STEPS)]
SOURCE = [*(step.name for step in (*TRANSFER_STEPS, *LEAVE_STEPS)), REPORTING]


@pytest.mark.parametrize(("host", "step"), [*(("a", s) for s in SOURCE), *(("b", s) for s in DESTINATION)])
def test_a_daemon_that_is_killed_goes_on_after_its_restart(
    cloud: WorkflowCloud, uuid: str, host: str, step: str
) -> None:
    killed_at(cloud, host, step, lambda: migrate(cloud, uuid))
    assert ended(cloud, uuid).vm_state is VmState.ACTIVE
    assert_on(cloud, uuid, "b")
    assert move_of(cloud, uuid).status is MoveStatus.COMPLETED


@pytest.mark.parametrize(
    ("host", "why"), [("nowhere", "could not be found"), ("a", "is on host a already"), ("b", "unavailable")]
)
def test_a_host_that_cannot_take_it_is_refused_at_once(cloud: WorkflowCloud, uuid: str, host: str, why: str) -> None:
    cloud.silence("b")
    body = migrate(cloud, uuid, host=host, status=400)
    assert why in body["badRequest"]["message"]
    assert cloud.get(uuid).task_state is None


def test_administrators_see_moves_and_others_do_not(cloud: WorkflowCloud, uuid: str) -> None:
    migrate(cloud, uuid)
    ended(cloud, uuid)
    admin = Client(cloud, who="admin:operations", version="2.23")
    status, body = admin.call("GET", f"/os-migrations?instance_uuid={uuid}")
    [shown] = body["migrations"]
    assert status == 200
    assert (shown["migration_type"], shown["status"]) == ("live-migration", "completed")
    assert (shown["source_compute"], shown["dest_compute"]) == ("a", "b")
    assert "links" not in shown
    assert admin.call("GET", "/os-migrations?status=error")[1] == {"migrations": []}
    assert admin.call("GET", f"/servers/{uuid}/migrations")[1] == {"migrations": []}
    assert admin.call("GET", f"/servers/{uuid}/migrations/{shown['id']}")[0] == 404
    assert Client(cloud, version="2.23").call("GET", "/os-migrations")[0] == 403
    old = Client(cloud, who="admin:operations").call("GET", "/os-migrations")[1]["migrations"][0]
    assert "migration_type" not in old


def test_a_move_that_has_ended_cannot_be_forced_or_called_off(cloud: WorkflowCloud, uuid: str) -> None:
    migrate(cloud, uuid)
    ended(cloud, uuid)
    path = f"/servers/{uuid}/migrations/{move_of(cloud, uuid).id}"
    admin = Client(cloud, who="admin:operations", version="2.24")
    assert admin.call("DELETE", path)[0] == 409
    assert admin.call("POST", f"{path}/action", {"force_complete": None})[0] == 409
    assert admin.call("DELETE", f"/servers/{uuid}/migrations/99999")[0] == 404


def evacuate(cloud: WorkflowCloud, uuid: str, argument: Any = None, *, status: int = 200, version: str = "2.14") -> Any:
    return act(cloud, uuid, "evacuate", argument or {}, admin=True, version=version, status=status)


@pytest.mark.parametrize("runs", [True, False])
def test_a_server_of_a_dead_host_is_made_again_and_the_host_cleans_up_when_it_is_back(
    cloud: WorkflowCloud, uuid: str, runs: bool
) -> None:
    if not runs:
        cloud.stop(uuid)
        cloud.settled(uuid)
    cloud.kill("a")
    cloud.silence("a")
    evacuate(cloud, uuid)
    found = ended(cloud, uuid)
    assert (found.host, found.vm_state) == ("b", VmState.ACTIVE if runs else VmState.STOPPED)
    assert cloud.guests() == {uuid: ["a", "b"]}
    cloud.start_compute("a")
    wait_until(lambda: cloud.guests() == {uuid: ["b"]}, 10)
    wait_until(lambda: cloud.drivers["a"].disks == {}, 10)
    assert_on(cloud, uuid, "b", state=PowerState.RUNNING if runs else PowerState.SHUTDOWN)
    assert move_of(cloud, uuid).status is MoveStatus.DONE


def test_with_shared_disks_the_server_goes_on_with_them(cloud: WorkflowCloud, uuid: str) -> None:
    cloud.kill("a")
    cloud.silence("a")
    cloud.drivers["b"].disks[uuid] = 1
    evacuate(cloud, uuid, {"onSharedStorage": True}, version="2.1")
    ended(cloud, uuid)
    assert "create_disks" not in cloud.drivers["b"].calls
    assert move_of(cloud, uuid).shared_storage is True
    cloud.start_compute("a")
    wait_until(lambda: cloud.guests() == {uuid: ["b"]}, 10)
    assert cloud.drivers["a"].disks == {uuid: 1}


def test_an_evacuation_that_fails_leaves_nothing_on_the_new_host(cloud: WorkflowCloud, uuid: str) -> None:
    cloud.kill("a")
    cloud.silence("a")
    cloud.drivers["b"].fail("start", HypervisorError("no such machine"))
    evacuate(cloud, uuid)
    found = ended(cloud, uuid)
    assert (found.host, found.vm_state) == ("a", VmState.ERROR)
    assert cloud.drivers["b"].disks == {}
    assert cloud.used() == {"a": SMALL, "b": NONE}
    evacuate(cloud, uuid)
    assert ended(cloud, uuid).host == "b"


def test_a_server_of_a_living_host_is_not_evacuated(cloud: WorkflowCloud, uuid: str) -> None:
    assert "still in use" in evacuate(cloud, uuid, status=400)["badRequest"]["message"]
    cloud.silence("a")
    assert evacuate(cloud, uuid, {"host": "nowhere"}, status=404)
    assert evacuate(cloud, uuid, {"host": "a"}, status=400)


def test_a_move_that_waits_for_its_dead_host_ends_with_the_evacuation(cloud: WorkflowCloud, uuid: str) -> None:
    killed_and_left = "transfer_guest"
    import threading

    from tests.functional.moves import dying_before

    reached = threading.Event()
    cloud.kill("a")
    cloud.start_compute("a", pause_before_step=dying_before(killed_and_left, reached))
    migrate(cloud, uuid)
    assert reached.wait(10)
    cloud.kill("a")
    cloud.silence("a")
    act(cloud, uuid, "os-resetState", {"state": "active"}, admin=True)
    evacuate(cloud, uuid)
    assert ended_but_for(cloud, uuid).host == "b"
    cloud.start_compute("a")
    wait_until(lambda: cloud.guests() == {uuid: ["b"]}, 10)
    assert cloud.used() == {"a": NONE, "b": SMALL}


def ended_but_for(cloud: WorkflowCloud, uuid: str) -> Any:
    """The server, once no operation on it is open; the dead host still has its journal."""
    open_states = (OperationState.REQUESTED, OperationState.RUNNING)
    wait_until(lambda: all(each.state not in open_states for each in cloud.operations(uuid)), 20)
    return cloud.get(uuid)
