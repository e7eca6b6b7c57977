# SPDX-License-Identifier: Apache-2.0
"""rescue and unrescue over HTTP: what is asked of the host, and what is refused."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from nova.api.cloud import ApiSettings
from nova.domain.orders import BuildOrder
from tests.functional.compute_cloud import ALICE, BOB, HUGE, IMAGE, KERNEL, QUEUED, THREE_PART, ComputeCloud


def rescue(cloud: ComputeCloud, uuid: str, body: Any = None, *, status: int = 200, who: str = ALICE) -> Any:
    answer = cloud.call("POST", f"/servers/{uuid}/action", {"rescue": body}, who=who)
    assert answer.status_int == status, answer.text
    return answer.json if answer.body else None


def ordered(cloud: ComputeCloud) -> BuildOrder:
    ((host, method, arguments),) = cloud.compute.taken
    assert (host, method) == ("h1", "rescue")
    order = arguments["order"]
    assert isinstance(order, BuildOrder)
    return order


def parts(order: BuildOrder) -> list[str | None]:
    return [image and image.id for image in (order.image, order.kernel, order.ramdisk)]


@pytest.mark.parametrize("state", ["active", "stopped", "error"])
@pytest.mark.parametrize("body", [None, {}])
def test_a_server_is_rescued_from_its_own_image_with_a_new_password(cloud: ComputeCloud, state: str, body: Any) -> None:
    uuid = cloud.running(state=state)
    answer = rescue(cloud, uuid, body)
    order = ordered(cloud)
    assert cloud.instance(uuid).task_state == "rescuing"
    assert order.order.instance.vm_state == state
    assert order.admin_password is not None
    assert answer == {"adminPass": order.admin_password.reveal()}
    assert len(answer["adminPass"]) == 12
    assert parts(order) == [IMAGE, None, None]


def test_another_image_and_a_password_may_be_chosen(cloud: ComputeCloud) -> None:
    uuid = cloud.running()
    url = f"http://images:9292/v2/images/{THREE_PART}"
    assert rescue(cloud, uuid, {"adminPass": "canary-77", "rescue_image_ref": url}) == {"adminPass": "canary-77"}
    assert parts(ordered(cloud)) == [THREE_PART, KERNEL, None]
    listed = cloud.ok("GET", f"/servers/{uuid}/os-instance-actions")["instanceActions"]
    assert [each["action"] for each in listed] == ["rescue", "create"]


def test_the_cloud_may_have_a_rescue_image() -> None:
    cloud = ComputeCloud(ApiSettings(rescue_image_id=THREE_PART))
    rescue(cloud, cloud.running())
    assert parts(ordered(cloud)) == [THREE_PART, KERNEL, None]
    cloud.close()


def test_without_instance_passwords_the_answer_has_none() -> None:
    cloud = ComputeCloud(ApiSettings(enable_instance_password=False))
    assert rescue(cloud, cloud.running()) == {}
    cloud.close()


@pytest.mark.parametrize("image", [QUEUED, HUGE, "155d900f-4e14-4e4c-a73d-000000000000"])
def test_an_image_that_cannot_be_booted_is_refused_by_its_field(cloud: ComputeCloud, image: str) -> None:
    uuid = cloud.running()
    answer = rescue(cloud, uuid, {"rescue_image_ref": image}, status=400)
    assert "image" in answer["badRequest"]["message"]
    assert cloud.compute.taken == []
    assert cloud.instance(uuid).task_state is None


@pytest.mark.parametrize("body", ["x", [], {"adminPass": 1}, {"adminPass": "a\u0007"}, {"image": IMAGE}])
def test_a_body_that_is_none_is_refused(cloud: ComputeCloud, body: Any) -> None:
    rescue(cloud, cloud.running(), body, status=400)


def test_a_server_that_boots_from_a_volume_is_not_rescued(cloud: ComputeCloud) -> None:
    uuid = cloud.running()
    cloud.set_row(uuid, image_ref=None)
    assert "volume" in rescue(cloud, uuid, status=400)["badRequest"]["message"]


def test_an_own_image_that_is_gone_asks_for_another(cloud: ComputeCloud) -> None:
    uuid = cloud.running()
    kept = cloud.images.all.pop(IMAGE)
    rescue(cloud, uuid, status=400)
    cloud.images.all[KERNEL] = dataclasses.replace(kept, id=KERNEL)
    rescue(cloud, uuid, {"rescue_image_ref": KERNEL})


def test_foreign_servers_are_not_found_and_locked_ones_are_left_alone(cloud: ComputeCloud) -> None:
    uuid = cloud.running()
    rescue(cloud, uuid, status=404, who=BOB)
    cloud.call("POST", f"/servers/{uuid}/action", {"lock": None})
    rescue(cloud, uuid, status=409)
