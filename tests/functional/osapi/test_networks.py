# SPDX-License-Identifier: Apache-2.0
"""/os-networks."""

from __future__ import annotations

from typing import Any

import pytest

from tests.functional.compute_cloud import ADMIN, ComputeCloud


def make(cloud: ComputeCloud, **keys: Any) -> dict[str, Any]:
    body = {"network": {"label": "dmz", "cidr": "192.0.2.0/24", **keys}}
    return dict(cloud.ok("POST", "/os-networks", body, who=ADMIN)["network"])


def test_members_see_what_they_need_and_administrators_all(cloud: ComputeCloud) -> None:
    (seen,) = cloud.ok("GET", "/os-networks")["networks"]
    assert (seen["id"], seen["label"], seen["cidr"]) == (cloud.net.uuid, "net", "10.0.0.0/24")
    assert "bridge" not in seen
    assert cloud.ok("GET", f"/os-networks/{cloud.net.uuid}", who=ADMIN)["network"]["deleted"] is False
    assert cloud.refused("GET", "/os-networks/net", status=404)


def test_a_new_network_is_planned_recorded_and_announced(cloud: ComputeCloud) -> None:
    made = make(cloud, bridge="br-dmz", multi_host="T", mtu="1400")
    assert (made["gateway"], made["netmask"], made["bridge"]) == ("192.0.2.1", "255.255.255.0", "br-dmz")
    assert (made["multi_host"], made["mtu"]) == (True, 1400)
    assert [method for _, method, _ in cloud.network.taken] == ["refresh"]
    assert cloud.call("DELETE", f"/os-networks/{made['id']}", who=ADMIN).status_int == 202
    assert cloud.refused("GET", f"/os-networks/{made['id']}", status=404, who=ADMIN)


@pytest.mark.parametrize(
    ("keys", "status"),
    [
        ({"cidr": "10.0.0.128/25"}, 409),
        ({"cidr": "10.0.0.0/31"}, 400),
        ({"cidr": "nonsense"}, 400),
        ({"cidr": None}, 400),
        ({"vlan": 4095}, 400),
        ({"bridge": "br; rm -rf"}, 400),
        ({"gateway": "10.0.0.1"}, 400),
        ({"label": "x" * 256}, 400),
        ({"share_address": True}, 400),
        ({"dhcp_server": "192.0.2.9"}, 400),
        ({"unknown": 1}, 400),
    ],
)
def test_networks_that_cannot_be_are_refused(cloud: ComputeCloud, keys: dict[str, Any], status: int) -> None:
    body = {"network": {"label": "dmz", "cidr": "192.0.2.0/24", **keys}}
    assert cloud.refused("POST", "/os-networks", body, status=status, who=ADMIN)


def test_a_network_of_a_project_is_its_own_until_it_is_taken_away(cloud: ComputeCloud) -> None:
    made = make(cloud, project_id="pears")
    path = f"/os-networks/{made['id']}"
    assert cloud.refused("GET", path, status=404)
    assert cloud.ok("GET", path, who="bob:pears")["network"]["label"] == "dmz"
    assert cloud.refused("DELETE", path, status=409, who=ADMIN)
    assert cloud.call("POST", f"{path}/action", {"disassociate": None}, who=ADMIN).status_int == 202
    assert cloud.ok("GET", path)["network"]["id"] == made["id"]
    assert cloud.call("POST", "/os-networks/add", {"id": made["id"]}, who=ADMIN).status_int == 202
    assert cloud.ok("GET", path, who=ADMIN)["network"]["project_id"] == "operations"
    assert cloud.call("POST", f"{path}/action", {"associate_host": "h1"}, who=ADMIN).status_int == 202
    assert cloud.ok("GET", path, who=ADMIN)["network"]["host"] == "h1"
    assert cloud.call("POST", f"{path}/action", {"disassociate_host": None}, who=ADMIN).status_int == 202
