# SPDX-License-Identifier: Apache-2.0
"""shelve, shelveOffload and unshelve over HTTP: what is recorded, who is told, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from nova.db import instances
from nova.domain.orders import BuildOrder, SnapshotOrder
from tests.functional.compute_cloud import ADMIN, ALICE, BOB, IMAGE, ComputeCloud

STATES = ["active", "stopped", "paused", "suspended"]


def act(cloud: ComputeCloud, uuid: str, action: str, *, who: str = ALICE, status: int = 202, body: Any = None) -> Any:
    answer = cloud.call("POST", f"/servers/{uuid}/action", {action: body}, who=who)
    assert answer.status_int == status, answer.text
    return answer


def shelved(cloud: ComputeCloud, *, offloaded: bool, image: str = IMAGE) -> str:
    uuid = cloud.running(state="shelved_offloaded" if offloaded else "shelved")
    with cloud.db.transaction() as tx:
        instances.note_shelved(tx, uuid, image_id=image)
    if offloaded:
        cloud.set_row(uuid, host=None, node=None)
    cloud.conductor.taken.clear()
    return uuid


def snapshots(cloud: ComputeCloud) -> list[Any]:
    return [image for image in cloud.images.all.values() if image.properties.get("image_type") == "snapshot"]


@pytest.mark.parametrize("state", STATES)
def test_a_server_is_shelved_as_an_image(cloud: ComputeCloud, state: str) -> None:
    uuid = cloud.running(state=state)
    act(cloud, uuid, "shelve")
    [image] = snapshots(cloud)
    assert (image.name, image.status, image.properties["instance_uuid"]) == ("web-shelved", "queued", uuid)
    ((host, method, arguments),) = cloud.compute.taken
    order = arguments["order"]
    assert (host, method) == ("h1", "shelve")
    assert isinstance(order, SnapshotOrder)
    assert order.image == image
    assert cloud.instance(uuid).task_state == "shelving"


def test_a_server_that_boots_from_a_volume_needs_no_image(cloud: ComputeCloud) -> None:
    uuid = cloud.running()
    cloud.set_row(uuid, image_ref=None)
    act(cloud, uuid, "shelve")
    assert snapshots(cloud) == []
    assert cloud.compute.taken[0][2]["order"].image is None


@pytest.mark.parametrize("state", ["building", "error", "rescued", "resized", "soft-delete", "shelved"])
def test_in_other_states_shelving_is_refused_and_leaves_no_image(cloud: ComputeCloud, state: str) -> None:
    act(cloud, cloud.running(state=state), "shelve", status=409)
    assert snapshots(cloud) == []


def test_only_administrators_take_a_shelved_server_from_its_host(cloud: ComputeCloud) -> None:
    uuid = shelved(cloud, offloaded=False)
    act(cloud, uuid, "shelveOffload", status=403)
    act(cloud, uuid, "shelveOffload", who=ADMIN)
    assert [(host, method) for host, method, _ in cloud.compute.taken] == [("h1", "shelve_offload")]
    act(cloud, cloud.running(), "shelveOffload", who=ADMIN, status=409)


def test_a_server_that_is_still_on_its_host_is_started_there(cloud: ComputeCloud) -> None:
    uuid = shelved(cloud, offloaded=False)
    act(cloud, uuid, "unshelve")
    ((host, method, arguments),) = cloud.compute.taken
    order = arguments["order"]
    assert (host, method) == ("h1", "unshelve")
    assert isinstance(order, BuildOrder)
    assert order.image is None
    assert order.order.instance.vm_state == "shelved"


def test_a_server_on_no_host_is_given_one_by_the_conductor(cloud: ComputeCloud) -> None:
    uuid = shelved(cloud, offloaded=True)
    act(cloud, uuid, "unshelve")
    assert cloud.compute.taken == []
    assert [(method, arguments) for _, method, arguments in cloud.conductor.taken] == [
        ("unshelve_instance", {"instance_uuid": uuid})
    ]
    assert cloud.ok("GET", f"/servers/{uuid}")["server"]["status"] == "SHELVED_OFFLOADED"


def test_a_server_whose_image_is_gone_stays_shelved(cloud: ComputeCloud) -> None:
    uuid = shelved(cloud, offloaded=True, image="155d900f-4e14-4e4c-a73d-000000000000")
    act(cloud, uuid, "unshelve", status=409)
    assert cloud.instance(uuid).task_state is None


@pytest.mark.parametrize("action", ["shelve", "unshelve"])
def test_foreign_and_locked_servers_are_left_alone(cloud: ComputeCloud, action: str) -> None:
    uuid = cloud.running() if action == "shelve" else shelved(cloud, offloaded=False)
    act(cloud, uuid, action, who=BOB, status=404)
    cloud.set_row(uuid, locked=True)
    act(cloud, uuid, action, status=409)
    assert snapshots(cloud) == []


def test_servers_that_are_not_shelved_are_not_unshelved(cloud: ComputeCloud) -> None:
    act(cloud, cloud.running(), "unshelve", status=409)


@pytest.mark.parametrize("action", ["shelve", "shelveOffload", "unshelve"])
@pytest.mark.parametrize("body", [1, "x", [], {"host": "h1"}])
def test_a_body_that_is_none_is_refused(cloud: ComputeCloud, action: str, body: Any) -> None:
    act(cloud, cloud.running(), action, who=ADMIN, body=body, status=400)
