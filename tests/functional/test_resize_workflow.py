# SPDX-License-Identifier: Apache-2.0
"""Resize and cold migration over HTTP with all daemons on two hosts, whatever fails or is killed on the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nova.compute.operations.resize import DEPART_STEPS, LAUNCH_STEPS, RECEIVE_STEPS
from nova.compute.runner import REPORTING
from nova.conductor.settings import ConductorSettings
from nova.domain.move import MoveStatus
from nova.domain.states import OperationState, PowerState, TaskState, VmState
from nova.errors import HypervisorError
from tests.functional.moves import BIG, NONE, SMALL, act, amounts, booted, ended, in_use, killed_at, move_of, two_hosts
from tests.functional.workflow_cloud import FLAVOR, WorkflowCloud, wait_until


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[WorkflowCloud]:
    made = two_hosts(tmp_path)
    yield made
    made.close()


@pytest.fixture
def uuid(cloud: WorkflowCloud) -> str:
    """A server that runs on host ``a``."""
    return booted(cloud)


def resized(cloud: WorkflowCloud, uuid: str) -> None:
    act(cloud, uuid, "resize", {"flavorRef": "big"})
    assert ended(cloud, uuid).vm_state is VmState.RESIZED, cloud.fault(uuid)


def assert_on_a_as_before(cloud: WorkflowCloud, uuid: str, *, runs: bool = True) -> None:
    """Nothing of a move is left: the server is on host ``a`` with its old flavor, and takes nothing else."""
    found = cloud.get(uuid)
    assert (found.host, found.flavor.flavor_id) == ("a", "small")
    assert found.task_state is None
    assert found.vm_state is (VmState.ACTIVE if runs else VmState.STOPPED)
    assert cloud.guests() == {uuid: ["a"]}
    state = PowerState.RUNNING if runs else PowerState.SHUTDOWN
    assert cloud.drivers["a"].guests[uuid].state is state
    assert (cloud.drivers["a"].disks, cloud.drivers["b"].disks) == ({uuid: 1}, {})
    assert (cloud.drivers["a"].aside, cloud.drivers["b"].aside) == ({}, {})
    assert cloud.used() == {"a": SMALL, "b": NONE}
    assert in_use(cloud) == (1, 1024)


@pytest.mark.parametrize("runs", [True, False])
def test_a_server_grows_on_another_host_and_its_owner_agrees(cloud: WorkflowCloud, uuid: str, runs: bool) -> None:
    if not runs:
        cloud.stop(uuid)
        cloud.settled(uuid)
    resized(cloud, uuid)
    found, state = cloud.get(uuid), PowerState.RUNNING if runs else PowerState.SHUTDOWN
    assert (found.host, found.flavor.flavor_id, found.power_state) == ("b", "big", state)
    assert cloud.guests() == {uuid: ["b"]}
    assert (cloud.drivers["a"].aside, cloud.drivers["b"].disks) == ({uuid: 1}, {uuid: 3})
    assert cloud.used() == {"a": SMALL, "b": amounts(BIG)}
    assert move_of(cloud, uuid).status is MoveStatus.FINISHED

    act(cloud, uuid, "confirmResize", status=204)
    found = ended(cloud, uuid)
    assert found.vm_state is (VmState.ACTIVE if runs else VmState.STOPPED)
    assert cloud.drivers["a"].aside == {}
    assert cloud.used() == {"a": NONE, "b": amounts(BIG)}
    assert in_use(cloud) == (2, 2048)
    assert move_of(cloud, uuid).status is MoveStatus.CONFIRMED
    assert [each.action for each in cloud.operations(uuid)][:2] == ["confirmResize", "resize"]


@pytest.mark.parametrize("runs", [True, False])
def test_a_resize_is_reverted(cloud: WorkflowCloud, uuid: str, runs: bool) -> None:
    if not runs:
        cloud.stop(uuid)
        cloud.settled(uuid)
    resized(cloud, uuid)
    act(cloud, uuid, "revertResize")
    ended(cloud, uuid)
    assert_on_a_as_before(cloud, uuid, runs=runs)
    assert move_of(cloud, uuid).status is MoveStatus.REVERTED


def test_a_server_goes_down_in_size_and_its_quota_with_it_when_its_owner_agrees(cloud: WorkflowCloud) -> None:
    with cloud.db.transaction() as tx:
        from nova.db import flavors
        from nova.domain.flavor import Flavor

        flavors.create(tx, Flavor(flavor_id="little", name="little", memory_mb=512, vcpus=1, root_gb=1))
    uuid = booted(cloud)
    act(cloud, uuid, "resize", {"flavorRef": "little"})
    assert ended(cloud, uuid).vm_state is VmState.RESIZED
    assert in_use(cloud) == (1, 1024)
    act(cloud, uuid, "confirmResize", status=204)
    ended(cloud, uuid)
    assert in_use(cloud) == (1, 512)


def test_a_resize_may_stay_on_its_host_where_that_is_allowed(tmp_path: Path) -> None:
    cloud = two_hosts(tmp_path)
    cloud.api.settings.__class__  # noqa: B018
    object.__setattr__(cloud.api.settings, "allow_resize_to_same_host", True)
    uuid = booted(cloud)
    cloud.silence("b")
    resized(cloud, uuid)
    assert cloud.get(uuid).host == "a"
    assert (cloud.drivers["a"].aside, cloud.drivers["a"].disks) == ({uuid: 1}, {uuid: 3})
    assert cloud.used()["a"] == amounts(FLAVOR, BIG)
    act(cloud, uuid, "revertResize")
    ended(cloud, uuid)
    assert_on_a_as_before(cloud, uuid)
    resized(cloud, uuid)
    act(cloud, uuid, "confirmResize", status=204)
    ended(cloud, uuid)
    assert (cloud.drivers["a"].aside, cloud.drivers["a"].disks) == ({}, {uuid: 3})
    assert cloud.used()["a"] == amounts(BIG)
    cloud.close()


def test_an_administrator_migrates_a_server_as_it_is(cloud: WorkflowCloud, uuid: str) -> None:
    act(cloud, uuid, "migrate", status=403)
    act(cloud, uuid, "migrate", admin=True)
    found = ended(cloud, uuid)
    assert (found.vm_state, found.host, found.flavor.flavor_id) == (VmState.RESIZED, "b", "small")
    act(cloud, uuid, "confirmResize", status=204, admin=True)
    assert ended(cloud, uuid).vm_state is VmState.ACTIVE
    assert cloud.used() == {"a": NONE, "b": SMALL}


def test_without_another_host_nothing_changes_and_the_reason_is_there(cloud: WorkflowCloud, uuid: str) -> None:
    cloud.silence("b")
    act(cloud, uuid, "resize", {"flavorRef": "big"})
    ended(cloud, uuid)
    assert_on_a_as_before(cloud, uuid)
    assert "No valid host" in cloud.operations(uuid)[0].message
    assert move_of(cloud, uuid).status is MoveStatus.ERROR


@pytest.mark.parametrize(
    ("host", "method"),
    [("a", "shut_down"), ("a", "set_disks_aside"), ("b", "check"), ("b", "fetch_disks"), ("b", "start")],
)
def test_a_resize_that_fails_on_either_side_leaves_the_server_where_it_was(
    cloud: WorkflowCloud, uuid: str, host: str, method: str
) -> None:
    cloud.drivers[host].fail(method, HypervisorError("the disk is on fire"))
    act(cloud, uuid, "resize", {"flavorRef": "big"})
    ended(cloud, uuid)
    assert_on_a_as_before(cloud, uuid)
    operation = cloud.operations(uuid)[0]
    assert (operation.state, operation.message) == (OperationState.FAILED, "the disk is on fire")
    assert move_of(cloud, uuid).status is MoveStatus.ERROR
    resized(cloud, uuid)


SOURCE = [step.name for step in DEPART_STEPS] + [REPORTING]
DESTINATION = [step.name for step in (*RECEIVE_STEPS, *LAUNCH_STEPS)] + [REPORTING]


@pytest.mark.parametrize(("host", "step"), [*(("a", s) for s in SOURCE), *(("b", s) for s in DESTINATION)])
def test_a_daemon_that_is_killed_goes_on_with_the_resize_after_its_restart(
    cloud: WorkflowCloud, uuid: str, host: str, step: str
) -> None:
    killed_at(cloud, host, step, lambda: act(cloud, uuid, "resize", {"flavorRef": "big"}))
    found = ended(cloud, uuid)
    assert (found.vm_state, found.host) == (VmState.RESIZED, "b"), cloud.operations(uuid)[0]
    assert cloud.guests() == {uuid: ["b"]}
    assert cloud.used() == {"a": SMALL, "b": amounts(BIG)}
    act(cloud, uuid, "revertResize")
    ended(cloud, uuid)
    assert_on_a_as_before(cloud, uuid)


@pytest.mark.parametrize(("host", "step"), [("b", "destroy_guest"), ("b", "delete_copy"), ("a", "bring_guest_back")])
def test_a_daemon_that_is_killed_goes_on_with_the_revert_after_its_restart(
    cloud: WorkflowCloud, uuid: str, host: str, step: str
) -> None:
    resized(cloud, uuid)
    killed_at(cloud, host, step, lambda: act(cloud, uuid, "revertResize"))
    ended(cloud, uuid)
    assert_on_a_as_before(cloud, uuid)


@pytest.mark.parametrize("decision", ["confirmResize", "revertResize"])
def test_the_owner_cannot_decide_twice_or_about_nothing(cloud: WorkflowCloud, uuid: str, decision: str) -> None:
    act(cloud, uuid, decision, status=409)
    resized(cloud, uuid)
    act(cloud, uuid, decision, status=204 if decision == "confirmResize" else 202)
    act(cloud, uuid, decision, status=409)
    ended(cloud, uuid)


def test_a_message_that_is_lost_is_sent_again(cloud: WorkflowCloud, uuid: str) -> None:
    cloud.conductor_server.stop(1)
    cloud.servers.remove(cloud.conductor_server)
    act(cloud, uuid, "resize", {"flavorRef": "big"})
    assert cloud.get(uuid).task_state is TaskState.RESIZE_PREP
    from nova.interfaces.conductor import Conductor

    cloud.broker.forget(Conductor.topic) if hasattr(cloud.broker, "forget") else None
    cloud.conductor_server = cloud.serve(Conductor, cloud.conductor, host="controller")
    cloud.age_operations(100)
    for task in cloud.conductor.periodic_tasks():
        task.run()
    assert ended(cloud, uuid).vm_state is VmState.RESIZED


@pytest.mark.parametrize("host", ["a", "b"])
def test_a_server_that_is_deleted_after_its_resize_leaves_nothing_on_either_host(
    cloud: WorkflowCloud, uuid: str, host: str
) -> None:
    resized(cloud, uuid)
    cloud.delete(uuid)
    wait_until(lambda: cloud.get(uuid).deleted, 10)
    wait_until(lambda: cloud.drivers["a"].aside == {} and cloud.drivers["b"].disks == {}, 10)
    assert cloud.guests() == {}
    assert cloud.used() == {"a": NONE, "b": NONE}
    assert in_use(cloud) == (0, 0)
    assert cloud.allocated() == []


def test_a_source_that_is_down_when_its_server_is_deleted_cleans_up_when_it_is_back(
    cloud: WorkflowCloud, uuid: str
) -> None:
    resized(cloud, uuid)
    cloud.kill("a")
    cloud.delete(uuid)
    wait_until(lambda: cloud.get(uuid).deleted, 10)
    assert cloud.drivers["a"].aside == {uuid: 1}
    daemon = cloud.start_compute("a")
    next(task for task in daemon.periodic_tasks() if task.name == "leftovers").run()
    wait_until(lambda: cloud.drivers["a"].aside == {}, 10)


def test_a_source_that_is_dead_does_not_keep_the_owner_from_agreeing(cloud: WorkflowCloud, uuid: str) -> None:
    resized(cloud, uuid)
    cloud.kill("a")
    cloud.silence("a")
    act(cloud, uuid, "confirmResize", status=204)
    cloud.conductor._recovery._began_at -= 1000
    cloud.age_operations(1000)
    for task in cloud.conductor.periodic_tasks():
        task.run()
    assert ended(cloud, uuid).vm_state is VmState.ACTIVE
    assert cloud.drivers["a"].aside == {uuid: 1}
    cloud.start_compute("a")
    leftovers = next(task for task in cloud.daemons["a"].periodic_tasks() if "left" in task.name)

    def cleared() -> bool:
        leftovers.run()
        return cloud.drivers["a"].aside == {}

    wait_until(cleared, 10)


def test_a_server_is_not_reverted_while_it_might_run_on_a_host_that_does_not_answer(
    cloud: WorkflowCloud, uuid: str
) -> None:
    resized(cloud, uuid)
    cloud.silence("b")
    act(cloud, uuid, "revertResize", status=409)
    assert cloud.get(uuid).task_state is None


def test_a_resize_is_confirmed_by_itself_when_its_time_is_over(tmp_path: Path) -> None:
    cloud = two_hosts(tmp_path, conductor=ConductorSettings(confirm_window_s=0.05))
    uuid = booted(cloud)
    resized(cloud, uuid)

    def confirmed() -> bool:
        next(task for task in cloud.conductor.periodic_tasks() if task.name == "resizes").run()
        return cloud.get(uuid).vm_state is VmState.ACTIVE

    wait_until(confirmed, 20)
    ended(cloud, uuid)
    assert cloud.used() == {"a": NONE, "b": amounts(BIG)}
    assert move_of(cloud, uuid).status is MoveStatus.CONFIRMED
    cloud.close()
