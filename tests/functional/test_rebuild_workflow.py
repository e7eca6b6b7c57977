# SPDX-License-Identifier: Apache-2.0
"""Rebuild over HTTP with all daemons: what the server is made from afterwards, whatever fails or is killed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nova.compute.operations import rebuild, snapshot
from nova.compute.runner import REPORTING
from nova.domain.states import OperationState, PowerState, VmState
from nova.errors import HypervisorError, InvalidImage
from nova.image.protocol import NewImage
from tests.functional.osapi.test_life_of_a_server import Client
from tests.functional.test_rescue_workflow import dying_before, ended, killed_at
from tests.functional.workflow_cloud import ALICE, IMAGE, IMAGE_BYTES, WorkflowCloud, wait_until


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkflowCloud]:
    monkeypatch.setattr(snapshot, "PAUSE_S", 0.01)
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


@pytest.fixture
def other(cloud: WorkflowCloud) -> str:
    """Another image."""
    return image(cloud, architecture="x86_64")


def image(cloud: WorkflowCloud, **properties: str) -> str:
    new = NewImage(name="other", disk_format="raw", container_format="bare", properties=properties)
    made = cloud.store.create(ALICE, new)
    cloud.store.upload(ALICE, made.id, [IMAGE_BYTES])
    return made.id


def ask(cloud: WorkflowCloud, uuid: str, image_id: str, **more: Any) -> Any:
    body = {"rebuild": {"imageRef": image_id, **more}}
    status, answer = Client(cloud).call("POST", f"/servers/{uuid}/action", body)
    assert status == 202, answer
    return answer["server"]


def assert_rebuilt(cloud: WorkflowCloud, uuid: str, image_id: str, *, state: VmState = VmState.ACTIVE) -> None:
    found, driver = cloud.settled(uuid)[0], cloud.drivers["a"]
    assert (found.vm_state, found.image_ref) == (state, image_id)
    assert driver.images[uuid] == image_id
    wait_until(lambda: driver.previous == {} and cloud.journals() == [], 10)
    assert driver.guests[uuid].state is (PowerState.SHUTDOWN if state is VmState.STOPPED else PowerState.RUNNING)


def assert_as_before(cloud: WorkflowCloud, uuid: str, *, state: VmState = VmState.ERROR) -> None:
    found, driver = cloud.settled(uuid)[0], cloud.drivers["a"]
    assert (found.vm_state, found.image_ref) == (state, IMAGE.id)
    assert driver.images[uuid] == IMAGE.id
    assert driver.previous == {}
    assert driver.guests[uuid].state is PowerState.RUNNING


def test_a_server_is_made_anew_and_keeps_its_address(cloud: WorkflowCloud, uuid: str, other: str) -> None:
    before, used, claims = cloud.addresses(uuid), cloud.used(), cloud.claims()
    server = ask(cloud, uuid, other, name="renamed")
    assert server["image"]["id"] == other
    assert_rebuilt(cloud, uuid, other)
    found = cloud.get(uuid)
    assert found.display_name == "renamed"
    assert found.system_metadata["image_architecture"] == "x86_64"
    assert (cloud.addresses(uuid), cloud.used(), cloud.claims()) == (before, used, claims)
    assert [each.action for each in cloud.operations(uuid)] == ["rebuild", "create"]
    ask(cloud, uuid, IMAGE.id)
    assert_rebuilt(cloud, uuid, IMAGE.id)
    assert "image_architecture" not in cloud.get(uuid).system_metadata


def test_the_same_image_makes_a_new_disk(cloud: WorkflowCloud, uuid: str) -> None:
    ask(cloud, uuid, IMAGE.id)
    assert_rebuilt(cloud, uuid, IMAGE.id)
    assert cloud.drivers["a"].calls.count("create_disks") == 2


def test_a_server_that_is_off_stays_off(cloud: WorkflowCloud, uuid: str, other: str) -> None:
    cloud.stop(uuid)
    cloud.settled(uuid)
    ask(cloud, uuid, other)
    assert_rebuilt(cloud, uuid, other, state=VmState.STOPPED)
    cloud.start(uuid)
    assert cloud.settled(uuid)[0].vm_state is VmState.ACTIVE


@pytest.mark.parametrize("method", ["fetch_images", "shut_down", "set_aside_disks", "create_disks", "start"])
def test_what_fails_brings_the_old_guest_back_and_may_be_asked_for_again(
    cloud: WorkflowCloud, uuid: str, other: str, method: str
) -> None:
    cloud.drivers["a"].fail(method, HypervisorError("the disk is on fire"))
    ask(cloud, uuid, other)
    assert_as_before(cloud, uuid)
    fault = cloud.fault(uuid)
    assert fault is not None
    assert "on fire" in fault.message + fault.details
    ask(cloud, uuid, other)
    assert_rebuilt(cloud, uuid, other)


def test_an_image_that_must_not_be_booted_leaves_the_server_running(
    cloud: WorkflowCloud, uuid: str, other: str
) -> None:
    cloud.drivers["a"].fail("fetch_images", InvalidImage("it has a backing file"))
    ask(cloud, uuid, other)
    assert_as_before(cloud, uuid)
    assert "shut_down" not in cloud.drivers["a"].calls


def test_an_image_that_the_filters_refuse_changes_nothing_and_the_action_says_why(
    cloud: WorkflowCloud, uuid: str
) -> None:
    strange = image(cloud, architecture="sparc")
    ask(cloud, uuid, strange)
    ended(cloud, uuid)
    assert_as_before(cloud, uuid, state=VmState.ACTIVE)
    operation = cloud.operations(uuid)[0]
    assert operation.state is OperationState.FAILED
    assert "needs architecture sparc" in operation.message
    assert "fetch_images" not in cloud.drivers["a"].calls[cloud.drivers["a"].calls.index("start") :]


def test_a_full_host_does_not_keep_its_servers_from_being_rebuilt(cloud: WorkflowCloud, other: str) -> None:
    cloud.add_host("small", vcpus=1, memory_mb=1024, disk_gb=1)
    cloud.kill("a")
    cloud.silence("a")
    [full] = cloud.boot()
    assert cloud.settled(full)[0].host == "small"
    ask(cloud, full, other)
    assert cloud.settled(full)[0].image_ref == other


@pytest.mark.parametrize("step", [*(step.name for step in rebuild.STEPS), REPORTING])
def test_a_rebuild_goes_on_whenever_its_host_daemon_was_killed(
    cloud: WorkflowCloud, uuid: str, other: str, step: str
) -> None:
    killed_at(cloud, step, lambda: ask(cloud, uuid, other))
    assert_rebuilt(cloud, uuid, other)


def test_a_rebuild_whose_host_died_is_undone_when_the_host_is_back(cloud: WorkflowCloud, uuid: str, other: str) -> None:
    reached = threading.Event()
    cloud.kill("a")
    cloud.start_compute("a", pause_before_step=dying_before("start_guest", reached))
    ask(cloud, uuid, other)
    assert reached.wait(10)
    cloud.kill("a")
    cloud.silence("a")
    cloud.age_operations(10_000)
    cloud.conductor._recovery._began_at -= 10_000
    cloud.conductor._recovery.turn()
    assert cloud.get(uuid).vm_state is VmState.ERROR
    assert cloud.get(uuid).image_ref == IMAGE.id
    cloud.start_compute("a")
    wait_until(lambda: cloud.journals() == [], 10)
    assert_as_before(cloud, uuid)


def test_a_rebuild_that_no_conductor_took_up_is_offered_again(
    cloud: WorkflowCloud, uuid: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud.api.conductor, "rebuild_instance", lambda *_, **__: None, raising=False)
    ask(cloud, uuid, other)
    assert cloud.get(uuid).task_state == "rebuilding"
    cloud.age_operations(10_000)
    cloud.conductor._recovery.turn()
    assert_rebuilt(cloud, uuid, other)
