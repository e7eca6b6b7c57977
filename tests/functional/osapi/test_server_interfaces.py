# SPDX-License-Identifier: Apache-2.0
"""Cards and fixed addresses of servers: what HTTP takes and refuses, and which orders go out."""

from __future__ import annotations

from typing import Any

import pytest

from nova.db import address_claims, networks
from nova.domain.network import Network, Nic
from nova.domain.network_plan import CreateNetwork, plan
from tests.functional.compute_cloud import ADMIN, BOB, ComputeCloud


def network(cloud: ComputeCloud, cidr: str, **words: Any) -> Network:
    made = plan(CreateNetwork(label=f"net-{cidr[:4]}", cidr=cidr, **words), [])
    return cloud.db.run(lambda tx: networks.create(tx, made.networks)[0])


def server(cloud: ComputeCloud, **options: Any) -> tuple[str, Nic]:
    """A running server with a card."""
    uuid = cloud.running(**options)
    card = {"instance_uuid": uuid, "hostname": "web", "host": "h1", "position": 0}
    return uuid, cloud.db.run(lambda tx: address_claims.add_card(tx, cloud.net, **card))


def cards(cloud: ComputeCloud, uuid: str) -> list[dict[str, Any]]:
    return list(cloud.ok("GET", f"/servers/{uuid}/os-interface")["interfaceAttachments"])


def attach(cloud: ComputeCloud, uuid: str, **keys: Any) -> dict[str, Any]:
    made = cloud.ok("POST", f"/servers/{uuid}/os-interface", {"interfaceAttachment": keys})
    return dict(made["interfaceAttachment"])


def act(cloud: ComputeCloud, uuid: str, action: str, status: int = 202, **keys: Any) -> str:
    answer = cloud.call("POST", f"/servers/{uuid}/action", {action: keys})
    assert answer.status_int == status, answer.text
    return answer.text


def orders(cloud: ComputeCloud) -> list[tuple[str, str]]:
    """Action and card of each order that went out."""
    return [
        (order.action, order.vif_uuid)
        for _, method, arguments in cloud.compute.taken
        if method.endswith("_interface")
        for order in [arguments["order"]]
    ]


def test_a_servers_cards_are_shown(cloud: ComputeCloud) -> None:
    uuid, nic = server(cloud)
    shown = {
        "port_id": nic.vif_uuid,
        "net_id": cloud.net.uuid,
        "mac_addr": nic.mac_address,
        "port_state": "ACTIVE",
        "fixed_ips": [{"subnet_id": cloud.net.uuid, "ip_address": "10.0.0.2"}],
    }
    assert cards(cloud, uuid) == [shown]
    assert cloud.ok("GET", f"/servers/{uuid}/os-interface/{nic.vif_uuid}") == {"interfaceAttachment": shown}
    assert cloud.refused("GET", f"/servers/{uuid}/os-interface/nope", status=404)
    old = {"id": nic.vif_uuid, "mac_address": nic.mac_address}
    path = f"/servers/{uuid}/os-virtual-interfaces"
    assert cloud.ok("GET", path) == {"virtual_interfaces": [old]}
    new = {**old, "net_id": cloud.net.uuid}
    assert cloud.ok("GET", path, version="2.12") == {"virtual_interfaces": [new]}
    assert cloud.refused("GET", path, status=404, who=BOB)


def test_a_card_is_claimed_at_once_and_ordered_of_the_host(cloud: ComputeCloud) -> None:
    other = network(cloud, "10.1.0.0/24")
    uuid, _ = server(cloud)
    made = attach(cloud, uuid, net_id=other.uuid, fixed_ips=[{"ip_address": "10.1.0.9"}])
    assert (made["net_id"], made["fixed_ips"][0]["ip_address"]) == (other.uuid, "10.1.0.9")
    assert orders(cloud) == [("attach_interface", made["port_id"])]
    assert [method for _, method, _ in cloud.network.taken] == ["cards_changed"]
    assert len(cards(cloud, uuid)) == 2
    (action, *_) = cloud.ok("GET", f"/servers/{uuid}/os-instance-actions")["instanceActions"]
    assert action["action"] == "attach_interface"


def test_without_a_name_the_next_network_of_the_project_is_taken_until_there_is_none(cloud: ComputeCloud) -> None:
    other = network(cloud, "10.1.0.0/24")
    network(cloud, "10.2.0.0/24", project_id="pears")
    uuid, _ = server(cloud)
    assert cloud.ok("POST", f"/servers/{uuid}/os-interface")["interfaceAttachment"]["net_id"] == other.uuid
    assert "every network" in cloud.refused("POST", f"/servers/{uuid}/os-interface", status=400)


def test_a_card_is_shown_until_its_host_has_taken_it_out(cloud: ComputeCloud) -> None:
    uuid, nic = server(cloud)
    assert cloud.call("DELETE", f"/servers/{uuid}/os-interface/{nic.vif_uuid}").status_int == 202
    assert orders(cloud) == [("detach_interface", nic.vif_uuid)]
    assert len(cards(cloud, uuid)) == 1
    assert cloud.refused("DELETE", f"/servers/{uuid}/os-interface/{uuid}", status=404)


def test_more_addresses_on_a_card_need_no_order_and_the_last_one_takes_the_card_along(cloud: ComputeCloud) -> None:
    uuid, nic = server(cloud)
    act(cloud, uuid, "addFixedIp", networkId=cloud.net.uuid)
    act(cloud, uuid, "addFixedIp", networkId=cloud.net.id)
    assert [each["ip_address"] for each in cards(cloud, uuid)[0]["fixed_ips"]] == ["10.0.0.2", "10.0.0.3", "10.0.0.4"]
    assert orders(cloud) == []
    assert [host for host, method, _ in cloud.compute.taken if method == "refresh_filters"] == ["h1", "h1"]
    act(cloud, uuid, "removeFixedIp", address="10.0.0.2")
    (released,) = cloud.network.named("cards_changed")[-1]["released"]
    assert released.address == "10.0.0.2"
    act(cloud, uuid, "removeFixedIp", address="10.0.0.3")
    act(cloud, uuid, "removeFixedIp", address="10.0.0.4")
    assert orders(cloud) == [("detach_interface", nic.vif_uuid)]
    assert "not an address" in act(cloud, uuid, "removeFixedIp", 400, address="10.0.0.9")


def test_an_address_in_another_network_brings_a_card(cloud: ComputeCloud) -> None:
    other = network(cloud, "10.1.0.0/24")
    uuid, _ = server(cloud)
    act(cloud, uuid, "addFixedIp", networkId=other.uuid)
    assert len(orders(cloud)) == 1
    assert {each["net_id"] for each in cards(cloud, uuid)} == {cloud.net.uuid, other.uuid}


def test_networks_of_others_are_out_of_reach(cloud: ComputeCloud) -> None:
    theirs = network(cloud, "10.1.0.0/24", project_id="pears")
    uuid, _ = server(cloud)
    body = {"interfaceAttachment": {"net_id": theirs.uuid}}
    assert cloud.refused("POST", f"/servers/{uuid}/os-interface", body, status=404)
    act(cloud, uuid, "addFixedIp", 400, networkId=theirs.uuid)
    assert cloud.refused("POST", f"/servers/{uuid}/os-interface", body, status=404, who=BOB)


def test_every_way_to_more_addresses_is_counted(cloud: ComputeCloud) -> None:
    network(cloud, "10.1.0.0/24")
    uuid, _ = server(cloud)
    cloud.cloud.settings.default_quotas["fixed_ips"] = 1
    act(cloud, uuid, "addFixedIp", networkId=cloud.net.uuid)
    act(cloud, uuid, "addFixedIp", 403, networkId=cloud.net.uuid)
    assert cloud.refused("POST", f"/servers/{uuid}/os-interface", status=403)
    act(cloud, uuid, "removeFixedIp", address="10.0.0.3")
    act(cloud, uuid, "addFixedIp", networkId=cloud.net.uuid)


@pytest.mark.parametrize(
    ("keys", "status"),
    [
        ({"port_id": "70a599e0-31e7-49b7-b260-868f441e862b"}, 501),
        ({"net_id": "70a599e0-31e7-49b7-b260-868f441e862b"}, 404),
        ({"net_id": "net"}, 400),
        ({"fixed_ips": [{"ip_address": "10.0.0.9"}]}, 400),
        ({"net_id": "OWN", "fixed_ips": [{"ip_address": "10.9.0.9"}]}, 400),
        ({"net_id": "OWN", "fixed_ips": [{"ip_address": "10.0.0.2"}]}, 400),
        ({"net_id": "OWN", "fixed_ips": [{"ip_address": "10.0.0.1"}]}, 400),
        ({"net_id": "OWN", "fixed_ips": [{"ip_address": "10.0.0.4"}, {"ip_address": "10.0.0.5"}]}, 400),
        ({"net_id": "OWN", "tag": "x"}, 400),
    ],
)
def test_cards_that_cannot_be_are_refused(cloud: ComputeCloud, keys: dict[str, Any], status: int) -> None:
    uuid, _ = server(cloud)
    wanted = {key: cloud.net.uuid if value == "OWN" else value for key, value in keys.items()}
    assert cloud.refused("POST", f"/servers/{uuid}/os-interface", {"interfaceAttachment": wanted}, status=status)
    assert len(cards(cloud, uuid)) == 1


def test_a_locked_or_busy_server_keeps_its_cards(cloud: ComputeCloud) -> None:
    uuid, nic = server(cloud)
    act(cloud, uuid, "lock")
    for path in (f"/servers/{uuid}/os-interface",):
        assert cloud.refused("POST", path, {"interfaceAttachment": {"net_id": cloud.net.uuid}}, status=409)
        assert cloud.refused("DELETE", f"{path}/{nic.vif_uuid}", status=409)
    act(cloud, uuid, "addFixedIp", 409, networkId=cloud.net.uuid)
    act(cloud, uuid, "removeFixedIp", 409, address="10.0.0.2")
    act(cloud, uuid, "unlock")
    cloud.set_row(uuid, task_state="rebooting")
    assert cloud.refused("DELETE", f"/servers/{uuid}/os-interface/{nic.vif_uuid}", status=409)


def test_administrators_see_whose_an_address_is_and_keep_it_from_servers(cloud: ComputeCloud) -> None:
    server(cloud)
    assert cloud.ok("GET", "/os-fixed-ips/10.0.0.2", who=ADMIN) == {
        "fixed_ip": {"address": "10.0.0.2", "cidr": "10.0.0.0/24", "host": "h1", "hostname": "web"}
    }
    unused = cloud.ok("GET", "/os-fixed-ips/10.0.0.77", who=ADMIN, version="2.4")["fixed_ip"]
    assert (unused["hostname"], unused["reserved"]) == (None, False)
    for action, reserved in (("reserve", True), ("unreserve", False)):
        assert cloud.call("POST", "/os-fixed-ips/10.0.0.77/action", {action: None}, who=ADMIN).status_int == 202
        shown = cloud.ok("GET", "/os-fixed-ips/10.0.0.77", who=ADMIN, version="2.4")
        assert shown["fixed_ip"]["reserved"] is reserved
    assert cloud.refused("GET", "/os-fixed-ips/10.9.9.9", status=404, who=ADMIN)
    assert cloud.refused("GET", "/os-fixed-ips/10.0.0.256", status=400, who=ADMIN)
    assert cloud.refused("GET", "/os-fixed-ips/10.0.0.2", status=403)
