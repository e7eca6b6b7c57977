# SPDX-License-Identifier: Apache-2.0
"""One project against another, from the route tables: what is not yours is not there, whichever way you ask."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
import pytest

from nova.api.policies import ALL_RULES
from nova.api.routing import PUBLIC, Route
from tests.functional.compute_cloud import ALICE, BOB, ComputeCloud
from tests.functional.osapi.test_hostile import sample
from tests.security.doors import Doors, new_volume

CHECKS = {rule.name: rule.check for rule in ALL_RULES}
PUBLIC_ROUTES = {
    *("GET /", "GET /v2", "GET /v2.0", "GET /v3", "GET /versions"),
    *("POST /v3/auth/tokens", "POST /v2.0/tokens"),
}


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    made = Doors(tmp_path_factory.mktemp("doors"))
    yield made
    made.close()


def test_the_public_routes_are_a_short_list() -> None:
    """CVE-2012-4456, OSSN-0083"""
    found = {route.name for table in Doors.tables().values() for route in table.routes if route.policy == PUBLIC}
    assert found <= PUBLIC_ROUTES, found - PUBLIC_ROUTES


def test_every_route_names_a_registered_rule() -> None:
    """OSSN-0083"""
    for table in Doors.tables().values():
        for route in table.routes:
            assert route.policy == PUBLIC or route.policy in CHECKS, route.name


def test_nobody_gets_in_without_a_token(doors: Doors) -> None:
    """CVE-2012-4456"""
    for door in doors.all.values():
        for route in door.table.routes:
            if route.policy != PUBLIC and route.covers(door.table.version):
                assert door.send(route.method, door.path(route, {}), token="").status == 401, route.name


def volume_routes() -> list[Route]:
    return [route for route in Doors.tables()["volume v3"].routes if route.path.startswith("/volumes/{id}")]


def test_volumes_of_others_are_not_there(doors: Doors) -> None:
    """CVE-2013-0208, OSSN-0092, CVE-2024-53916, OSSN-0102"""
    door, theirs = doors.all["volume v3"], new_volume(doors.compute, BOB)
    for route in volume_routes():
        raw = door_body(route)
        outcome = door.send(route.method, door.path(route, {"id": theirs, "key": "k"}), raw, token=ALICE)
        allowed = {403} if CHECKS[route.policy] == "rule:admin_api" else {404, 403, 400}
        assert outcome.status in allowed, f"{route.name}: {outcome.status}"
        assert outcome.changes == 0, route.name
        absent = "00000000-0000-4000-8000-000000000000"
        like = door.send(route.method, door.path(route, {"id": absent, "key": "k"}), raw, token=ALICE)
        assert like.status == outcome.status, route.name
        assert like.answer.text.replace(absent, theirs) == outcome.answer.text, route.name


def door_body(route: Route) -> bytes | None:
    return msgspec.json.encode(sample(route.bodies[-1][1])) if route.bodies else None


def test_a_volume_of_others_is_neither_booted_from_nor_attached(doors: Doors) -> None:
    """CVE-2013-0208"""
    cloud, theirs = doors.compute, new_volume(doors.compute, BOB)
    mine = cloud.running()
    device = {"uuid": theirs, "source_type": "volume", "destination_type": "volume", "boot_index": 0}
    server = {"name": "w", "flavorRef": "1", "block_device_mapping_v2": [device]}
    before = doors.writes.committed
    assert cloud.call("POST", "/servers", {"server": server}).status_int in (400, 404)
    body = {"volumeAttachment": {"volumeId": theirs}}
    assert cloud.call("POST", f"/servers/{mine}/os-volume_attachments", body).status_int == 404
    assert doors.writes.committed == before


@pytest.mark.parametrize(
    "query",
    [
        *("project_id=pears", "tenant_id=pears", "user_id=bob", "all_tenants=1", "all_tenants=1&project_id=pears"),
        *("host=h1", "node=h1", "deleted=true", "name=.*", "uuid=.*", "changes-since=2000-01-01T00:00:00Z", "ip=10"),
    ],
)
def test_filters_never_widen_what_is_seen(doors: Doors, query: str) -> None:
    """OSSN-0103, CVE-2012-0030"""
    cloud = doors.compute
    theirs, mine = cloud.running(BOB), cloud.running()
    for path in ("/servers", "/servers/detail"):
        answer = cloud.call("GET", f"{path}?{query}")
        assert answer.status_int in (200, 400, 403)
        assert theirs not in answer.text
    volume = new_volume(cloud, BOB)
    for path in ("/v3/volumes", "/v3/volumes/detail", "/v2/volumes/detail", "/v1/volumes/detail"):
        outcome = doors.all["volume v3"].send("GET", path, query=query, token=ALICE)
        assert outcome.status in (200, 400, 403)
        assert volume not in outcome.answer.text
    assert mine in cloud.call("GET", "/servers").text


@pytest.mark.parametrize(
    "path", ["/os-simple-tenant-usage/pears", "/os-quota-sets/pears", "/os-quota-sets/pears/detail"]
)
def test_what_is_named_by_a_project_is_its_own(doors: Doors, path: str) -> None:
    """OSSN-0103"""
    assert doors.compute.call("GET", path).status_int in (403, 404)


def test_the_project_of_the_url_and_of_the_body_counts_for_nothing(doors: Doors) -> None:
    """CVE-2012-0030"""
    assert doors.compute.call("GET", "/pears/servers").status_int == 400
    assert doors.all["volume v3"].send("GET", "/v3/pears/volumes", token=ALICE).status == 400
    for key in ("project_id", "tenant_id", "user_id"):
        body = {
            "server": {"name": "w", "flavorRef": "1", "imageRef": "70a599e0-31e7-49b7-b260-868f441e862b", key: "pears"}
        }
        assert doors.compute.call("POST", "/servers", body).status_int == 400


@pytest.mark.parametrize(
    "key", ["project_id", "tenant_id", "user_id", "owner", "host", "status", "hostId", "created", "id"]
)
def test_what_the_service_owns_is_not_changed_by_a_body(doors: Doors, key: str) -> None:
    """OSSN-0010, CVE-2014-6414, CVE-2015-5251"""
    cloud, volume = doors.compute, new_volume(doors.compute)
    server = cloud.running()
    shown = cloud.ok("GET", f"/servers/{server}")["server"]
    for value in ("pears", shown.get(key, "")):
        assert cloud.call("PUT", f"/servers/{server}", {"server": {key: value}}).status_int == 400
        sent = b'{"volume": {"' + key.encode() + b'": "pears"}}'
        outcome = doors.all["volume v3"].send("PUT", f"/v3/volumes/{volume}", sent, token=ALICE)
        assert outcome.status == 400
    assert cloud.ok("GET", f"/servers/{server}")["server"] == shown


@pytest.mark.parametrize(
    "keys", [{"availability_zone": "nova:h1"}, {"hostId": "x"}, {"os:host": None}, {"OS-DCF:x": 1}]
)
def test_an_administrators_attribute_is_refused_even_when_it_is_empty(doors: Doors, keys: dict[str, object]) -> None:
    """CVE-2014-6414"""
    before = doors.writes.committed
    body = {"server": {"name": "w", "flavorRef": "1", "imageRef": "70a599e0-31e7-49b7-b260-868f441e862b", **keys}}
    assert doors.compute.call("POST", "/servers", body).status_int in (400, 403)
    assert doors.writes.committed == before


def attached(doors: Doors, who: str) -> tuple[str, str]:
    """A server of *who* and a volume that is attached to it."""
    cloud, server, volume = doors.compute, doors.compute.running(who), new_volume(doors.compute, who)
    body = {"volumeAttachment": {"volumeId": volume}}
    cloud.ok("POST", f"/servers/{server}/os-volume_attachments", body, who=who)
    return server, volume


def test_a_child_is_found_below_its_own_parent_only(doors: Doors) -> None:
    """OSSN-0102"""
    cloud = doors.compute
    mine, _ = attached(doors, ALICE)
    another, its_volume = attached(doors, ALICE)
    theirs, their_volume = attached(doors, BOB)
    group = cloud.ok("POST", "/os-security-groups", {"security_group": {"name": "g", "description": ""}}, who=BOB)
    rule = {"parent_group_id": group["security_group"]["id"], "ip_protocol": "tcp", "from_port": 1, "to_port": 1}
    before = doors.writes.committed
    for server, who in ((another, ALICE), (theirs, BOB)):
        for action in cloud.ok("GET", f"/servers/{server}/os-instance-actions", who=who)["instanceActions"]:
            path = f"/servers/{mine}/os-instance-actions/{action['request_id']}"
            assert cloud.call("GET", path).status_int == 404
            assert cloud.call("GET", path.replace(mine, server), who=who).status_int == 200
    for volume in (its_volume, their_volume):
        for method, sent in (("GET", None), ("DELETE", None), ("PUT", {"volumeAttachment": {"volumeId": volume}})):
            path = f"/servers/{mine}/os-volume_attachments/{volume}"
            assert cloud.call(method, path, sent).status_int in (403, 404), method
    assert cloud.call("POST", "/os-security-group-rules", {"security_group_rule": rule}).status_int == 404
    for action in ("addSecurityGroup", "removeSecurityGroup"):
        for name in ("g", str(group["security_group"]["id"])):
            assert cloud.call("POST", f"/servers/{mine}/action", {action: {"name": name}}).status_int in (400, 404)
    assert doors.writes.committed == before


@pytest.mark.parametrize(
    "reference",
    [
        *("file:///etc/passwd", "file:///allowed/../etc/passwd", "FILE:/etc/passwd", "filesystem:///etc/passwd"),
        *("http://127.0.0.1:22/x", "../../../etc/passwd", "/etc/passwd", "swift+config://x/y/z", "%2e%2e%2fetc"),
    ],
)
def test_an_image_is_named_by_its_id_only(doors: Doors, reference: str) -> None:
    """CVE-2025-44021"""
    before = doors.writes.committed
    device = {"uuid": reference, "source_type": "image", "destination_type": "local", "boot_index": 0}
    for keys in ({"imageRef": reference}, {"block_device_mapping_v2": [device]}):
        body = {"server": {"name": "w", "flavorRef": "1", **keys}}
        for base in ("/v2.1", "/v2"):
            assert doors.compute.call("POST", "/servers", body, base=base).status_int in (400, 404)
    assert doors.compute.call("GET", f"/images/{reference}", version="2.1").status_int == 404
    assert doors.writes.committed == before


def test_a_volume_in_use_is_released_by_its_host_only(doors: Doors) -> None:
    """OSSN-0092"""
    _, volume = attached(doors, ALICE)
    door = doors.all["volume v3"]
    before = doors.writes.committed
    connector = b'{"connector": {"initiator": "iqn.x:y", "ip": "10.0.0.1", "host": "h"}}'
    for action in ("os-detach", "os-force_detach", "os-terminate_connection", "os-unreserve", "os-roll_detaching"):
        body = b'{"' + action.encode() + b'": ' + (connector if "connection" in action else b"{}") + b"}"
        outcome = door.send("POST", f"/v3/volumes/{volume}/action", body, token=ALICE)
        assert outcome.status in (400, 403, 404, 409), action
    assert door.send("DELETE", f"/v3/volumes/{volume}", token=ALICE).status in (400, 409)
    assert door.send("DELETE", f"/v3/attachments/{volume}", token=ALICE).status in (403, 404, 409)
    assert doors.writes.committed == before


def test_a_private_flavor_of_others_is_not_there(doors: Doors) -> None:
    """CVE-2013-2256, CVE-2013-4278"""
    cloud: ComputeCloud = doors.compute
    flavor = {"name": "secret", "id": "7777", "ram": 512, "vcpus": 1, "disk": 1, "os-flavor-access:is_public": False}
    cloud.ok("POST", "/flavors", {"flavor": flavor}, who="admin:operations")
    access = {"addTenantAccess": {"tenant": "pears"}}
    cloud.ok("POST", "/flavors/7777/action", access, who="admin:operations")
    for path in ("/flavors/7777", "/flavors/7777/os-extra_specs", "/flavors/7777/os-flavor-access"):
        assert cloud.call("GET", path).status_int in (403, 404), path
    for path in ("/flavors", "/flavors/detail", "/flavors?is_public=None"):
        assert not re.search("7777|secret", cloud.call("GET", path).text)
    body = {"server": {"name": "w", "flavorRef": "7777", "imageRef": "70a599e0-31e7-49b7-b260-868f441e862b"}}
    assert cloud.call("POST", "/servers", body).status_int in (400, 404)
    assert cloud.call("GET", "/flavors/7777", who=BOB).status_int == 200
