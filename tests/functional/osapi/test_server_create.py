# SPDX-License-Identifier: Apache-2.0
"""POST /servers."""

from __future__ import annotations

import base64
import dataclasses
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from nova.api.cloud import ApiSettings
from nova.db import block_devices, flavors, operations, quotas, volumes
from nova.domain.flavor import Flavor
from nova.domain.instance import Operation
from nova.domain.orders import BuildRequest
from nova.domain.states import OperationState, VolumeStatus
from nova.domain.volume import Volume
from nova.errors import Unavailable
from tests.functional.compute_cloud import ADMIN, BOB, HUGE, IMAGE, KERNEL, QUEUED, THREE_PART, ComputeCloud


def body(**keys: Any) -> dict[str, Any]:
    return {"server": {"name": "web", "flavorRef": "1", "imageRef": IMAGE, **keys}}


def in_use(cloud: ComputeCloud, project: str = "apples") -> dict[str, int]:
    with cloud.db.transaction() as tx:
        found = quotas.usages(tx, project, defaults=cloud.settings.default_quotas)
    return {name: found[name].in_use for name in ("instances", "cores", "ram")}


def operation_of(cloud: ComputeCloud, uuid: str) -> Operation:
    with cloud.db.transaction() as tx:
        return operations.list_for_instance(tx, uuid)[0]


def test_a_new_server_is_recorded_and_nova_conductor_is_asked_to_build_it(cloud: ComputeCloud) -> None:
    answer = cloud.call("POST", "/apples/servers", body())
    assert answer.status_int == 202
    made = answer.json["server"]
    assert answer.headers["Location"] == f"http://localhost/v2.1/apples/servers/{made['id']}"
    assert {link["rel"] for link in made["links"]} == {"self", "bookmark"}
    assert len(made["adminPass"]) == 12
    assert made["security_groups"] == [{"name": "default"}]
    (asked,) = cloud.conductor.named("build_instances")
    assert asked["instance_uuids"] == (made["id"],)
    assert asked["admin_password"].reveal() == made["adminPass"]
    assert operation_of(cloud, made["id"]).state is OperationState.REQUESTED
    assert in_use(cloud) == {"instances": 1, "cores": 1, "ram": 512}


def test_a_new_server_costs_at_most_twenty_statements(cloud: ComputeCloud) -> None:
    cloud.boot()
    assert len(cloud.statements("POST", "/servers", body())) <= 20


def test_what_the_row_does_not_say_is_in_the_operation(cloud: ComputeCloud) -> None:
    content = base64.b64encode(b"hello").decode()
    asked = {
        "server": {
            **body()["server"],
            "imageRef": THREE_PART,
            "personality": [{"path": "/etc/motd", "contents": content}],
            "networks": [{"uuid": cloud.net.uuid, "fixed_ip": "10.0.0.77"}],
        },
        "os:scheduler_hints": {"query": '[">=", "$free_ram_mb", 1024]'},
    }
    uuid = cloud.ok("POST", "/servers", asked, status=202)["server"]["id"]
    request = msgspec.convert(operation_of(cloud, uuid).arguments, BuildRequest)
    assert request.kernel is not None
    assert request.kernel.id == KERNEL
    assert request.networks[0].fixed_ip == "10.0.0.77"
    assert request.injected_files[0].path == "/etc/motd"
    assert request.hints == {"query": '[">=", "$free_ram_mb", 1024]'}
    assert cloud.instance(uuid).kernel_id == KERNEL


def test_several_servers_get_names_and_one_reservation(cloud: ComputeCloud) -> None:
    answer = cloud.ok("POST", "/servers", body(min_count="3", max_count=3, return_reservation_id=True), status=202)
    listed = cloud.ok("GET", f"/servers?reservation_id={answer['reservation_id']}&sort_key=display_name&sort_dir=asc")
    assert [server["name"] for server in listed["servers"]] == ["web-1", "web-2", "web-3"]
    (asked,) = cloud.conductor.named("build_instances")
    assert len(asked["instance_uuids"]) == 3
    assert [cloud.instance(uuid).hostname for uuid in asked["instance_uuids"]] == ["web-1", "web-2", "web-3"]


def test_as_many_as_fit_into_the_quota_are_made(cloud: ComputeCloud) -> None:
    cloud.ok("POST", "/servers", body(min_count=2, max_count=50), status=202)
    assert in_use(cloud)["instances"] == 10


def test_a_passed_quota_refuses_and_keeps_nothing(cloud: ComputeCloud) -> None:
    message = cloud.refused("POST", "/servers", body(min_count=11), status=403)
    assert "instances" in message
    assert in_use(cloud)["instances"] == 0
    assert cloud.ok("GET", "/servers")["servers"] == []
    assert cloud.conductor.taken == []


def test_the_older_endpoints_say_413_for_a_passed_quota(cloud: ComputeCloud) -> None:
    answer = cloud.call("POST", "/servers", body(min_count=11, max_count=11), base="/v2")
    assert answer.status_int == 413
    assert answer.headers["Retry-After"] == "0"


def test_a_broker_that_is_away_does_not_undo_what_was_accepted(cloud: ComputeCloud) -> None:
    cloud.conductor.answers["build_instances"] = Unavailable("away")
    uuid = cloud.boot()
    assert cloud.ok("GET", f"/servers/{uuid}")["server"]["status"] == "BUILD"
    assert operation_of(cloud, uuid).state is OperationState.REQUESTED


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"imageRef": "00000000-0000-4000-8000-000000000000"}, "image"),
        ({"imageRef": QUEUED}, "not active"),
        ({"imageRef": HUGE}, "memory"),
        ({"imageRef": HUGE, "flavorRef": "2", "name": "x" * 256}, "server.name"),
        ({"imageRef": ""}, "imageRef"),
        ({"flavorRef": "77"}, "Flavor 77"),
        ({"key_name": "nobody's"}, "Key pair"),
        ({"security_groups": [{"name": "walls"}]}, "Security group"),
        ({"networks": [{"uuid": "00000000-0000-4000-8000-000000000000"}]}, "Network"),
        ({"networks": [{"uuid": "net"}]}, "uuid"),
        ({"networks": [{"port": "x"}]}, "Ports"),
        ({"user_data": "not base64!"}, "user_data"),
        ({"user_data": "A" * 65536}, "server.user_data"),
        ({"personality": [{"path": "/x", "contents": "%"}]}, "base64"),
        ({"availability_zone": "a:b:c:d"}, "colons"),
        ({"availability_zone": "mars"}, "zone is not available"),
        ({"min_count": 3, "max_count": 2}, "min_count"),
        ({"min_count": 0}, "min_count"),
        ({"min_count": "0"}, "min_count"),
        ({"max_count": 2147483647}, "max_count"),
        ({"accessIPv4": "300.1.1.1"}, "server.accessIPv4"),
        ({"accessIPv6": "10.0.0.1"}, "server.accessIPv6"),
        ({"metadata": {"a": 1}}, "server.metadata.a"),
        ({"metadata": {"a" * 256: "b"}}, "server.metadata"),
        ({"name": " web"}, "server.name"),
        ({"name": "we\x00b"}, "server.name"),
        ({"name": ""}, "server.name"),
        ({"OS-DCF:diskConfig": "PERHAPS"}, "diskConfig"),
        ({"unknown": 1}, "unknown"),
        ({"os:host": None}, "os:host"),
        ({"block_device_mapping": [{"volume_id": IMAGE, "device_name": "vdb"}]}, "could not be found"),
        ({"block_device_mapping": [{"volume_id": IMAGE, "device_name": "vda"}]}, "boots from its image"),
        ({"block_device_mapping": [{"snapshot_id": IMAGE, "device_name": "vdb"}]}, "snapshot"),
        ({"block_device_mapping_v2": [{"source_type": "blank", "uuid": "x"}]}, "no uuid"),
        (
            {"block_device_mapping_v2": [{"source_type": "volume", "destination_type": "local", "uuid": "x"}]},
            "local disk",
        ),
        ({"block_device_mapping_v2": [{"source_type": "tape"}]}, "source_type"),
    ],
)
def test_what_cannot_be_had_is_refused_by_name(cloud: ComputeCloud, keys: dict[str, Any], named: str) -> None:
    assert named in cloud.refused("POST", "/servers", body(**keys), status=400)
    assert in_use(cloud)["instances"] == 0
    assert cloud.conductor.taken == []


def test_the_clients_way_to_name_the_image_twice_is_understood(cloud: ComputeCloud) -> None:
    echo = {
        "uuid": IMAGE,
        "boot_index": 0,
        "source_type": "image",
        "destination_type": "local",
        "delete_on_termination": True,
    }
    uuid = cloud.boot(block_device_mapping_v2=[echo], networks=[], min_count=1, max_count=1)
    with cloud.db.transaction() as tx:
        (root,) = block_devices.for_instance(tx, uuid)
    assert (root.image_id, root.boot_index, root.device_name) == (IMAGE, 0, "/dev/vda")


def test_both_syntaxes_of_block_devices_at_once_are_refused(cloud: ComputeCloud) -> None:
    old, new = [{"device_name": "vdb"}], [{"source_type": "blank"}]
    keys = body(block_device_mapping=old, block_device_mapping_v2=new)
    assert "one of the two" in cloud.refused("POST", "/servers", keys, status=400)


def test_only_administrators_choose_a_host(cloud: ComputeCloud) -> None:
    assert cloud.call("POST", "/servers", body(availability_zone="nova:h1")).status_int == 403
    made = cloud.ok("POST", "/servers", body(availability_zone="nova:h1"), status=202, who=ADMIN)
    request = msgspec.convert(operation_of(cloud, made["server"]["id"]).arguments, BuildRequest)
    assert request.force_host == "h1"
    assert cloud.instance(made["server"]["id"]).availability_zone == "nova"


def test_a_private_flavor_is_not_there_for_others(cloud: ComputeCloud) -> None:
    with cloud.db.transaction() as tx:
        flavors.create(tx, Flavor(flavor_id="7777", name="secret", memory_mb=64, vcpus=1, root_gb=1, is_public=False))
        flavors.add_access(tx, "7777", "pears")
    assert cloud.call("POST", "/servers", body(flavorRef="7777")).status_int == 400
    assert cloud.call("POST", "/servers", body(flavorRef="7777"), who=BOB).status_int == 202


def test_a_key_pair_of_the_user_is_copied_into_the_server(cloud: ComputeCloud) -> None:
    public = cloud.ok("POST", "/os-keypairs", {"keypair": {"name": "mine"}})["keypair"]["public_key"]
    uuid = cloud.boot(key_name="mine")
    assert cloud.instance(uuid).key_data == public
    assert cloud.call("POST", "/servers", body(key_name="mine"), who=BOB).status_int == 400


def test_addresses_that_cannot_be_given_are_refused(cloud: ComputeCloud) -> None:
    for address in ("10.0.0.1", "10.1.0.5", "10.0.0.255"):
        networks = [{"uuid": cloud.net.uuid, "fixed_ip": address}]
        assert "address" in cloud.refused("POST", "/servers", body(networks=networks), status=400)
    twice = [{"uuid": cloud.net.uuid}, {"uuid": cloud.net.uuid}]
    assert "twice" in cloud.refused("POST", "/servers", body(networks=twice), status=400)
    many = body(networks=[{"uuid": cloud.net.uuid, "fixed_ip": "10.0.0.9"}], min_count=2)
    assert "single" in cloud.refused("POST", "/servers", many, status=400)


def test_too_many_files_and_too_long_files_pass_the_quota(cloud: ComputeCloud) -> None:
    small = base64.b64encode(b"x").decode()
    six = [{"path": f"/{i}", "contents": small} for i in range(6)]
    assert "injected_files" in cloud.refused("POST", "/servers", body(personality=six), status=403)
    long = [{"path": "/x", "contents": base64.b64encode(b"x" * 10241).decode()}]
    assert "content" in cloud.refused("POST", "/servers", body(personality=long), status=403)


def test_no_password_is_shown_where_it_is_switched_off() -> None:
    cloud = ComputeCloud(ApiSettings(enable_instance_password=False))
    assert "adminPass" not in cloud.ok("POST", "/servers", body(), status=202)["server"]
    cloud.close()


def test_before_219_the_name_is_the_description(cloud: ComputeCloud) -> None:
    assert cloud.instance(cloud.boot()).display_description == "web"
    made = cloud.ok("POST", "/servers", body(description="front door"), status=202, version="2.19")
    assert cloud.instance(made["server"]["id"]).display_description == "front door"
    assert "description" in cloud.refused("POST", "/servers", body(description="x"), status=400, version="2.18")


def test_the_older_endpoints_drop_what_they_do_not_know(cloud: ComputeCloud) -> None:
    asked = body(name="  web  ", unknown=1, user_data=None, accessIPv4="")
    made = cloud.ok("POST", "/servers", {**asked, "more": 1}, status=202, base="/v2")
    assert cloud.instance(made["server"]["id"]).display_name == "web"


@pytest.mark.parametrize("path", ["/os-volumes_boot", "/os-create-server-ext"])
def test_older_addresses_make_servers_too(cloud: ComputeCloud, path: str) -> None:
    assert cloud.ok("POST", path, body(), status=202)["server"]["id"]


def volume(cloud: ComputeCloud, project: str = "apples") -> str:
    """The id of an available volume."""
    with cloud.db.transaction() as tx:
        made = volumes.create(
            tx,
            Volume(
                id=str(uuid4()),
                user_id="alice",
                project_id=project,
                size_gb=1,
                status=VolumeStatus.AVAILABLE,
                host="v1",
            ),
        )
    return made.id


def devices(cloud: ComputeCloud, uuid: str) -> list[tuple[str, str, int | None]]:
    with cloud.db.transaction() as tx:
        return [(d.device_name, d.volume_id, d.boot_index) for d in block_devices.for_instance(tx, uuid)]


def test_volumes_are_given_to_a_new_server_and_held_for_it(cloud: ComputeCloud) -> None:
    first, second = volume(cloud), volume(cloud)
    mapping = [
        {"source_type": "volume", "uuid": first},
        {"source_type": "volume", "uuid": second, "device_name": "vdc"},
    ]
    uuid = cloud.boot(block_device_mapping_v2=mapping)
    assert sorted(devices(cloud, uuid)) == [
        ("/dev/vda", "", 0),
        ("/dev/vdb", first, None),
        ("/dev/vdc", second, None),
    ]
    with cloud.db.transaction() as tx:
        held = volumes.get(tx, first)
    assert (held.status, held.instance_uuid) == (VolumeStatus.ATTACHING, uuid)
    again = body(block_device_mapping_v2=[{"source_type": "volume", "uuid": first}])
    assert "available" in cloud.refused("POST", "/servers", again, status=400)


def test_a_server_boots_from_a_volume(cloud: ComputeCloud) -> None:
    root = volume(cloud)
    mapping = [{"source_type": "volume", "destination_type": "volume", "uuid": root, "boot_index": "0"}]
    uuid = cloud.boot(imageRef="", block_device_mapping_v2=mapping)
    assert devices(cloud, uuid) == [("/dev/vda", root, 0)]
    assert cloud.ok("GET", f"/servers/{uuid}")["server"]["image"] == ""
    old = cloud.boot(imageRef="", block_device_mapping=[{"volume_id": volume(cloud), "device_name": "vda"}])
    assert devices(cloud, old)[0][0] == "/dev/vda"


def test_volumes_of_others_or_for_several_servers_are_refused(cloud: ComputeCloud) -> None:
    theirs = {"source_type": "volume", "uuid": volume(cloud, "pears")}
    assert "found" in cloud.refused("POST", "/servers", body(block_device_mapping_v2=[theirs]), status=400)
    mine = {"source_type": "volume", "uuid": volume(cloud)}
    two = body(block_device_mapping_v2=[mine], min_count=2, max_count=2)
    assert "single" in cloud.refused("POST", "/servers", two, status=400)
    twice = body(block_device_mapping_v2=[mine, mine])
    assert "available" in cloud.refused("POST", "/servers", twice, status=400)
    assert cloud.boot(block_device_mapping_v2=[mine])


def test_devices_that_image_or_flavor_cannot_have_are_refused_at_once(cloud: ComputeCloud) -> None:
    tiny = cloud.images.all[IMAGE]
    cloud.images.all[IMAGE] = dataclasses.replace(tiny, properties={"hw_disk_bus": "floppy"})
    assert "hw_disk_bus" in cloud.refused("POST", "/servers", body(), status=400)
    cloud.images.all[IMAGE] = dataclasses.replace(tiny, properties={"hw_disk_bus": "scsi"})
    cloud.boot()
    cloud.ok("POST", "/flavors/1/os-extra_specs", {"extra_specs": {"hw:cpu_sockets": "3"}}, who=ADMIN)
    assert "cannot be arranged" in cloud.refused("POST", "/servers", body(), status=400)
    assert in_use(cloud)["instances"] == 1


def test_an_image_can_demand_a_configuration_drive(cloud: ComputeCloud) -> None:
    assert cloud.instance(cloud.boot()).config_drive == ""
    tiny = cloud.images.all[IMAGE]
    cloud.images.all[IMAGE] = dataclasses.replace(tiny, properties={"img_config_drive": "mandatory"})
    uuid = cloud.boot()
    assert cloud.ok("GET", f"/servers/{uuid}")["server"]["config_drive"] == "True"


def test_ephemeral_disks_and_swap_are_asked_for_one_by_one_within_the_flavor(cloud: ComputeCloud) -> None:
    flavor = {"name": "rich", "ram": 64, "vcpus": 1, "disk": 1, "OS-FLV-EXT-DATA:ephemeral": 2, "swap": 64}
    rich = cloud.ok("POST", "/flavors", {"flavor": flavor}, who=ADMIN)["flavor"]["id"]
    ephemeral = {"source_type": "blank", "destination_type": "local", "volume_size": 1, "boot_index": -1}
    swap = {**ephemeral, "volume_size": 64, "guest_format": "swap"}
    uuid = cloud.boot(flavorRef=rich, block_device_mapping_v2=[ephemeral, ephemeral, swap])
    assert [name for name, *_ in devices(cloud, uuid)] == ["/dev/vda", "/dev/vdb", "/dev/vdc", "/dev/vdd"]
    too_much = body(flavorRef=rich, block_device_mapping_v2=[{**ephemeral, "volume_size": 3}])
    assert "2 GB" in cloud.refused("POST", "/servers", too_much, status=400)
    none = body(block_device_mapping_v2=[ephemeral])
    assert "0 GB" in cloud.refused("POST", "/servers", none, status=400)
    two = cloud.boot(flavorRef=rich, block_device_mapping_v2=[ephemeral], min_count=2)
    assert [name for name, *_ in devices(cloud, two)] == ["/dev/vda", "/dev/vdc"]
    named = cloud.boot(flavorRef=rich, block_device_mapping_v2=[{**ephemeral, "device_name": "vdb"}])
    assert [name for name, *_ in devices(cloud, named)] == ["/dev/vda", "/dev/vdb"]
