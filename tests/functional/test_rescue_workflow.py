# SPDX-License-Identifier: Apache-2.0
"""Rescue and unrescue over HTTP with all daemons: what users see and the host has, whatever fails or is killed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nova.compute.operations.rescue import RESCUE_STEPS, UNRESCUE_STEPS
from nova.compute.runner import REPORTING
from nova.domain.states import OperationState, PowerState, VmState
from nova.errors import HypervisorError
from nova.virt.fake import FakeGuest
from tests.functional.osapi.test_life_of_a_server import Client
from tests.functional.workflow_cloud import IMAGE, Killed, WorkflowCloud, wait_until


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[WorkflowCloud]:
    made = WorkflowCloud(tmp_path)
    made.add_scheduler()
    made.add_network()
    made.add_host("a")
    yield made
    made.close()


@pytest.fixture
def uuid(cloud: WorkflowCloud) -> str:
    """A server that runs."""
    [made] = cloud.boot()
    cloud.settled(made)
    return made


def act(cloud: WorkflowCloud, uuid: str, action: str, *, status: int = 202, argument: Any = None) -> Any:
    answered, body = Client(cloud).call("POST", f"/servers/{uuid}/action", {action: argument})
    assert answered == status, body
    return body


def rescued(cloud: WorkflowCloud, uuid: str) -> None:
    act(cloud, uuid, "rescue", status=200)
    assert cloud.settled(uuid)[0].vm_state is VmState.RESCUED


def guest(cloud: WorkflowCloud, uuid: str) -> FakeGuest:
    return cloud.drivers["a"].guests[uuid]


def ended(cloud: WorkflowCloud, uuid: str) -> None:
    open_states = (OperationState.REQUESTED, OperationState.RUNNING)
    wait_until(lambda: cloud.operations(uuid)[0].state not in open_states, 20)


def test_a_server_is_rescued_and_comes_back(cloud: WorkflowCloud, uuid: str) -> None:
    client, driver = Client(cloud), cloud.drivers["a"]
    answer = act(cloud, uuid, "rescue", status=200, argument={"rescue_image_ref": IMAGE.id})
    assert len(answer["adminPass"]) == 12
    client.becomes(uuid, "RESCUE")
    assert driver.rescue_disks == {uuid: IMAGE.id}
    assert guest(cloud, uuid).rescued
    assert uuid in driver.disks

    act(cloud, uuid, "unrescue")
    client.becomes(uuid, "ACTIVE")
    wait_until(lambda: driver.rescue_disks == {}, 10)
    assert not guest(cloud, uuid).rescued
    wait_until(lambda: cloud.journals() == [], 10)
    assert [each.action for each in cloud.operations(uuid)] == ["unrescue", "rescue", "create"]


def test_nothing_is_left_of_a_rescued_server_that_is_deleted(cloud: WorkflowCloud, uuid: str) -> None:
    rescued(cloud, uuid)
    cloud.delete(uuid)
    assert cloud.settled(uuid)[0].deleted
    driver = cloud.drivers["a"]
    assert (driver.guests, driver.disks, driver.rescue_disks) == ({}, {}, {})
    assert cloud.claims() == []


@pytest.mark.parametrize("method", ["fetch_images", "create_rescue_disk", "shut_down", "start"])
@pytest.mark.parametrize("was_on", [True, False])
def test_a_rescue_that_fails_brings_the_own_guest_back_as_it_was(
    cloud: WorkflowCloud, uuid: str, method: str, was_on: bool
) -> None:
    if not was_on:
        cloud.stop(uuid)
        cloud.settled(uuid)
    cloud.drivers["a"].fail(method, HypervisorError("the disk is on fire"))
    act(cloud, uuid, "rescue", status=200)
    found = cloud.settled(uuid)[0]
    assert found.vm_state is VmState.ERROR
    fault = cloud.fault(uuid)
    assert fault is not None
    assert "on fire" in fault.message + fault.details
    assert not guest(cloud, uuid).rescued
    assert guest(cloud, uuid).state is (PowerState.RUNNING if was_on else PowerState.SHUTDOWN)
    assert cloud.drivers["a"].rescue_disks == {}

    act(cloud, uuid, "rescue", status=200)
    assert cloud.settled(uuid)[0].vm_state is VmState.RESCUED


@pytest.mark.parametrize("method", ["shut_down", "destroy", "start"])
def test_an_unrescue_that_fails_leaves_the_server_in_rescue(cloud: WorkflowCloud, uuid: str, method: str) -> None:
    rescued(cloud, uuid)
    cloud.drivers["a"].fail(method, HypervisorError("not now"))
    act(cloud, uuid, "unrescue")
    assert cloud.settled(uuid)[0].vm_state is VmState.RESCUED
    assert cloud.operations(uuid)[0].state is OperationState.FAILED
    assert guest(cloud, uuid).rescued
    assert guest(cloud, uuid).state is PowerState.RUNNING
    act(cloud, uuid, "unrescue")
    assert cloud.settled(uuid)[0].vm_state is VmState.ACTIVE


@pytest.mark.parametrize("step", [*(step.name for step in RESCUE_STEPS), REPORTING])
def test_a_rescue_goes_on_whenever_its_host_daemon_was_killed(cloud: WorkflowCloud, uuid: str, step: str) -> None:
    killed_at(cloud, step, lambda: act(cloud, uuid, "rescue", status=200))
    assert cloud.settled(uuid)[0].vm_state is VmState.RESCUED
    assert guest(cloud, uuid).rescued
    wait_until(lambda: cloud.journals() == [], 10)


@pytest.mark.parametrize("step", [*(step.name for step in UNRESCUE_STEPS), REPORTING])
def test_an_unrescue_goes_on_whenever_its_host_daemon_was_killed(cloud: WorkflowCloud, uuid: str, step: str) -> None:
    rescued(cloud, uuid)
    killed_at(cloud, step, lambda: act(cloud, uuid, "unrescue"))
    assert cloud.settled(uuid)[0].vm_state is VmState.ACTIVE
    assert not guest(cloud, uuid).rescued
    wait_until(lambda: cloud.drivers["a"].rescue_disks == {}, 10)


def test_a_rescue_whose_host_died_ends_in_an_error_and_is_undone_when_the_host_is_back(
    cloud: WorkflowCloud, uuid: str
) -> None:
    reached = threading.Event()
    cloud.kill("a")
    cloud.start_compute("a", pause_before_step=dying_before("start_rescue_guest", reached))
    act(cloud, uuid, "rescue", status=200)
    assert reached.wait(10)
    cloud.kill("a")
    cloud.silence("a")
    cloud.age_operations(10_000)
    cloud.conductor._recovery._began_at -= 10_000
    cloud.conductor._recovery.turn()
    assert cloud.get(uuid).vm_state is VmState.ERROR
    cloud.start_compute("a")
    wait_until(lambda: cloud.journals() == [], 10)
    assert not guest(cloud, uuid).rescued
    assert guest(cloud, uuid).state is PowerState.RUNNING
    assert cloud.drivers["a"].rescue_disks == {}


def test_an_order_that_never_reached_the_host_is_fetched_by_it(cloud: WorkflowCloud, uuid: str) -> None:
    cloud.kill("a")
    act(cloud, uuid, "rescue", status=200)
    assert cloud.get(uuid).task_state == "rescuing"
    cloud.start_compute("a")
    assert cloud.settled(uuid)[0].vm_state is VmState.RESCUED


def killed_at(cloud: WorkflowCloud, step: str, ask: Callable[[], object]) -> None:
    """Let the host's daemon be killed before *step* of what *ask* asks for, and start it again."""
    reached = threading.Event()
    cloud.kill("a")
    cloud.start_compute("a", pause_before_step=dying_before(step, reached))
    ask()
    assert reached.wait(10)
    cloud.kill("a")
    cloud.start_compute("a")


def dying_before(step: str, reached: threading.Event) -> Callable[[str], None]:
    def hook(name: str) -> None:
        if name == step:
            reached.set()
            raise Killed

    return hook
