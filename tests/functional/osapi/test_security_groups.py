# SPDX-License-Identifier: Apache-2.0
"""/os-security-groups, rules, and the groups of a server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.functional.compute_cloud import ADMIN, BOB, ComputeCloud


def make(cloud: ComputeCloud, name: str = "web", **options: Any) -> dict[str, Any]:
    body = {"security_group": {"name": name, "description": "d"}}
    return dict(cloud.ok("POST", "/os-security-groups", body, **options)["security_group"])


def rule(group: dict[str, Any], **keys: Any) -> dict[str, Any]:
    base = {"parent_group_id": group["id"], "ip_protocol": "tcp", "from_port": 22, "to_port": 22, "cidr": "10.0.0.0/8"}
    return {"security_group_rule": {**base, **keys}}


def test_the_first_look_makes_the_default_group(cloud: ComputeCloud) -> None:
    (group,) = cloud.ok("GET", "/os-security-groups")["security_groups"]
    assert (group["name"], group["tenant_id"], group["rules"]) == ("default", "apples", [])


def test_groups_are_made_renamed_and_deleted(cloud: ComputeCloud) -> None:
    group = make(cloud)
    path = f"/os-security-groups/{group['id']}"
    changed = cloud.ok("PUT", path, {"security_group": {"name": "www", "description": "e"}})["security_group"]
    assert (changed["name"], changed["description"]) == ("www", "e")
    assert cloud.call("DELETE", path).status_int == 202
    assert cloud.refused("GET", path, status=404)


def test_names_where_ids_are_expected_are_not_found(cloud: ComputeCloud) -> None:
    make(cloud)
    assert cloud.refused("GET", "/os-security-groups/web", status=404)


def test_a_name_is_given_once_per_project(cloud: ComputeCloud) -> None:
    make(cloud)
    body = {"security_group": {"name": "web", "description": "d"}}
    assert cloud.refused("POST", "/os-security-groups", body, status=400)
    make(cloud, who=BOB)


def test_the_quota_counts_groups_that_are_there(cloud: ComputeCloud) -> None:
    cloud.cloud.settings.default_quotas["security_groups"] = 1
    group = make(cloud)
    body = {"security_group": {"name": "more", "description": "d"}}
    assert cloud.refused("POST", "/os-security-groups", body, status=403)
    cloud.call("DELETE", f"/os-security-groups/{group['id']}")
    cloud.ok("POST", "/os-security-groups", body)


def test_rules_are_added_shown_and_removed(cloud: ComputeCloud) -> None:
    group = make(cloud)
    made = cloud.ok("POST", "/os-security-group-rules", rule(group))["security_group_rule"]
    assert made["ip_range"] == {"cidr": "10.0.0.0/8"}
    assert made["group"] == {}
    assert cloud.ok("GET", f"/os-security-groups/{group['id']}")["security_group"]["rules"] == [made]
    assert cloud.refused("POST", "/os-security-group-rules", rule(group), status=400)
    assert cloud.call("DELETE", f"/os-security-group-rules/{made['id']}").status_int == 202
    assert cloud.refused("DELETE", f"/os-security-group-rules/{made['id']}", status=404)


def test_a_rule_may_name_a_group_as_its_source(cloud: ComputeCloud) -> None:
    group, source = make(cloud), make(cloud, "lb")
    asked = {"security_group_rule": {"parent_group_id": group["id"], "group_id": source["id"]}}
    made = cloud.ok("POST", "/os-security-group-rules", asked)["security_group_rule"]
    assert made["group"] == {"name": "lb", "tenant_id": "apples"}
    assert (made["ip_protocol"], made["from_port"], made["ip_range"]) == (None, None, {})


@pytest.mark.parametrize(
    "keys",
    [
        {"ip_protocol": "sctp"},
        {"from_port": 0},
        {"from_port": 23},
        {"to_port": 65536},
        {"from_port": "x"},
        {"from_port": None},
        {"ip_protocol": None},
        {"cidr": "10.0.0.0"},
        {"cidr": "10.0.0.0/33"},
        {"cidr": "192.0.2.1/0"},
        {"cidr": "10.0.0.0/8\n"},
        {"ip_protocol": "icmp", "from_port": 256, "to_port": -1},
        {"group_id": "x"},
    ],
)
def test_wrong_rules_are_refused(cloud: ComputeCloud, keys: dict[str, Any]) -> None:
    assert cloud.refused("POST", "/os-security-group-rules", rule(make(cloud), **keys), status=400)


def test_foreign_groups_are_not_found(cloud: ComputeCloud) -> None:
    group, mine = make(cloud), make(cloud, who=BOB)
    assert cloud.refused("GET", f"/os-security-groups/{group['id']}", status=404, who=BOB)
    assert cloud.refused("DELETE", f"/os-security-groups/{group['id']}", status=404, who=BOB)
    assert cloud.refused("POST", "/os-security-group-rules", rule(group), status=404, who=BOB)
    source = rule(mine, group_id=group["id"])
    assert cloud.refused("POST", "/os-security-group-rules", source, status=404, who=BOB)
    assert cloud.refused("GET", "/os-security-groups?all_tenants=1", status=403, who=BOB)
    assert len(cloud.ok("GET", "/os-security-groups?all_tenants=1", who=ADMIN)["security_groups"]) == 2


def test_servers_join_and_leave_groups_and_their_host_is_told(cloud: ComputeCloud) -> None:
    group, uuid = make(cloud), cloud.running()
    path = f"/servers/{uuid}/action"
    assert cloud.call("POST", path, {"addSecurityGroup": {"name": "web"}}).status_int == 202
    assert cloud.refused("POST", path, {"addSecurityGroup": {"name": "web"}}, status=400)
    assert cloud.refused("POST", path, {"addSecurityGroup": {"name": "none"}}, status=404)
    listed = cloud.ok("GET", f"/servers/{uuid}/os-security-groups")["security_groups"]
    assert [each["name"] for each in listed] == ["default", "web"]
    assert cloud.compute.taken == [("h1", "refresh_filters", {"instance_uuids": (uuid,)})]
    cloud.ok("POST", "/os-security-group-rules", rule(group))
    assert len(cloud.compute.taken) == 2
    assert cloud.refused("DELETE", f"/os-security-groups/{group['id']}", status=400)
    assert cloud.call("POST", path, {"removeSecurityGroup": {"name": "web"}}).status_int == 202
    assert cloud.refused("POST", path, {"removeSecurityGroup": {"name": "web"}}, status=400)
    assert len(cloud.compute.taken) == 3
    assert cloud.call("DELETE", f"/os-security-groups/{group['id']}").status_int == 202


def test_the_default_group_stays(cloud: ComputeCloud) -> None:
    (group,) = cloud.ok("GET", "/os-security-groups")["security_groups"]
    assert cloud.refused("DELETE", f"/os-security-groups/{group['id']}", status=400)
    renamed = {"security_group": {"name": "x", "description": "d"}}
    assert cloud.refused("PUT", f"/os-security-groups/{group['id']}", renamed, status=400)
