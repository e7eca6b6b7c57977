# SPDX-License-Identifier: Apache-2.0
"""/os-floating-ips, pools, ranges, and the actions of servers."""

from __future__ import annotations

from typing import Any

import pytest

from nova.db import address_claims, networks
from nova.db.addresses import FLOATING_IPS
from tests.functional.compute_cloud import ADMIN, BOB, ComputeCloud

BULK = "/os-floating-ips-bulk"


@pytest.fixture
def pool(cloud: ComputeCloud) -> ComputeCloud:
    """A cloud with two floating addresses."""
    made = cloud.ok("POST", BULK, {"floating_ips_bulk_create": {"ip_range": "192.0.2.8/30"}}, who=ADMIN)
    assert made == {"floating_ips_bulk_create": {"ip_range": "192.0.2.8/30", "pool": "nova", "interface": "eth0"}}
    cloud.db.run(lambda tx: networks.associate(tx, cloud.net.id, host="n1"))
    return cloud


def take(cloud: ComputeCloud, **options: Any) -> dict[str, Any]:
    return dict(cloud.ok("POST", "/os-floating-ips", {"pool": None}, **options)["floating_ip"])


def server(cloud: ComputeCloud, *, cards: int = 1, **options: Any) -> str:
    """A running server with its addresses."""
    uuid = cloud.running(**options)
    card = {"instance_uuid": uuid, "hostname": "web", "host": "h1"}
    with cloud.db.transaction() as tx:
        for position in range(cards):
            address_claims.add_card(tx, cloud.net, position=position, **card)
    return uuid


def act(
    cloud: ComputeCloud, uuid: str, action: str, status: int = 202, *, who: str = "alice:apples", **keys: Any
) -> str:
    answer = cloud.call("POST", f"/servers/{uuid}/action", {action: keys}, who=who)
    assert answer.status_int == status, answer.text
    return answer.text


def told(cloud: ComputeCloud) -> list[tuple[str, str]]:
    """Which hosts were told what, since the last look."""
    found = [(host, method) for host, method, _ in cloud.network.taken]
    cloud.network.taken.clear()
    return found


def test_an_address_is_taken_from_the_pool_shown_and_given_back(pool: ComputeCloud) -> None:
    made = take(pool)
    assert made == {"id": made["id"], "ip": "192.0.2.9", "pool": "nova", "fixed_ip": None, "instance_id": None}
    assert pool.ok("GET", f"/os-floating-ips/{made['id']}")["floating_ip"] == made
    assert pool.ok("GET", "/os-floating-ips")["floating_ips"] == [made]
    assert pool.ok("GET", "/limits")["limits"]["absolute"]["totalFloatingIpsUsed"] == 1
    assert pool.ok("GET", "/os-floating-ip-pools") == {"floating_ip_pools": [{"name": "nova"}]}
    assert pool.call("DELETE", f"/os-floating-ips/{made['id']}").status_int == 202
    assert pool.ok("GET", "/os-floating-ips")["floating_ips"] == []
    assert pool.ok("GET", "/limits")["limits"]["absolute"]["totalFloatingIpsUsed"] == 0


def test_empty_and_unknown_pools_are_not_found_and_the_quota_holds(pool: ComputeCloud) -> None:
    assert "no floating IP pool dmz" in pool.refused("POST", "/os-floating-ips", {"pool": "dmz"}, status=404)
    take(pool)
    pool.cloud.settings.default_quotas["floating_ips"] = 1
    assert pool.refused("POST", "/os-floating-ips", status=403)
    pool.cloud.settings.default_quotas["floating_ips"] = 10
    take(pool)
    assert "No more floating IPs" in pool.refused("POST", "/os-floating-ips", status=404)
    assert pool.ok("GET", "/limits")["limits"]["absolute"]["totalFloatingIpsUsed"] == 2


def test_an_address_is_associated_moved_and_disassociated(pool: ComputeCloud) -> None:
    one, two, address = server(pool), server(pool), take(pool)["ip"]
    act(pool, one, "addFloatingIp", address=address)
    assert told(pool) == [("n1", "refresh_floating_ips")]
    (seen,) = pool.ok("GET", "/os-floating-ips")["floating_ips"]
    assert (seen["fixed_ip"], seen["instance_id"]) == ("10.0.0.2", one)
    listed = pool.ok("GET", f"/servers/{one}")["server"]["addresses"]["net"]
    assert [(each["addr"], each["OS-EXT-IPS:type"]) for each in listed] == [
        ("10.0.0.2", "fixed"),
        (address, "floating"),
    ]
    act(pool, one, "addFloatingIp", address=address)
    assert told(pool) == []
    act(pool, two, "addFloatingIp", address=address)
    assert told(pool) == [("n1", "refresh_floating_ips")]
    assert "does not lead" in act(pool, one, "removeFloatingIp", 409, address=address)
    act(pool, two, "removeFloatingIp", address=address)
    assert told(pool) == [("n1", "refresh_floating_ips")]
    assert pool.ok("GET", "/os-floating-ips")["floating_ips"][0]["fixed_ip"] is None


def test_one_of_the_servers_addresses_can_be_named(pool: ComputeCloud) -> None:
    uuid, address = server(pool, cards=2), take(pool)["ip"]
    assert "not an address" in act(pool, uuid, "addFloatingIp", 400, address=address, fixed_address="10.0.0.77")
    act(pool, uuid, "addFloatingIp", address=address, fixed_address="10.0.0.3")
    assert pool.ok("GET", "/os-floating-ips")["floating_ips"][0]["fixed_ip"] == "10.0.0.3"


def test_giving_an_associated_address_back_takes_it_from_the_server(pool: ComputeCloud) -> None:
    uuid, made = server(pool), take(pool)
    act(pool, uuid, "addFloatingIp", address=made["ip"])
    told(pool)
    assert pool.call("DELETE", f"/os-floating-ips/{made['id']}").status_int == 202
    assert told(pool) == [("n1", "refresh_floating_ips")]
    assert len(pool.ok("GET", f"/servers/{uuid}")["server"]["addresses"]["net"]) == 1


def test_addresses_and_servers_of_others_are_out_of_reach(pool: ComputeCloud) -> None:
    mine, theirs, made = server(pool), server(pool, who=BOB), take(pool)
    act(pool, theirs, "addFloatingIp", 403, who=BOB, address=made["ip"])
    act(pool, theirs, "addFloatingIp", 404, address=made["ip"])
    act(pool, mine, "addFloatingIp", address=made["ip"])
    act(pool, theirs, "removeFloatingIp", 403, who=BOB, address=made["ip"])
    act(pool, theirs, "removeFloatingIp", 403, who=ADMIN, address=made["ip"])
    assert pool.refused("DELETE", f"/os-floating-ips/{made['id']}", status=403, who=BOB)
    assert pool.refused("GET", f"/os-floating-ips/{made['id']}", status=404, who=BOB)
    assert pool.ok("GET", "/os-floating-ips", who=BOB)["floating_ips"] == []
    assert pool.ok("GET", "/os-floating-ips")["floating_ips"][0]["instance_id"] == mine


def test_unknown_addresses_and_servers_without_one_are_refused(pool: ComputeCloud) -> None:
    uuid, made = pool.running(), take(pool)
    assert "no fixed IP" in act(pool, uuid, "addFloatingIp", 400, address=made["ip"])
    act(pool, uuid, "addFloatingIp", 404, address="203.0.113.1")
    act(pool, uuid, "addFloatingIp", 400, address="203.0.113.1.")
    act(pool, uuid, "removeFloatingIp", 409, address=made["ip"])
    assert pool.refused("GET", "/os-floating-ips/web", status=404)
    assert pool.refused("DELETE", "/os-floating-ips/9999", status=404)


def test_an_address_that_came_with_its_server_stays_with_it(pool: ComputeCloud) -> None:
    uuid, made = server(pool), take(pool)
    act(pool, uuid, "addFloatingIp", address=made["ip"])
    with pool.db.transaction() as tx:
        tx.execute(FLOATING_IPS.update().values(auto_assigned=True))
    assert "goes with it" in act(pool, uuid, "removeFloatingIp", 403, address=made["ip"])
    assert pool.refused("DELETE", f"/os-floating-ips/{made['id']}", status=403)


@pytest.mark.parametrize("ip_range", ["192.0.2.8/29x", "", "192.0.2.0/31", "2001:db8::/64", "10.0.0.0/8", "host"])
def test_ranges_that_are_none_are_refused(cloud: ComputeCloud, ip_range: str) -> None:
    body = {"floating_ips_bulk_create": {"ip_range": ip_range}}
    assert cloud.refused("POST", BULK, body, status=400, who=ADMIN)
    assert cloud.refused("PUT", f"{BULK}/delete", {"ip_range": ip_range}, status=400, who=ADMIN)


def test_ranges_are_for_administrators_and_added_and_removed_whole(pool: ComputeCloud) -> None:
    body = {"floating_ips_bulk_create": {"ip_range": "192.0.2.0/24", "pool": "dmz", "interface": "eth1"}}
    assert pool.refused("POST", BULK, body, status=403)
    assert pool.refused("GET", BULK, status=403)
    assert pool.refused("POST", BULK, body, status=409, who=ADMIN)
    uuid, made = server(pool), take(pool)
    act(pool, uuid, "addFloatingIp", address=made["ip"])
    info = pool.ok("GET", BULK, who=ADMIN)["floating_ip_info"]
    assert info[0] == {
        "address": "192.0.2.9",
        "pool": "nova",
        "interface": "eth0",
        "project_id": "apples",
        "instance_uuid": uuid,
        "fixed_ip": "10.0.0.2",
    }
    assert [each["address"] for each in info] == ["192.0.2.9", "192.0.2.10"]
    assert pool.ok("GET", f"{BULK}/n1", who=ADMIN)["floating_ip_info"] == info[:1]
    assert pool.refused("GET", f"{BULK}/n9", status=404, who=ADMIN)
    assert pool.refused("PUT", f"{BULK}/delete", {"ip_range": "192.0.2.8/30"}, status=409, who=ADMIN)
    pool.call("DELETE", f"/os-floating-ips/{made['id']}")
    gone = pool.ok("PUT", f"{BULK}/delete", {"ip_range": "192.0.2.8/30"}, who=ADMIN)
    assert gone == {"floating_ips_bulk_delete": "192.0.2.8/30"}
    assert pool.ok("GET", BULK, who=ADMIN)["floating_ip_info"] == []
