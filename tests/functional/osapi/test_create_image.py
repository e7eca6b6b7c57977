# SPDX-License-Identifier: Apache-2.0
"""createImage and createBackup over HTTP: what is recorded and asked of the host, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from nova.api.cloud import ApiSettings
from nova.domain.image import Image
from nova.domain.orders import SnapshotOrder
from tests.functional.compute_cloud import ALICE, BOB, IMAGE, KERNEL, THREE_PART, ComputeCloud

STATES = ["active", "stopped", "paused", "suspended"]
BACKUP = {"name": "daily", "backup_type": "day", "rotation": 2}


def act(cloud: ComputeCloud, uuid: str, body: Any, *, who: str = ALICE, status: int = 202, **options: Any) -> Any:
    answer = cloud.call("POST", f"/servers/{uuid}/action", body, who=who, **options)
    assert answer.status_int == status, answer.text
    return answer


def message(answer: Any) -> str:
    (fault,) = answer.json.values()
    return str(fault["message"])


def ordered(cloud: ComputeCloud, method: str = "create_image") -> SnapshotOrder:
    ((host, called, arguments),) = cloud.compute.taken
    assert (host, called) == ("h1", method)
    order = arguments["order"]
    assert isinstance(order, SnapshotOrder)
    return order


def made(cloud: ComputeCloud) -> list[Image]:
    return [image for image in cloud.images.all.values() if "image_type" in image.properties]


@pytest.mark.parametrize("state", STATES)
def test_an_image_is_recorded_and_its_host_asked_to_fill_it(cloud: ComputeCloud, state: str) -> None:
    uuid = cloud.running(state=state)
    answer = act(cloud, uuid, {"createImage": {"name": "mine", "metadata": {"why": "upgrade"}}})
    [image] = made(cloud)
    assert answer.headers["Location"].endswith(f"/images/{image.id}")
    assert (image.name, image.status, image.visibility, image.min_disk_gb) == ("mine", "queued", "private", 1)
    assert image.properties == {
        "why": "upgrade",
        "architecture": "x86_64",
        "image_type": "snapshot",
        "instance_uuid": uuid,
        "base_image_ref": IMAGE,
        "user_id": "alice",
    }
    order = ordered(cloud)
    assert order.image == image
    assert order.rotation is None
    assert cloud.instance(uuid).task_state == "image_snapshot_pending"
    shown = cloud.ok("GET", f"/servers/{uuid}")["server"]
    assert shown["OS-EXT-STS:task_state"] == "image_snapshot_pending"


def test_older_clients_find_the_image_below_the_compute_api(cloud: ComputeCloud) -> None:
    uuid = cloud.running()
    answer = act(cloud, uuid, {"createImage": {"name": " mine "}}, base="/v2")
    [image] = made(cloud)
    assert image.name == "mine"
    assert f"/v2/images/{image.id}" in answer.headers["Location"]


def test_an_image_of_three_parts_keeps_its_kernel(cloud: ComputeCloud) -> None:
    act(cloud, cloud.running(imageRef=THREE_PART), {"createImage": {"name": "mine"}})
    [image] = made(cloud)
    assert image.properties["kernel_id"] == KERNEL


def test_properties_that_are_not_to_be_inherited_are_not(cloud: ComputeCloud) -> None:
    uuid = cloud.running()
    with cloud.db.transaction() as tx:
        from nova.db import instances

        instances.set_system_metadata(tx, uuid, {"image_cache_in_nova": "True", "image_os": "debian"})
    act(cloud, uuid, {"createImage": {"name": "mine", "metadata": {"image_type": "forged"}}})
    [image] = made(cloud)
    assert "cache_in_nova" not in image.properties
    assert image.properties["os"] == "debian"
    assert image.properties["image_type"] == "snapshot"


def test_a_backup_says_its_type_and_how_many_are_kept(cloud: ComputeCloud) -> None:
    uuid = cloud.running()
    answer = act(cloud, uuid, {"createBackup": {**BACKUP, "rotation": "2"}})
    [image] = made(cloud)
    assert answer.headers["Location"].endswith(f"/images/{image.id}")
    assert (image.properties["image_type"], image.properties["backup_type"]) == ("backup", "day")
    order = ordered(cloud, "create_backup")
    assert (order.backup_type, order.rotation) == ("day", 2)
    assert cloud.instance(uuid).task_state == "image_backup"


def test_a_backup_of_which_none_is_kept_has_no_location(cloud: ComputeCloud) -> None:
    answer = act(cloud, cloud.running(), {"createBackup": {**BACKUP, "rotation": 0}})
    assert "Location" not in answer.headers
    assert ordered(cloud, "create_backup").rotation == 0


@pytest.mark.parametrize("body", [{"createImage": {"name": "mine"}}, {"createBackup": BACKUP}])
@pytest.mark.parametrize("state", ["building", "error", "rescued", "resized", "soft-delete", "shelved_offloaded"])
def test_in_other_states_it_is_refused_and_no_image_is_left(cloud: ComputeCloud, state: str, body: Any) -> None:
    act(cloud, cloud.running(state=state), body, status=409)
    assert made(cloud) == []
    assert cloud.compute.taken == []


@pytest.mark.parametrize("body", [{"createImage": {"name": "mine"}}, {"createBackup": BACKUP}])
def test_while_something_else_is_done_it_is_refused_and_a_lock_does_not_matter(cloud: ComputeCloud, body: Any) -> None:
    uuid = cloud.running()
    cloud.set_row(uuid, task_state="rebooting")
    act(cloud, uuid, body, status=409)
    assert made(cloud) == []
    cloud.set_row(uuid, task_state=None, locked=True)
    act(cloud, uuid, body)
    assert len(made(cloud)) == 1


@pytest.mark.parametrize("body", [{"createImage": {"name": "mine"}}, {"createBackup": BACKUP}])
def test_a_server_that_boots_from_a_volume_is_refused_by_name(cloud: ComputeCloud, body: Any) -> None:
    uuid = cloud.running()
    cloud.set_row(uuid, image_ref=None)
    assert "volume" in message(act(cloud, uuid, body, status=400))
    assert made(cloud) == []


@pytest.mark.parametrize("body", [{"createImage": {"name": "mine"}}, {"createBackup": BACKUP}])
def test_foreign_servers_are_not_found(cloud: ComputeCloud, body: Any) -> None:
    act(cloud, cloud.running(), body, who=BOB, status=404)


@pytest.mark.parametrize(
    "body",
    [
        {"createImage": {}},
        {"createImage": None},
        {"createImage": {"name": ""}},
        {"createImage": {"name": "x" * 256}},
        {"createImage": {"name": "x", "extra": 1}},
        {"createImage": {"name": "x", "metadata": {"a": 1}}},
        {"createImage": {"name": "x", "metadata": {"": "b"}}},
        {"createBackup": {"name": "x", "backup_type": "day"}},
        {"createBackup": {**BACKUP, "rotation": -1}},
        {"createBackup": {**BACKUP, "rotation": "many"}},
        {"createBackup": {**BACKUP, "rotation": 2**40}},
        {"createBackup": {**BACKUP, "backup_type": "a\u0000"}},
    ],
)
def test_a_body_that_is_none_is_refused(cloud: ComputeCloud, body: Any) -> None:
    act(cloud, cloud.running(), body, status=400)
    assert made(cloud) == []


def test_too_much_metadata_exceeds_the_quota(cloud: ComputeCloud) -> None:
    metadata = {f"k{number}": "v" for number in range(129)}
    act(cloud, cloud.running(), {"createImage": {"name": "x", "metadata": metadata}}, status=403)
    assert made(cloud) == []


def test_a_cloud_may_make_no_images() -> None:
    cloud = ComputeCloud(ApiSettings(allow_instance_snapshots=False))
    act(cloud, cloud.running(), {"createImage": {"name": "x"}}, status=400)
    cloud.close()
