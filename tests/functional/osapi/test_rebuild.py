# SPDX-License-Identifier: Apache-2.0
"""rebuild over HTTP: what is recorded, who is told, and what is refused."""

from __future__ import annotations

import base64
import dataclasses
from typing import Any

import pytest

from nova.domain.orders import BuildOrder
from tests.functional.compute_cloud import ALICE, BOB, HUGE, IMAGE, KERNEL, QUEUED, THREE_PART, ComputeCloud

OTHER = "0d1e2f30-31e7-49b7-b260-868f441e862b"


@pytest.fixture(autouse=True)
def other_image(cloud: ComputeCloud) -> None:
    tiny = cloud.images.all[IMAGE]
    cloud.images.all[OTHER] = dataclasses.replace(tiny, id=OTHER, name="other", properties={"os": "other"})


def rebuild(cloud: ComputeCloud, uuid: str, *, who: str = ALICE, status: int = 202, **body: Any) -> Any:
    options = {key: body.pop(key) for key in ("version", "base") if key in body}
    wanted = {"rebuild": {"imageRef": IMAGE, **body}}
    answer = cloud.call("POST", f"/servers/{uuid}/action", wanted, who=who, **options)
    assert answer.status_int == status, answer.text
    return answer


def ordered(cloud: ComputeCloud) -> BuildOrder:
    ((host, method, arguments),) = cloud.compute.taken
    assert (host, method) == ("h1", "rebuild")
    order = arguments["order"]
    assert isinstance(order, BuildOrder)
    return order


@pytest.mark.parametrize("state", ["active", "stopped", "error"])
def test_with_its_own_image_the_order_goes_to_the_host(cloud: ComputeCloud, state: str) -> None:
    uuid = cloud.running(state=state)
    answer = rebuild(cloud, uuid)
    order = ordered(cloud)
    server = answer.json["server"]
    assert answer.headers["Location"].endswith(f"/servers/{uuid}")
    assert (server["id"], server["status"], server["image"]["id"]) == (uuid, "REBUILD", IMAGE)
    assert order.admin_password is not None
    assert server["adminPass"] == order.admin_password.reveal()
    assert order.image is not None
    assert order.image.id == IMAGE
    assert order.order.instance.vm_state == state
    assert cloud.instance(uuid).task_state == "rebuilding"


def test_with_another_image_the_scheduler_is_asked_first_and_the_new_one_is_shown(cloud: ComputeCloud) -> None:
    uuid = cloud.running()
    cloud.conductor.taken.clear()
    server = rebuild(cloud, uuid, imageRef=f"http://images:9292/v2/images/{OTHER}").json["server"]
    assert server["image"]["id"] == OTHER
    assert cloud.compute.taken == []
    ((_, method, arguments),) = cloud.conductor.taken
    assert (method, arguments["instance_uuid"]) == ("rebuild_instance", uuid)
    assert cloud.instance(uuid).system_metadata == {"image_os": "other"}


def test_an_image_of_three_parts_brings_its_kernel(cloud: ComputeCloud) -> None:
    uuid = cloud.running()
    rebuild(cloud, uuid, imageRef=THREE_PART)
    assert cloud.instance(uuid).kernel_id == KERNEL


def test_everything_that_may_change_does(cloud: ComputeCloud) -> None:
    uuid = cloud.running(metadata={"old": "gone"})
    contents = base64.b64encode(b"hello").decode()
    server = rebuild(
        cloud,
        uuid,
        name="new",
        metadata={"role": "db"},
        accessIPv4="192.0.2.9",
        accessIPv6="2001:db8::1",
        adminPass="canary-11",
        personality=[{"path": "/etc/motd", "contents": contents}],
        preserve_ephemeral=True,
        description=None,
        version="2.19",
        **{"OS-DCF:diskConfig": "AUTO"},
    ).json["server"]
    assert (server["name"], server["metadata"], server["adminPass"]) == ("new", {"role": "db"}, "canary-11")
    assert (server["accessIPv4"], server["accessIPv6"]) == ("192.0.2.9", "2001:db8::1")
    assert (server["OS-DCF:diskConfig"], server["description"]) == ("AUTO", None)
    order = ordered(cloud)
    assert [(file.path, file.contents) for file in order.injected_files] == [("/etc/motd", contents)]
    assert order.keep_ephemeral
    assert order.admin_password is not None
    assert "canary" not in str(cloud.statements("GET", f"/servers/{uuid}"))


def test_what_is_not_named_stays(cloud: ComputeCloud) -> None:
    uuid = cloud.running(metadata={"old": "stays"})
    server = rebuild(cloud, uuid).json["server"]
    assert (server["name"], server["metadata"]) == ("web", {"old": "stays"})


@pytest.mark.parametrize("image", [QUEUED, HUGE, "155d900f-4e14-4e4c-a73d-000000000000"])
def test_an_image_that_cannot_be_booted_changes_nothing(cloud: ComputeCloud, image: str) -> None:
    uuid = cloud.running()
    answer = rebuild(cloud, uuid, imageRef=image, status=400)
    assert "image" in answer.json["badRequest"]["message"]
    assert cloud.compute.taken == []
    assert cloud.instance(uuid).image_ref == IMAGE
    assert cloud.instance(uuid).task_state is None


@pytest.mark.parametrize("state", ["building", "paused", "suspended", "rescued", "resized", "soft-delete", "shelved"])
def test_in_other_states_it_is_refused(cloud: ComputeCloud, state: str) -> None:
    rebuild(cloud, cloud.running(state=state), status=409)


def test_locked_and_foreign_servers_are_left_alone(cloud: ComputeCloud) -> None:
    uuid = cloud.running()
    rebuild(cloud, uuid, who=BOB, status=404)
    cloud.set_row(uuid, locked=True)
    rebuild(cloud, uuid, status=409)


def test_a_server_that_boots_from_a_volume_is_refused(cloud: ComputeCloud) -> None:
    uuid = cloud.running()
    cloud.set_row(uuid, image_ref=None)
    assert "volume" in rebuild(cloud, uuid, status=400).json["badRequest"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        {"imageRef": 1},
        {"imageRef": ""},
        {"name": ""},
        {"metadata": {"a": 1}},
        {"personality": [{"path": "/x", "contents": "no base64!"}]},
        {"OS-DCF:diskConfig": "auto"},
        {"accessIPv4": "2001:db8::1"},
        {"preserve_ephemeral": "perhaps"},
        {"flavorRef": "1"},
        {"description": "needs 2.19"},
    ],
)
def test_a_body_that_is_none_is_refused(cloud: ComputeCloud, body: Any) -> None:
    uuid = cloud.running()
    rebuild(cloud, uuid, status=400, **body)
    assert cloud.instance(uuid).task_state is None


@pytest.mark.parametrize(
    "body",
    [
        {"metadata": {f"k{number}": "v" for number in range(129)}},
        {"personality": [{"path": f"/{number}", "contents": ""} for number in range(6)]},
        {"personality": [{"path": "/big", "contents": base64.b64encode(bytes(10241)).decode()}]},
    ],
)
def test_more_than_the_quota_is_refused_and_changes_nothing(cloud: ComputeCloud, body: Any) -> None:
    uuid = cloud.running()
    rebuild(cloud, uuid, status=403, **body)
    assert cloud.instance(uuid).task_state is None
