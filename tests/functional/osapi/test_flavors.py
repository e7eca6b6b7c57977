# SPDX-License-Identifier: Apache-2.0
"""/flavors, extra specs and access."""

from __future__ import annotations

from typing import Any

import pytest

from tests.functional.compute_cloud import ADMIN, BOB, ComputeCloud


def make(cloud: ComputeCloud, **keys: Any) -> dict[str, Any]:
    flavor = {"name": "big", "ram": "1024", "vcpus": 2, "disk": 10, "id": "42", **keys}
    return dict(cloud.ok("POST", "/flavors", {"flavor": flavor}, who=ADMIN)["flavor"])


def test_the_stock_flavors_are_listed_and_shown(cloud: ComputeCloud) -> None:
    listed = cloud.ok("GET", "/flavors/detail")["flavors"]
    assert [flavor["name"] for flavor in listed] == ["m1.tiny", "m1.small", "m1.medium", "m1.large", "m1.xlarge"]
    shown = cloud.ok("GET", "/flavors/1")["flavor"]
    assert shown == listed[0]
    assert (shown["ram"], shown["disk"], shown["vcpus"], shown["swap"]) == (512, 1, 1, "")
    assert shown["OS-FLV-DISABLED:disabled"] is False
    assert set(cloud.ok("GET", "/flavors")["flavors"][0]) == {"id", "name", "links"}


def test_lists_are_narrowed_sorted_and_paged(cloud: ComputeCloud) -> None:
    assert len(cloud.ok("GET", "/flavors?minRam=4096")["flavors"]) == 3
    assert cloud.ok("GET", "/flavors?sort_key=ram&sort_dir=desc")["flavors"][0]["name"] == "m1.xlarge"
    page = cloud.ok("GET", "/flavors?limit=2")
    assert page["flavors_links"][0]["href"].endswith("limit=2&marker=2")
    assert [f["id"] for f in cloud.ok("GET", "/flavors?limit=2&marker=2")["flavors"]] == ["3", "4"]
    for query in ("marker=none", "sort_key=x", "minDisk=x", "limit=-1"):
        assert cloud.refused("GET", f"/flavors?{query}", status=400)


def test_administrators_make_and_delete_flavors(cloud: ComputeCloud) -> None:
    made = make(cloud, **{"OS-FLV-EXT-DATA:ephemeral": 5, "swap": 512, "rxtx_factor": "2.5"})
    assert (made["ram"], made["OS-FLV-EXT-DATA:ephemeral"], made["swap"], made["rxtx_factor"]) == (1024, 5, 512, 2.5)
    assert cloud.call("DELETE", "/flavors/42", who=ADMIN).status_int == 202
    assert cloud.refused("GET", "/flavors/42", status=404)
    assert cloud.refused("DELETE", "/flavors/42", status=404, who=ADMIN)


def test_a_flavor_without_an_id_gets_a_new_one(cloud: ComputeCloud) -> None:
    assert len(make(cloud, id=None)["id"]) == 36


@pytest.mark.parametrize(
    "keys",
    [
        {"ram": 0},
        {"ram": "0"},
        {"vcpus": 2**31},
        {"disk": -1},
        {"id": "a/b"},
        {"rxtx_factor": 0},
        {"name": ""},
        {"x": 1},
    ],
)
def test_wrong_flavors_are_refused(cloud: ComputeCloud, keys: dict[str, Any]) -> None:
    flavor = {"name": "big", "ram": 1, "vcpus": 1, "disk": 0, **keys}
    assert cloud.refused("POST", "/flavors", {"flavor": flavor}, status=400, who=ADMIN)


def test_names_and_ids_are_given_once(cloud: ComputeCloud) -> None:
    make(cloud)
    same = {"flavor": {"name": "big", "ram": 1, "vcpus": 1, "disk": 0}}
    assert cloud.refused("POST", "/flavors", same, status=409, who=ADMIN)


def test_a_private_flavor_is_seen_by_those_with_access(cloud: ComputeCloud) -> None:
    make(cloud, **{"os-flavor-access:is_public": False})
    for path in ("", "/os-extra_specs"):
        assert cloud.refused("GET", f"/flavors/42{path}", status=404, who=BOB)
    assert cloud.ok("GET", "/flavors/42/os-flavor-access", who=ADMIN) == {"flavor_access": []}
    grant = {"addTenantAccess": {"tenant": "pears"}}
    listed = cloud.ok("POST", "/flavors/42/action", grant, who=ADMIN)
    assert listed == {"flavor_access": [{"flavor_id": "42", "tenant_id": "pears"}]}
    assert cloud.refused("POST", "/flavors/42/action", grant, status=409, who=ADMIN)
    assert cloud.ok("GET", "/flavors/42", who=BOB)
    assert "big" in [flavor["name"] for flavor in cloud.ok("GET", "/flavors", who=BOB)["flavors"]]
    assert cloud.refused("GET", "/flavors/42", status=404)
    revoke = {"removeTenantAccess": {"tenant": "pears"}}
    assert cloud.ok("POST", "/flavors/42/action", revoke, who=ADMIN) == {"flavor_access": []}
    assert cloud.refused("POST", "/flavors/42/action", revoke, status=404, who=ADMIN)
    assert cloud.refused("GET", "/flavors/42", status=404, who=BOB)


def test_a_public_flavor_has_no_access_list(cloud: ComputeCloud) -> None:
    assert cloud.refused("GET", "/flavors/1/os-flavor-access", status=404, who=ADMIN)
    grant = {"addTenantAccess": {"tenant": "pears"}}
    assert cloud.refused("POST", "/flavors/1/action", grant, status=409, who=ADMIN, version="2.7")


def test_extra_specs_are_set_changed_and_removed(cloud: ComputeCloud) -> None:
    path = "/flavors/1/os-extra_specs"
    specs = {"extra_specs": {"hw:cpu_policy": "shared", "n": 2}}
    assert cloud.ok("POST", path, specs, who=ADMIN) == {"extra_specs": {"hw:cpu_policy": "shared", "n": "2"}}
    assert cloud.ok("PUT", f"{path}/n", {"n": "3"}, who=ADMIN) == {"n": "3"}
    assert cloud.refused("PUT", f"{path}/n", {"m": "3"}, status=400, who=ADMIN)
    assert cloud.ok("GET", f"{path}/n") == {"n": "3"}
    assert cloud.call("DELETE", f"{path}/n", who=ADMIN).status_int == 200
    assert cloud.refused("GET", f"{path}/n", status=404)
    assert cloud.ok("GET", path) == {"extra_specs": {"hw:cpu_policy": "shared"}}
    assert cloud.refused("POST", path, {"extra_specs": {"a\n": "b"}}, status=400, who=ADMIN)
    assert cloud.refused("POST", path, specs, status=403)
