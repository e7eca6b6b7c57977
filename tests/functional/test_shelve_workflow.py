# SPDX-License-Identifier: Apache-2.0
"""Shelving over HTTP with all daemons: room, addresses, quota and images, whatever fails or is killed."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nova.compute.operations import snapshot
from nova.compute.operations.shelve import OFFLOAD_STEPS, SHELVE_STEPS, UNSHELVE_STEPS
from nova.compute.runner import REPORTING
from nova.conductor.operations.shelve import offload_shelved
from nova.conductor.settings import ConductorSettings
from nova.db import instances, quotas
from nova.domain.states import OperationState, VmState
from nova.errors import HypervisorError
from nova.image.protocol import ImageFilters
from tests.functional.osapi.test_life_of_a_server import Client
from tests.functional.test_rescue_workflow import dying_before, ended
from tests.functional.workflow_cloud import ALICE, WorkflowCloud, wait_until

STAY_S = 3600.0


@pytest.fixture(params=["stays", "leaves"])
def stays(request: pytest.FixtureRequest) -> bool:
    """Whether a shelved server stays on its host for a while."""
    return bool(request.param == "stays")


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stays: bool) -> Iterator[WorkflowCloud]:
    monkeypatch.setattr(snapshot, "PAUSE_S", 0.01)
    made = WorkflowCloud(tmp_path, conductor=ConductorSettings(shelved_offload_s=STAY_S if stays else 0.0))
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


def act(cloud: WorkflowCloud, uuid: str, action: str, *, status: int = 202) -> Any:
    answered, body = Client(cloud).call("POST", f"/servers/{uuid}/action", {action: None})
    assert answered == status, body
    return body


def images(cloud: WorkflowCloud) -> list[str]:
    return [image.name for image in cloud.store.find(ALICE, filters=ImageFilters())]


def becomes(cloud: WorkflowCloud, uuid: str, state: VmState) -> None:
    wait_until(
        lambda: cloud.get(uuid).vm_state is state and cloud.get(uuid).task_state is None,
        20,
        lambda: f"{cloud.get(uuid)} {cloud.operations(uuid)}",
    )


def quota(cloud: WorkflowCloud) -> int:
    usages = cloud.db.run(lambda tx: quotas.usages(tx, ALICE.project_id, defaults={}), write=False)
    return usages["cores"].in_use


def shelve(cloud: WorkflowCloud, uuid: str, stays: bool) -> None:
    act(cloud, uuid, "shelve")
    becomes(cloud, uuid, VmState.SHELVED if stays else VmState.SHELVED_OFFLOADED)


def killed_at(cloud: WorkflowCloud, step: str, ask: Callable[[], object]) -> None:
    reached = threading.Event()
    cloud.kill("a")
    cloud.start_compute("a", pause_before_step=dying_before(step, reached))
    ask()
    assert reached.wait(10)
    cloud.kill("a")
    cloud.start_compute("a")


def test_a_shelved_server_gives_its_room_to_others_and_keeps_the_rest(
    cloud: WorkflowCloud, uuid: str, stays: bool
) -> None:
    driver, addresses, used = cloud.drivers["a"], cloud.addresses(uuid), cloud.used()["a"]
    shelve(cloud, uuid, stays)
    assert images(cloud) == ["web-shelved"]
    assert uuid not in driver.guests
    wait_until(lambda: (uuid in driver.disks, uuid in cloud.claims()) == (stays, stays), 10)
    assert cloud.used()["a"] == (used if stays else (0, 0, 0))
    assert cloud.get(uuid).host == ("a" if stays else "")
    assert cloud.addresses(uuid) == addresses
    assert quota(cloud) == 1

    act(cloud, uuid, "unshelve")
    becomes(cloud, uuid, VmState.ACTIVE)
    assert (cloud.get(uuid).host, cloud.used()["a"], cloud.claims()) == ("a", used, [uuid])
    assert cloud.addresses(uuid) == addresses
    wait_until(lambda: images(cloud) == [], 10)
    wait_until(lambda: cloud.journals() == [], 10)
    assert quota(cloud) == 1
    assert "shelved_at" not in cloud.get(uuid).system_metadata
    expected = ["unshelve", "shelve", "create"] if stays else ["unshelve", "shelve_offload", "shelve", "create"]
    assert [each.action for each in cloud.operations(uuid)] == expected


def test_a_server_comes_back_on_another_host_when_its_own_is_full(cloud: WorkflowCloud, stays: bool) -> None:
    if stays:
        return
    cloud.add_host("b", vcpus=1, memory_mb=1024, disk_gb=1)
    cloud.kill("a")
    cloud.silence("a")
    [one] = cloud.boot()
    assert cloud.settled(one)[0].host == "b"
    shelve(cloud, one, stays)
    [two] = cloud.boot()
    assert cloud.settled(two)[0].host == "b"

    act(cloud, one, "unshelve")
    ended(cloud, one)
    assert cloud.operations(one)[0].state is OperationState.FAILED
    assert "No valid host" in cloud.operations(one)[0].message
    becomes(cloud, one, VmState.SHELVED_OFFLOADED)
    assert images(cloud) == ["web-shelved"]
    assert cloud.claims() == [two]

    cloud.start_compute("a")
    act(cloud, one, "unshelve")
    becomes(cloud, one, VmState.ACTIVE)
    assert cloud.get(one).host == "a"
    image_id = cloud.drivers["a"].images[one]
    assert image_id != cloud.get(one).image_ref


def test_the_time_on_the_host_ends(cloud: WorkflowCloud, uuid: str, stays: bool) -> None:
    if not stays:
        return
    shelve(cloud, uuid, stays)
    offload_shelved(cloud.conductor.cloud)
    assert cloud.get(uuid).task_state is None
    long_ago = (datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=STAY_S + 60)).replace(tzinfo=None)
    cloud.db.run(lambda tx: instances.set_system_metadata(tx, uuid, {"shelved_at": long_ago.isoformat()}))
    offload_shelved(cloud.conductor.cloud)
    becomes(cloud, uuid, VmState.SHELVED_OFFLOADED)
    assert cloud.claims() == []
    wait_until(lambda: cloud.drivers["a"].disks == {}, 10)


def test_a_shelved_server_that_is_deleted_leaves_no_image(cloud: WorkflowCloud, uuid: str, stays: bool) -> None:
    shelve(cloud, uuid, stays)
    cloud.delete(uuid)
    assert cloud.settled(uuid)[0].deleted
    wait_until(lambda: images(cloud) == [], 10)
    assert cloud.claims() == []
    assert quota(cloud) == 0
    wait_until(lambda: cloud.allocated() == [], 10)


@pytest.mark.parametrize("method", ["shut_down", "copy_root_disk", "read_disk_copy"])
def test_a_shelve_that_fails_brings_the_guest_back(cloud: WorkflowCloud, uuid: str, method: str) -> None:
    cloud.drivers["a"].fail(method, HypervisorError("the disk is on fire"))
    act(cloud, uuid, "shelve")
    ended(cloud, uuid)
    becomes(cloud, uuid, VmState.ACTIVE)
    assert cloud.drivers["a"].guests[uuid].state.name == "RUNNING"
    wait_until(lambda: images(cloud) == [], 10)
    assert cloud.claims() == [uuid]


@pytest.mark.parametrize("method", ["create_disks", "start"])
def test_an_unshelve_that_fails_leaves_the_server_shelved(
    cloud: WorkflowCloud, uuid: str, stays: bool, method: str
) -> None:
    if stays and method == "create_disks":
        return
    shelve(cloud, uuid, stays)
    cloud.drivers["a"].fail(method, HypervisorError("not now"))
    act(cloud, uuid, "unshelve")
    ended(cloud, uuid)
    becomes(cloud, uuid, VmState.SHELVED if stays else VmState.SHELVED_OFFLOADED)
    assert images(cloud) == ["web-shelved"]
    assert (uuid in cloud.claims(), uuid in cloud.drivers["a"].disks) == (stays, stays)
    assert cloud.get(uuid).host == ("a" if stays else "")
    act(cloud, uuid, "unshelve")
    becomes(cloud, uuid, VmState.ACTIVE)
    assert cloud.claims() == [uuid]


@pytest.mark.parametrize("step", [*dict.fromkeys(step.name for step in SHELVE_STEPS), REPORTING])
def test_a_shelve_goes_on_whenever_its_host_daemon_was_killed(
    cloud: WorkflowCloud, uuid: str, stays: bool, step: str
) -> None:
    killed_at(cloud, step, lambda: act(cloud, uuid, "shelve"))
    becomes(cloud, uuid, VmState.SHELVED if stays else VmState.SHELVED_OFFLOADED)
    assert images(cloud) == ["web-shelved"]


@pytest.mark.parametrize("step", [step.name for step in OFFLOAD_STEPS])
def test_an_offload_goes_on_whenever_its_host_daemon_was_killed(
    cloud: WorkflowCloud, uuid: str, stays: bool, step: str
) -> None:
    if stays:
        return
    killed_at(cloud, step, lambda: act(cloud, uuid, "shelve"))
    becomes(cloud, uuid, VmState.SHELVED_OFFLOADED)
    assert cloud.claims() == []
    wait_until(lambda: cloud.drivers["a"].disks == {}, 10)


@pytest.mark.parametrize("step", [*(step.name for step in UNSHELVE_STEPS), REPORTING])
def test_an_unshelve_goes_on_whenever_its_host_daemon_was_killed(
    cloud: WorkflowCloud, uuid: str, stays: bool, step: str
) -> None:
    shelve(cloud, uuid, stays)
    killed_at(cloud, step, lambda: act(cloud, uuid, "unshelve"))
    becomes(cloud, uuid, VmState.ACTIVE)
    assert cloud.claims() == [uuid]
    wait_until(lambda: images(cloud) == [], 10)


def test_an_unshelve_whose_host_died_is_given_up_and_works_elsewhere(
    cloud: WorkflowCloud, uuid: str, stays: bool
) -> None:
    if stays:
        return
    shelve(cloud, uuid, stays)
    reached = threading.Event()
    cloud.kill("a")
    cloud.start_compute("a", pause_before_step=dying_before("start_guest", reached))
    act(cloud, uuid, "unshelve")
    assert reached.wait(10)
    cloud.kill("a")
    cloud.silence("a")
    cloud.age_operations(10_000)
    cloud.conductor._recovery._began_at -= 10_000
    cloud.conductor._recovery.turn()
    becomes(cloud, uuid, VmState.SHELVED_OFFLOADED)
    assert (cloud.claims(), cloud.get(uuid).host) == ([], "")
    cloud.add_host("b")
    act(cloud, uuid, "unshelve")
    becomes(cloud, uuid, VmState.ACTIVE)
    assert cloud.get(uuid).host == "b"
    cloud.start_compute("a")
    wait_until(lambda: cloud.journals() == [], 10)
    assert cloud.guests() == {uuid: ["b"]}
    assert uuid not in cloud.drivers["a"].disks


def test_an_offload_whose_host_died_is_done_without_it(cloud: WorkflowCloud, uuid: str, stays: bool) -> None:
    if stays:
        return
    reached = threading.Event()
    cloud.kill("a")
    cloud.start_compute("a", pause_before_step=dying_before("disconnect_volumes", reached))
    act(cloud, uuid, "shelve")
    assert reached.wait(10)
    cloud.kill("a")
    cloud.silence("a")
    cloud.age_operations(10_000)
    cloud.conductor._recovery._began_at -= 10_000
    cloud.conductor._recovery.turn()
    becomes(cloud, uuid, VmState.SHELVED_OFFLOADED)
    assert cloud.claims() == []


def test_an_unshelve_that_no_conductor_took_up_is_offered_again(
    cloud: WorkflowCloud, uuid: str, stays: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if stays:
        return
    shelve(cloud, uuid, stays)
    monkeypatch.setattr(cloud.api.conductor, "unshelve_instance", lambda *_, **__: None, raising=False)
    act(cloud, uuid, "unshelve")
    cloud.age_operations(10_000)
    cloud.conductor._recovery.turn()
    becomes(cloud, uuid, VmState.ACTIVE)
