# SPDX-License-Identifier: Apache-2.0
"""Volumes of servers through HTTP and all daemons: attached, shown, detached, refused."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nova.context import admin_context
from nova.db import instances
from nova.domain.block_device import Connector
from nova.domain.states import VmState
from nova.errors import HypervisorError, Unavailable
from tests.functional.volume_cloud import ADMIN, BOB, VolumeCloud
from tests.functional.workflow_cloud import wait_until

NOBODY = "99999999-9999-4999-8999-999999999999"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[VolumeCloud]:
    made = VolumeCloud(tmp_path)
    made.add_scheduler()
    made.add_network()
    made.add_storage()
    made.add_host("a")
    yield made
    made.close()


def at(server: str, volume_id: str = "") -> str:
    return f"/v2.1/servers/{server}/os-volume_attachments" + (f"/{volume_id}" if volume_id else "")


def ask(volume_id: str, device: str | None = None) -> dict[str, object]:
    return {"volumeAttachment": {"volumeId": volume_id, "device": device}}


def attach(cloud: VolumeCloud, server: str, volume_id: str, device: str | None = None) -> str:
    """The device's name, once the volume is in use."""
    made = cloud.ok("POST", at(server), ask(volume_id, device))["volumeAttachment"]
    cloud.becomes(volume_id, "in-use")
    return str(made["device"])


def test_a_volume_is_attached_shown_and_detached(cloud: VolumeCloud) -> None:
    server, volume_id = cloud.running(), cloud.new_volume()
    made = cloud.ok("POST", at(server), ask(volume_id))["volumeAttachment"]
    expected = {"id": volume_id, "volumeId": volume_id, "serverId": server, "device": "/dev/vdb"}
    assert made == expected
    volume = cloud.becomes(volume_id, "in-use")
    assert (volume.instance_uuid, volume.attached_host, volume.mountpoint) == (server, "a", "/dev/vdb")
    assert set(cloud.drivers["a"].guests[server].volumes) == {volume_id}
    [export] = cloud.target.exports.values()
    assert (export["initiator"], export["path"].name) == ("iqn.2010-10.org.openstack:a", f"volume-{volume_id}")
    assert cloud.ok("GET", at(server)) == {"volumeAttachments": [expected]}
    assert cloud.ok("GET", at(server, volume_id)) == {"volumeAttachment": expected}
    [attachment] = cloud.ok("GET", f"/v3/volumes/{volume_id}")["volume"]["attachments"]
    assert (attachment["server_id"], attachment["device"]) == (server, "/dev/vdb")
    assert cloud.ok("GET", f"/v2.1/os-volumes/{volume_id}")["volume"]["attachments"] == [expected]
    assert "in-use" in cloud.refused("DELETE", f"/v3/volumes/{volume_id}", status=400)

    cloud.ok("DELETE", at(server, volume_id), status=202)
    cloud.becomes(volume_id, "available")
    assert cloud.drivers["a"].guests[server].volumes == {}
    assert cloud.target.exports == {}
    assert cloud.ok("GET", at(server)) == {"volumeAttachments": []}
    cloud.refused("GET", at(server, volume_id), status=404)
    cloud.refused("DELETE", at(server, volume_id), status=404)


def test_no_answer_shows_storage_credentials(cloud: VolumeCloud) -> None:
    server, volume_id = cloud.running(), cloud.new_volume()
    attach(cloud, server, volume_id)
    [export] = cloud.target.exports.values()
    for path in (at(server), at(server, volume_id), f"/v3/volumes/{volume_id}", f"/v2.1/servers/{server}"):
        text = cloud.call("GET", path, who=ADMIN).text
        assert export["username"] not in text
        assert "iqn." not in text


def test_a_stopped_server_takes_a_volume_and_starts_with_it(cloud: VolumeCloud) -> None:
    server, volume_id = cloud.running(), cloud.new_volume()
    cloud.ok("POST", f"/v2.1/servers/{server}/action", {"os-stop": None}, status=202)
    wait_until(lambda: cloud.get(server).vm_state is VmState.STOPPED, 10)
    attach(cloud, server, volume_id)
    cloud.ok("POST", f"/v2.1/servers/{server}/action", {"os-start": None}, status=202)
    wait_until(lambda: cloud.get(server).vm_state is VmState.ACTIVE, 10)
    assert set(cloud.drivers["a"].guests[server].volumes) == {volume_id}


def test_device_names_are_the_next_free_or_the_wished_ones(cloud: VolumeCloud) -> None:
    server = cloud.running()
    first, second, third, fourth = (cloud.new_volume() for _ in range(4))
    assert attach(cloud, server, first, "/dev/vdc") == "/dev/vdc"
    assert attach(cloud, server, second) == "/dev/vdb"
    assert attach(cloud, server, third, "/dev/xvde") == "/dev/xvde"
    for taken in ("/dev/vda", "/dev/sdb", "vdc", "/dev/vde"):
        assert "in use" in cloud.refused("POST", at(server), ask(fourth, taken), status=400)
    for wrong in ("/dev/vdb/../sda", "vd", "/dev/disk", "/dev/vdé", "x" * 65, "/dev/vdb\n", "auto"):
        cloud.refused("POST", at(server), ask(fourth, wrong), status=400)
    assert cloud.becomes(fourth, "available").instance_uuid == ""
    assert attach(cloud, server, fourth) == "/dev/vdd"


def test_of_many_attaches_of_one_volume_one_wins(cloud: VolumeCloud) -> None:
    servers, volume_id = cloud.boot(count=4), cloud.new_volume()
    cloud.settled(*servers)

    def attempt(number: int) -> int:
        return cloud.call("POST", at(servers[number % 4]), ask(volume_id)).status_int

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(attempt, range(20)))
    assert sorted(answers) == [200] + [400] * 19
    volume = cloud.becomes(volume_id, "in-use")
    holding = [uuid for uuid in servers if cloud.drivers["a"].guests[uuid].volumes]
    assert holding == [volume.instance_uuid]


def test_nothing_of_another_project_is_attached_or_seen(cloud: VolumeCloud) -> None:
    server, mine, theirs = cloud.running(), cloud.new_volume(), cloud.new_volume(who=BOB)
    cloud.refused("POST", at(server), ask(theirs), status=404)
    cloud.refused("POST", at(server), ask(theirs), status=404, who=ADMIN)
    cloud.refused("POST", at(server), ask(theirs), status=404, who=BOB)
    cloud.refused("POST", at(server), ask(NOBODY), status=404)
    attach(cloud, server, mine)
    cloud.refused("GET", at(server), status=404, who=BOB)
    cloud.refused("GET", at(server, mine), status=404, who=BOB)
    cloud.refused("DELETE", at(server, mine), status=404, who=BOB)


def test_a_locked_or_busy_server_refuses(cloud: VolumeCloud) -> None:
    server, volume_id = cloud.running(), cloud.new_volume()
    cloud.db.run(lambda tx: instances.lock(tx, server, by="admin"))
    cloud.refused("POST", at(server), ask(volume_id), status=409)
    cloud.db.run(lambda tx: instances.unlock(tx, server))
    cloud.db.run(lambda tx: instances.reset_state(tx, server, VmState.ERROR))
    cloud.refused("POST", at(server), ask(volume_id), status=409)
    assert str(cloud.becomes(volume_id, "available").status) == "available"


def test_a_volume_that_is_being_detached_is_not_detached_twice(cloud: VolumeCloud) -> None:
    server, volume_id = cloud.running(), cloud.new_volume()
    attach(cloud, server, volume_id)
    cloud.drivers["a"].delay("detach_volume", 0.5)
    cloud.ok("DELETE", at(server, volume_id), status=202)
    cloud.refused("DELETE", at(server, volume_id), status=409)
    cloud.becomes(volume_id, "available")


def test_an_attach_that_fails_frees_the_volume_and_leaves_the_server_as_it_was(cloud: VolumeCloud) -> None:
    server, volume_id = cloud.running(), cloud.new_volume()
    cloud.drivers["a"].fail("attach_volume", HypervisorError("The disk does not fit."))
    cloud.ok("POST", at(server), ask(volume_id))
    wait_until(lambda: cloud.fault(server) is not None, 10)
    cloud.becomes(volume_id, "available")
    fault = cloud.fault(server)
    assert fault is not None
    assert "does not fit" in fault.message
    assert cloud.get(server).vm_state is VmState.ACTIVE
    assert cloud.target.exports == {}
    assert attach(cloud, server, volume_id) == "/dev/vdb"


def test_a_detach_that_the_guest_refuses_leaves_the_volume_in_use(cloud: VolumeCloud) -> None:
    server, volume_id = cloud.running(), cloud.new_volume()
    attach(cloud, server, volume_id)
    cloud.drivers["a"].fail("detach_volume", HypervisorError("The guest holds on to it."))
    cloud.ok("DELETE", at(server, volume_id), status=202)
    wait_until(lambda: cloud.fault(server) is not None, 10)
    cloud.becomes(volume_id, "in-use")
    cloud.ok("DELETE", at(server, volume_id), status=202)
    cloud.becomes(volume_id, "available")


def test_a_target_daemon_that_is_away_fails_the_attach_with_the_reason(cloud: VolumeCloud) -> None:
    server, volume_id = cloud.running(), cloud.new_volume()

    def away(**_arguments: object) -> None:
        raise Unavailable("The iSCSI target daemon does not answer; is tgtd running?")

    cloud.target.export = away  # type: ignore[method-assign]
    cloud.ok("POST", at(server), ask(volume_id))
    wait_until(lambda: cloud.fault(server) is not None, 30)
    fault = cloud.fault(server)
    assert fault is not None
    assert "tgtd" in fault.message
    cloud.becomes(volume_id, "available")


def test_a_deleted_server_frees_its_volumes(cloud: VolumeCloud) -> None:
    server, volume_id = cloud.running(), cloud.new_volume()
    attach(cloud, server, volume_id)
    cloud.ok("DELETE", f"/v2.1/servers/{server}", status=204)
    cloud.becomes(volume_id, "available")
    wait_until(lambda: cloud.target.exports == {}, 10)


def test_an_export_to_a_host_that_is_dead_does_not_keep_the_volume_from_others(cloud: VolumeCloud) -> None:
    server, volume_id = cloud.running(), cloud.new_volume()
    attach(cloud, server, volume_id)
    cloud.kill("a")
    cloud.silence("a")
    cloud.ok("DELETE", f"/v2.1/servers/{server}", status=204)
    cloud.becomes(volume_id, "available")
    assert len(cloud.target.exports) == 1
    cloud.add_host("b")
    other = cloud.running()
    attach(cloud, other, volume_id)
    assert [export["initiator"] for export in cloud.target.exports.values()] == ["iqn.2010-10.org.openstack:b"]


def boot_with(cloud: VolumeCloud, volume_id: str, **device: object) -> str:
    """A server that has the volume from its beginning."""
    mapping = {"source_type": "volume", "destination_type": "volume", "uuid": volume_id, **device}
    body = {"server": {"name": "v", "flavorRef": "small", "block_device_mapping_v2": [mapping]}}
    return str(cloud.ok("POST", "/v2.1/servers", body, status=202)["server"]["id"])


def test_a_server_boots_from_a_volume_and_gives_it_back(cloud: VolumeCloud) -> None:
    volume_id = cloud.new_volume()
    server = boot_with(cloud, volume_id, boot_index=0)
    cloud.settled(server)
    assert cloud.get(server).vm_state is VmState.ACTIVE
    assert cloud.becomes(volume_id, "in-use").mountpoint == "/dev/vda"
    assert set(cloud.drivers["a"].guests[server].volumes) == {volume_id}
    cloud.refused("DELETE", at(server, volume_id), status=403)
    cloud.ok("DELETE", f"/v2.1/servers/{server}", status=204)
    cloud.becomes(volume_id, "available")


def test_a_volume_that_goes_with_its_server_is_deleted_with_it(cloud: VolumeCloud) -> None:
    volume_id = cloud.new_volume()
    server = boot_with(cloud, volume_id, boot_index=0, delete_on_termination=True)
    cloud.settled(server)
    cloud.ok("DELETE", f"/v2.1/servers/{server}", status=204)
    cloud.vanishes(volume_id)
    assert cloud.quota_used() == (0, 0)


def test_a_build_that_goes_to_another_host_takes_its_volume_along(cloud: VolumeCloud) -> None:
    volume_id = cloud.new_volume()
    dead = Connector(host="dead", ip="192.0.2.9", initiator="iqn.2010-10.org.openstack:dead")
    cloud.volume_host.connect(admin_context("a host that died later"), volume_id=volume_id, connector=dead)
    server = boot_with(cloud, volume_id, boot_index=0)
    cloud.settled(server)
    assert cloud.get(server).vm_state is VmState.ACTIVE
    assert [export["initiator"] for export in cloud.target.exports.values()] == ["iqn.2010-10.org.openstack:a"]


def test_volumes_are_exchanged_by_nobody(cloud: VolumeCloud) -> None:
    server, volume_id = cloud.running(), cloud.new_volume()
    attach(cloud, server, volume_id)
    cloud.refused("PUT", at(server, volume_id), ask_swap(), status=403)
    cloud.refused("PUT", at(server, volume_id), ask_swap(), status=409, who=ADMIN)


def ask_swap() -> dict[str, object]:
    return {"volumeAttachment": {"volumeId": NOBODY}}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"volumeAttachment": {}},
        {"volumeAttachment": {"volumeId": 7}},
        {"volumeAttachment": {"volumeId": "not-a-uuid"}},
        {"volumeAttachment": {"volumeId": NOBODY, "device": 7}},
        {"volumeAttachment": {"volumeId": NOBODY, "extra": 7}},
        {"volumeAttachment": {"volumeId": NOBODY + "\n"}},
        {"volumeAttachment": [NOBODY]},
    ],
)
def test_a_wrong_body_is_refused(cloud: VolumeCloud, body: object) -> None:
    cloud.refused("POST", at(NOBODY), body, status=400)
