# SPDX-License-Identifier: Apache-2.0
"""/os-server-groups, and the hint that puts a new server into one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from nova.db import quotas
from tests.functional.compute_cloud import ADMIN, BOB, IMAGE, ComputeCloud

PATH = "/os-server-groups"


def body(policy: str = "affinity", name: str = "web") -> dict[str, Any]:
    return {"server_group": {"name": name, "policies": [policy]}}


def make(cloud: ComputeCloud, policy: str = "affinity", **options: Any) -> str:
    return str(cloud.ok("POST", PATH, body(policy), **options)["server_group"]["id"])


def boot(cloud: ComputeCloud, group: str, **keys: Any) -> dict[str, Any]:
    server = {"name": "web", "flavorRef": "1", "imageRef": IMAGE, **keys}
    return {"server": server, "os:scheduler_hints": {"group": group}}


def test_a_group_is_made_shown_listed_and_removed(cloud: ComputeCloud) -> None:
    made = cloud.ok("POST", PATH, body("anti-affinity"))["server_group"]
    assert made == {
        "id": made["id"],
        "name": "web",
        "policies": ["anti-affinity"],
        "members": [],
        "metadata": {},
    }
    shown = cloud.ok("GET", f"{PATH}/{made['id']}", version="2.13")["server_group"]
    assert (shown["project_id"], shown["user_id"]) == ("apples", "alice")
    assert [each["id"] for each in cloud.ok("GET", PATH)["server_groups"]] == [made["id"]]
    cloud.ok("DELETE", f"{PATH}/{made['id']}", status=204)
    cloud.refused("GET", f"{PATH}/{made['id']}", status=404)
    cloud.refused("DELETE", f"{PATH}/{made['id']}", status=404)


@pytest.mark.parametrize(
    "wanted",
    [
        {"name": "x", "policies": []},
        {"name": "x", "policies": ["affinity", "anti-affinity"]},
        {"name": "x", "policies": ["near"]},
        {"name": "x", "policies": ["soft-affinity"]},
        {"name": "", "policies": ["affinity"]},
        {"name": "x", "policies": ["affinity"], "project_id": "pears"},
        {"policies": ["affinity"]},
    ],
)
def test_wrong_groups_are_refused(cloud: ComputeCloud, wanted: dict[str, Any]) -> None:
    cloud.refused("POST", PATH, {"server_group": wanted}, status=400)


def test_wishes_came_with_2_15(cloud: ComputeCloud) -> None:
    assert make(cloud, "soft-anti-affinity", version="2.15")


def test_groups_of_others_are_not_there(cloud: ComputeCloud) -> None:
    theirs = make(cloud, who=BOB)
    cloud.refused("GET", f"{PATH}/{theirs}", status=404)
    cloud.refused("DELETE", f"{PATH}/{theirs}", status=404)
    assert cloud.ok("GET", PATH)["server_groups"] == []
    cloud.refused("GET", f"{PATH}?all_projects=1", status=403)
    assert len(cloud.ok("GET", f"{PATH}?all_projects=1", who=ADMIN)["server_groups"]) == 1
    assert "could not be found" in cloud.refused("POST", "/servers", boot(cloud, theirs), status=400)


def test_new_servers_join_a_group_and_leave_it_when_they_are_gone(cloud: ComputeCloud) -> None:
    group = make(cloud)
    first = cloud.ok("POST", "/servers", boot(cloud, group), status=202)["server"]["id"]
    cloud.ok("POST", "/servers", boot(cloud, group, min_count=2), status=202)
    members = cloud.ok("GET", f"{PATH}/{group}")["server_group"]["members"]
    assert first in members
    assert len(members) == 3
    cloud.set_row(first, deleted=1)
    assert first not in cloud.ok("GET", f"{PATH}/{group}")["server_group"]["members"]


def test_groups_and_their_members_are_limited(cloud: ComputeCloud) -> None:
    cloud.ok("PUT", "/os-quota-sets/apples", {"quota_set": {"server_groups": 2, "server_group_members": 2}}, who=ADMIN)
    group = make(cloud)
    with ThreadPoolExecutor(max_workers=8) as pool:
        codes = list(pool.map(lambda _: cloud.call("POST", PATH, body()).status_int, range(8)))
    assert sorted(codes) == [200] + [403] * 7
    assert "server_group_members" in cloud.refused("POST", "/servers", boot(cloud, group, min_count=3), status=403)
    cloud.ok("POST", "/servers", boot(cloud, group, min_count=2), status=202)
    cloud.refused("POST", "/servers", boot(cloud, group), status=403)
    with cloud.db.transaction() as tx:
        used = quotas.usages(tx, "apples", defaults=cloud.settings.default_quotas)
    assert (used["instances"].in_use, used["server_groups"].in_use) == (2, 2)
    cloud.ok("DELETE", f"{PATH}/{group}", status=204)
    assert make(cloud)


def test_hints_that_no_scheduler_could_read_are_refused(cloud: ComputeCloud) -> None:
    for hints in ({"query": "["}, {"query": '["=", "$secret", 1]'}, {"build_near_host_ip": "192.0.2.1", "cidr": "/33"}):
        wanted = {**boot(cloud, ""), "os:scheduler_hints": hints}
        cloud.refused("POST", "/servers", wanted, status=400)
