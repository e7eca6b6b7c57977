# SPDX-License-Identifier: Apache-2.0
"""GET /servers, /servers/detail and /servers/{id}; PUT and DELETE."""

from __future__ import annotations

from typing import Any

import pytest

from nova.db import address_claims, faults
from nova.domain.instance import Fault
from tests.functional.compute_cloud import ADMIN, ALICE, BOB, IMAGE, ComputeCloud


def names(answer: Any) -> list[str]:
    return [server["name"] for server in answer["servers"]]


def test_a_list_shows_only_the_projects_own_servers(cloud: ComputeCloud) -> None:
    cloud.boot(name="mine")
    cloud.boot(BOB, name="his")
    assert names(cloud.ok("GET", "/servers")) == ["mine"]
    assert names(cloud.ok("GET", "/servers?project_id=pears&tenant_id=pears")) == ["mine"]
    assert cloud.call("GET", "/servers?all_tenants=1").status_int == 403
    assert sorted(names(cloud.ok("GET", "/servers?all_tenants", who=ADMIN))) == ["his", "mine"]
    assert names(cloud.ok("GET", "/servers?all_tenants=True&tenant_id=pears", who=ADMIN)) == ["his"]
    assert cloud.refused("GET", "/servers?all_tenants=perhaps", status=400)


def test_another_projects_server_is_as_absent_as_none(cloud: ComputeCloud) -> None:
    uuid = cloud.boot()
    nobody = "00000000-0000-4000-8000-000000000000"
    foreign = cloud.call("GET", f"/servers/{uuid}", who=BOB)
    absent = cloud.call("GET", f"/servers/{nobody}", who=BOB)
    assert foreign.status_int == absent.status_int == 404
    assert foreign.text.replace(uuid, "X") == absent.text.replace(nobody, "X")
    assert cloud.call("GET", f"/servers/{uuid}", who=ADMIN).status_int == 200


def test_the_details_say_what_the_field_expects(cloud: ComputeCloud) -> None:
    uuid = cloud.running(metadata={"tier": "front"}, accessIPv4="192.0.2.1")
    (shown,) = cloud.ok("GET", "/apples/servers/detail")["servers"]
    assert shown == cloud.ok("GET", f"/apples/servers/{uuid}")["server"]
    assert shown["status"] == "ACTIVE"
    assert shown["image"]["id"] == IMAGE
    assert shown["flavor"]["links"] == [{"rel": "bookmark", "href": "http://localhost/apples/flavors/1"}]
    assert shown["metadata"] == {"tier": "front"}
    assert shown["accessIPv4"] == "192.0.2.1"
    assert shown["created"].endswith("Z")
    assert len(shown["hostId"]) == 56
    assert shown["OS-EXT-AZ:availability_zone"] == "nova"
    assert shown["OS-EXT-STS:power_state"] == 1
    assert shown["OS-SRV-USG:terminated_at"] is None
    assert shown["config_drive"] == ""
    assert not [key for key in shown if key.startswith("OS-EXT-SRV-ATTR")]
    assert not {"locked", "description", "host_status", "tags"} & set(shown)


def test_each_microversion_adds_its_keys(cloud: ComputeCloud) -> None:
    uuid = cloud.running()
    admin = cloud.ok("GET", f"/servers/{uuid}", who=ADMIN)["server"]
    assert admin["OS-EXT-SRV-ATTR:host"] == "h1"
    assert admin["OS-EXT-SRV-ATTR:instance_name"].startswith("instance-")
    assert "OS-EXT-SRV-ATTR:hostname" not in admin
    assert cloud.ok("GET", f"/servers/{uuid}", who=ADMIN, version="2.3")["server"]["OS-EXT-SRV-ATTR:hostname"] == "web"
    assert cloud.ok("GET", f"/servers/{uuid}", version="2.9")["server"]["locked"] is False
    assert cloud.ok("GET", f"/servers/{uuid}", version="2.16", who=ADMIN)["server"]["host_status"] == "UP"
    assert "host_status" not in cloud.ok("GET", f"/servers/{uuid}", version="2.16")["server"]
    assert cloud.ok("GET", f"/servers/{uuid}", version="2.19")["server"]["description"] == "web"
    assert cloud.ok("GET", f"/servers/{uuid}", version="2.26")["server"]["tags"] == []


def test_addresses_are_shown_by_network_and_hidden_until_the_server_runs(cloud: ComputeCloud) -> None:
    uuid = cloud.boot()
    with cloud.db.transaction() as tx:
        nic = address_claims.add_card(tx, cloud.net, instance_uuid=uuid, hostname="web", host="h1", position=0)
    assert cloud.ok("GET", f"/servers/{uuid}")["server"]["addresses"] == {}
    assert cloud.ok("GET", f"/servers/{uuid}", who=ADMIN)["server"]["addresses"]["net"]
    cloud.set_row(uuid, vm_state="active", task_state=None)
    (shown,) = cloud.ok("GET", f"/servers/{uuid}")["server"]["addresses"]["net"]
    assert shown == {
        "version": 4,
        "addr": nic.addresses[0].address,
        "OS-EXT-IPS:type": "fixed",
        "OS-EXT-IPS-MAC:mac_addr": nic.mac_address,
    }
    bare = [{"version": 4, "addr": shown["addr"]}]
    assert cloud.ok("GET", f"/servers/{uuid}/ips") == {"addresses": {"net": bare}}
    assert cloud.ok("GET", f"/servers/{uuid}/ips/net") == {"net": bare}
    assert cloud.refused("GET", f"/servers/{uuid}/ips/other", status=404)


def test_a_fault_shows_its_details_to_administrators_only(cloud: ComputeCloud) -> None:
    uuid = cloud.running(state="error")
    with cloud.db.transaction() as tx:
        faults.add(tx, uuid, Fault(code=500, message="No valid host was found.", details="Traceback /etc/x"))
    shown = cloud.ok("GET", f"/servers/{uuid}")["server"]
    assert shown["status"] == "ERROR"
    assert (shown["fault"]["code"], shown["fault"]["message"]) == (500, "No valid host was found.")
    assert "details" not in shown["fault"]
    assert "Traceback" in cloud.ok("GET", f"/servers/{uuid}", who=ADMIN)["server"]["fault"]["details"]


def test_filters_narrow_the_list(cloud: ComputeCloud) -> None:
    cloud.running(name="front-1")
    cloud.running(name="front-2", state="stopped")
    cloud.boot(name="back", flavorRef="2")
    assert sorted(names(cloud.ok("GET", "/servers?name=front"))) == ["front-1", "front-2"]
    assert names(cloud.ok("GET", "/servers?status=SHUTOFF")) == ["front-2"]
    assert sorted(names(cloud.ok("GET", "/servers?status=active&status=SHUTOFF"))) == ["front-1", "front-2"]
    assert names(cloud.ok("GET", "/servers?status=NONSENSE")) == []
    assert names(cloud.ok("GET", "/servers?flavor=2")) == ["back"]
    assert len(names(cloud.ok("GET", f"/servers?image={IMAGE}"))) == 3
    assert len(names(cloud.ok("GET", "/servers?nonsense=1"))) == 3
    assert len(names(cloud.ok("GET", "/servers?host=elsewhere"))) == 3
    assert names(cloud.ok("GET", "/servers?host=elsewhere", who=ADMIN)) == []
    assert names(cloud.ok("GET", "/servers?all_tenants=1&vm_state=stopped", who=ADMIN)) == ["front-2"]
    assert cloud.refused("GET", "/servers?status=DELETED", status=403)


@pytest.mark.parametrize(
    "query",
    [
        "limit=-1",
        "limit=x",
        "marker=x",
        "marker=00000000-0000-4000-8000-000000000000",
        "sort_key=secret",
        "sort_dir=sideways",
        "changes-since=yesterday",
        "name=(((",
        "name=" + "a" * 300,
    ],
)
def test_a_wrong_query_is_refused(cloud: ComputeCloud, query: str) -> None:
    cloud.boot()
    assert cloud.refused("GET", f"/servers?{query}", status=400)


def test_pages_follow_one_another(cloud: ComputeCloud) -> None:
    for number in range(3):
        cloud.boot(name=f"s{number}")
    first = cloud.ok("GET", "/servers?limit=2&sort_key=display_name&sort_dir=asc")
    assert names(first) == ["s0", "s1"]
    (link,) = first["servers_links"]
    assert link["rel"] == "next"
    second = cloud.ok("GET", link["href"].removeprefix("http://localhost/v2.1"))
    assert names(second) == ["s2"]
    assert "servers_links" not in second
    assert cloud.ok("GET", "/servers?limit=0") == {"servers": []}


def test_the_marker_must_be_the_callers(cloud: ComputeCloud) -> None:
    uuid = cloud.boot(BOB)
    assert cloud.refused("GET", f"/servers?marker={uuid}", status=400)


def test_a_long_list_costs_as_many_statements_as_a_short_one(cloud: ComputeCloud) -> None:
    cloud.running()
    short = len(cloud.statements("GET", "/servers/detail"))
    for _ in range(5):
        cloud.running()
    assert len(cloud.statements("GET", "/servers/detail")) == short <= 8


def test_every_statement_of_a_members_list_names_his_project(cloud: ComputeCloud) -> None:
    cloud.boot()
    selects = [text for text in cloud.statements("GET", "/servers/detail") if "FROM instances" in text]
    assert selects
    assert all("project_id = ?" in text for text in selects)


def test_a_server_is_renamed(cloud: ComputeCloud) -> None:
    uuid = cloud.boot()
    changed = cloud.ok("PUT", f"/servers/{uuid}", {"server": {"name": "new", "accessIPv6": "2001:DB8::1"}})["server"]
    assert (changed["name"], changed["accessIPv6"]) == ("new", "2001:db8::1")
    assert cloud.ok("PUT", f"/servers/{uuid}", {"server": {"description": None}}, version="2.19")
    assert cloud.refused("PUT", f"/servers/{uuid}", {"server": {"description": "x"}}, status=400)
    assert cloud.refused("PUT", f"/servers/{uuid}", {"server": {"status": "ACTIVE"}}, status=400)
    assert cloud.refused("PUT", f"/servers/{uuid}", {"server": {"name": "x"}}, status=404, who=BOB)


def test_a_running_server_is_deleted_by_its_host(cloud: ComputeCloud) -> None:
    uuid = cloud.running()
    assert cloud.call("DELETE", f"/servers/{uuid}").status_int == 204
    ((host, method, arguments),) = cloud.compute.taken
    assert (host, method) == ("h1", "delete")
    assert arguments["order"].action == "delete"
    assert arguments["order"].instance.uuid == uuid
    assert cloud.ok("GET", f"/servers/{uuid}")["server"]["OS-EXT-STS:task_state"] == "deleting"
    assert cloud.call("DELETE", f"/servers/{uuid}").status_int == 204


def test_a_server_without_a_live_host_is_deleted_by_nova_conductor(cloud: ComputeCloud) -> None:
    uuid = cloud.boot()
    assert cloud.call("DELETE", f"/servers/{uuid}").status_int == 204
    assert cloud.conductor.named("delete_instance") == [{"instance_uuid": uuid}]
    assert cloud.compute.taken == []


def test_a_locked_server_is_not_deleted_by_its_owner(cloud: ComputeCloud) -> None:
    uuid = cloud.running()
    cloud.ok("POST", f"/servers/{uuid}/action", {"lock": None}, status=202)
    assert "locked" in cloud.refused("DELETE", f"/servers/{uuid}", status=409)
    assert cloud.call("DELETE", f"/servers/{uuid}", who=ADMIN).status_int == 204
    assert cloud.call("DELETE", f"/servers/{uuid}", who=BOB).status_int == 404
    assert cloud.call("GET", f"/servers/{uuid}", who=ALICE).status_int == 200


def test_servers_are_found_by_their_address(cloud: ComputeCloud) -> None:
    with_address, other = cloud.running(), cloud.running()
    card = {"instance_uuid": with_address, "hostname": "h", "host": "h1", "position": 0, "address": "10.0.0.77"}
    with cloud.db.transaction() as tx:
        address_claims.add_card(tx, cloud.net, **card)  # type: ignore[arg-type]
    for query in ("ip=10.0.0.77", "ip=0.77$"):
        found = [server["id"] for server in cloud.ok("GET", f"/servers?{query}")["servers"]]
        assert found == [with_address]
    assert cloud.ok("GET", "/servers?ip6=fd00", version="2.5")["servers"] == []
    assert other in cloud.call("GET", "/servers").text
