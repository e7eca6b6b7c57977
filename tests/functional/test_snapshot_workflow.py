# SPDX-License-Identifier: Apache-2.0
"""Images and backups of servers over HTTP with all daemons: what users find in the image service, whatever fails."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nova.compute.operations import snapshot
from nova.compute.operations.snapshot import IMAGE_STEPS
from nova.compute.runner import REPORTING
from nova.domain.image import Image
from nova.domain.states import OperationState, VmState
from nova.errors import HypervisorError, Unavailable
from nova.image.protocol import ImageFilters
from tests.functional.osapi.test_life_of_a_server import Client
from tests.functional.test_rescue_workflow import dying_before, ended, killed_at
from tests.functional.workflow_cloud import ALICE, WorkflowCloud, wait_until

CREATE_IMAGE = {"createImage": {"name": "mine"}}


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


def ask(cloud: WorkflowCloud, uuid: str, body: dict[str, Any] = CREATE_IMAGE, *, status: int = 202) -> Any:
    answered, answer = Client(cloud).call("POST", f"/servers/{uuid}/action", body)
    assert answered == status, answer
    return answer


def images(cloud: WorkflowCloud) -> list[Image]:
    return list(cloud.store.find(ALICE, filters=ImageFilters()))


def names(cloud: WorkflowCloud) -> list[str]:
    return sorted(image.name for image in images(cloud))


def content(cloud: WorkflowCloud, image: Image) -> bytes:
    return b"".join(cloud.store.read(ALICE, image.id))


def assert_finished(cloud: WorkflowCloud, uuid: str, *, state: VmState = VmState.ACTIVE) -> None:
    [image] = images(cloud)
    assert (image.name, image.status, image.disk_format) == ("mine", "active", "raw")
    assert f"root disk of {uuid}".encode() in content(cloud, image)
    assert cloud.get(uuid).vm_state is state
    assert cloud.get(uuid).task_state is None
    assert cloud.drivers["a"].copies == {}


def assert_failed_clean(cloud: WorkflowCloud, uuid: str) -> None:
    assert cloud.operations(uuid)[0].state is OperationState.FAILED
    wait_until(lambda: images(cloud) == [], 10)
    assert cloud.settled(uuid)[0].vm_state is VmState.ACTIVE
    assert cloud.drivers["a"].copies == {}


def test_an_image_of_a_running_server_holds_its_disk(cloud: WorkflowCloud, uuid: str) -> None:
    seen: set[str] = set()
    ask(cloud, uuid)
    seen.add(str(cloud.get(uuid).task_state))
    cloud.settled(uuid)
    assert_finished(cloud, uuid)
    assert [each.action for each in cloud.operations(uuid)] == ["create_image", "create"]
    assert cloud.get(uuid).progress == 100
    wait_until(lambda: cloud.journals() == [], 10)


def test_a_server_that_is_off_stays_off(cloud: WorkflowCloud, uuid: str) -> None:
    cloud.stop(uuid)
    cloud.settled(uuid)
    ask(cloud, uuid)
    cloud.settled(uuid)
    assert_finished(cloud, uuid, state=VmState.STOPPED)


def test_a_server_boots_from_the_image(cloud: WorkflowCloud, uuid: str) -> None:
    ask(cloud, uuid)
    cloud.settled(uuid)
    [image] = images(cloud)
    status, answer = Client(cloud).call(
        "POST", "/servers", {"server": {"name": "twin", "flavorRef": "small", "imageRef": image.id}}
    )
    assert status == 202, answer
    twin = cloud.settled(answer["server"]["id"])[0]
    assert twin.vm_state is VmState.ACTIVE
    assert twin.image_ref == image.id


def test_only_the_newest_backups_of_a_type_are_kept(cloud: WorkflowCloud, uuid: str) -> None:
    for number in range(4):
        backup = {"name": f"day {number}", "backup_type": "day", "rotation": 2}
        ask(cloud, uuid, {"createBackup": backup})
        cloud.settled(uuid)
    ask(cloud, uuid, {"createBackup": {"name": "week", "backup_type": "week", "rotation": 1}})
    cloud.settled(uuid)
    wait_until(lambda: names(cloud) == ["day 2", "day 3", "week"], 10)
    ask(cloud, uuid, {"createBackup": {"name": "none", "backup_type": "day", "rotation": 0}})
    cloud.settled(uuid)
    wait_until(lambda: names(cloud) == ["week"], 10)


@pytest.mark.parametrize("method", ["copy_root_disk", "read_disk_copy"])
def test_what_fails_leaves_no_image_and_the_server_as_it_was(cloud: WorkflowCloud, uuid: str, method: str) -> None:
    cloud.drivers["a"].fail(method, HypervisorError("the disk is on fire"))
    ask(cloud, uuid)
    ended(cloud, uuid)
    assert_failed_clean(cloud, uuid)
    ask(cloud, uuid)
    cloud.settled(uuid)
    assert_finished(cloud, uuid)


def test_an_upload_that_breaks_off_is_made_again(cloud: WorkflowCloud, uuid: str) -> None:
    cloud.drivers["a"].fail("read_disk_copy", Unavailable("the image service is away"), times=3)
    ask(cloud, uuid)
    cloud.settled(uuid)
    assert_finished(cloud, uuid)
    assert cloud.drivers["a"].calls.count("copy_root_disk") == 1
    assert cloud.drivers["a"].calls.count("read_disk_copy") == 4


def test_an_upload_that_breaks_off_every_time_fails_clean(cloud: WorkflowCloud, uuid: str) -> None:
    cloud.drivers["a"].fail("read_disk_copy", Unavailable("the image service is away"), times=50)
    ask(cloud, uuid)
    ended(cloud, uuid)
    assert_failed_clean(cloud, uuid)


def test_an_image_that_its_user_deletes_meanwhile_ends_the_snapshot(cloud: WorkflowCloud, uuid: str) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def hook(step: str) -> None:
        if step == "upload_image":
            reached.set()
            go_on.wait(10)

    cloud.kill("a")
    cloud.start_compute("a", pause_before_step=hook)
    ask(cloud, uuid)
    assert reached.wait(10)
    [image] = images(cloud)
    cloud.store.delete(ALICE, image.id)
    go_on.set()
    ended(cloud, uuid)
    assert_failed_clean(cloud, uuid)


def test_a_server_that_is_deleted_meanwhile_leaves_no_image(cloud: WorkflowCloud, uuid: str) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def hook(step: str) -> None:
        if step == "upload_image":
            reached.set()
            go_on.wait(10)

    cloud.kill("a")
    cloud.start_compute("a", pause_before_step=hook)
    ask(cloud, uuid)
    assert reached.wait(10)
    cloud.delete(uuid)
    wait_until(lambda: str(cloud.get(uuid).task_state) == "deleting", 10)
    go_on.set()
    assert cloud.settled(uuid)[0].deleted
    wait_until(lambda: images(cloud) == [], 10)
    assert cloud.drivers["a"].copies == {}


@pytest.mark.parametrize("step", [*dict.fromkeys(step.name for step in IMAGE_STEPS), REPORTING])
def test_a_snapshot_goes_on_whenever_its_host_daemon_was_killed(cloud: WorkflowCloud, uuid: str, step: str) -> None:
    killed_at(cloud, step, lambda: ask(cloud, uuid))
    cloud.settled(uuid)
    assert_finished(cloud, uuid)
    wait_until(lambda: cloud.journals() == [], 10)


def test_a_backup_whose_daemon_was_killed_before_the_rotation_rotates_all_the_same(
    cloud: WorkflowCloud, uuid: str
) -> None:
    for number in range(2):
        backup = {"createBackup": {"name": f"day {number}", "backup_type": "day", "rotation": 1}}
        if number == 0:
            ask(cloud, uuid, backup)
        else:
            killed_at(cloud, REPORTING, lambda: ask(cloud, uuid, backup))  # noqa: B023
        cloud.settled(uuid)
    wait_until(lambda: names(cloud) == ["day 1"], 10)


@pytest.mark.parametrize("step", ["copy_disk", "upload_image"])
def test_the_image_of_a_host_that_died_is_deleted(cloud: WorkflowCloud, uuid: str, step: str) -> None:
    reached = threading.Event()
    cloud.kill("a")
    cloud.start_compute("a", pause_before_step=dying_before(step, reached))
    ask(cloud, uuid)
    assert reached.wait(10)
    cloud.kill("a")
    cloud.silence("a")
    cloud.age_operations(10_000)
    cloud.conductor._recovery._began_at -= 10_000
    cloud.conductor._recovery.turn()
    assert cloud.get(uuid).vm_state is VmState.ACTIVE
    assert cloud.get(uuid).task_state is None
    wait_until(lambda: images(cloud) == [], 10)
    cloud.start_compute("a")
    wait_until(lambda: cloud.journals() == [], 10)
    assert cloud.drivers["a"].copies == {}
