# SPDX-License-Identifier: Apache-2.0
"""/os-tenant-networks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from nova.api.cloud import ApiSettings
from nova.db import address_claims, networks
from tests.functional.compute_cloud import ADMIN, BOB, ComputeCloud

PATH = "/os-tenant-networks"


def make(cloud: ComputeCloud, **keys: Any) -> dict[str, Any]:
    body = {"network": {"label": "mine", "cidr": "192.0.2.0/24", **keys}}
    return dict(cloud.ok("POST", PATH, body)["network"])


def test_a_project_makes_sees_and_deletes_networks_of_its_own(cloud: ComputeCloud) -> None:
    made = make(cloud)
    assert (made["label"], made["cidr"]) == ("mine", "192.0.2.0/24")
    assert {each["label"] for each in cloud.ok("GET", PATH)["networks"]} == {"net", "mine"}
    assert {each["label"] for each in cloud.ok("GET", PATH, who=BOB)["networks"]} == {"net"}
    assert cloud.ok("GET", f"{PATH}/{made['id']}")["network"] == made
    assert cloud.ok("GET", f"/os-networks/{made['id']}", who=ADMIN)["network"]["project_id"] == "apples"
    assert cloud.refused("GET", f"{PATH}/{made['id']}", status=404, who=BOB)
    assert cloud.refused("DELETE", f"{PATH}/{made['id']}", status=404, who=BOB)
    assert cloud.call("DELETE", f"{PATH}/{made['id']}").status_int == 202
    assert cloud.refused("DELETE", f"{PATH}/{made['id']}", status=404)


def test_everybodys_network_and_one_in_use_stay(cloud: ComputeCloud) -> None:
    assert cloud.refused("DELETE", f"{PATH}/{cloud.net.uuid}", status=403)
    made = make(cloud)
    uuid = cloud.running()
    with cloud.db.transaction() as tx:
        mine = networks.get(tx, made["id"])
        address_claims.add_card(tx, mine, instance_uuid=uuid, hostname="web", host="h1", position=0)
    assert cloud.refused("DELETE", f"{PATH}/{made['id']}", status=409)
    assert cloud.ok("GET", f"/os-networks/{made['id']}", who=ADMIN)["network"]["project_id"] == "apples"


@pytest.mark.parametrize(
    ("keys", "status"),
    [
        ({"cidr": "10.0.0.128/25"}, 409),
        ({"cidr": "nonsense"}, 400),
        ({"cidr": None}, 400),
        ({"network_size": 2}, 400),
        ({"num_networks": 0}, 400),
        ({"label": ""}, 400),
        ({"project_id": "pears"}, 400),
        ({"bridge": "br0"}, 400),
    ],
)
def test_networks_that_cannot_be_are_refused(cloud: ComputeCloud, keys: dict[str, Any], status: int) -> None:
    body = {"network": {"label": "mine", "cidr": "192.0.2.0/24", **keys}}
    assert cloud.refused("POST", PATH, body, status=status)


@pytest.fixture
def narrow() -> Iterator[ComputeCloud]:
    """A VLAN cloud in which a project may make two networks."""
    made = ComputeCloud(dataclasses.replace(ApiSettings(), network_manager="vlan", network_quota=2))
    yield made
    made.close()


def test_the_quota_holds_and_each_network_gets_a_vlan_of_its_own(narrow: ComputeCloud) -> None:
    first = make(narrow)
    second = make(narrow, cidr="198.51.100.0/24")
    tags = [narrow.ok("GET", f"/os-networks/{each['id']}", who=ADMIN)["network"]["vlan"] for each in (first, second)]
    assert tags == [100, 101]
    body = {"network": {"label": "third", "cidr": "203.0.113.0/24"}}
    assert narrow.refused("POST", PATH, body, status=403)
    assert narrow.call("DELETE", f"{PATH}/{first['id']}").status_int == 202
    assert narrow.ok("POST", PATH, body)["network"]["label"] == "third"


def test_a_flat_network_made_through_the_api_is_on_the_clouds_bridge() -> None:
    cloud = ComputeCloud(dataclasses.replace(ApiSettings(), flat_network_bridge="br100"))
    try:
        made = make(cloud)
        assert cloud.ok("GET", f"/os-networks/{made['id']}", who=ADMIN)["network"]["bridge"] == "br100"
    finally:
        cloud.close()
