# SPDX-License-Identifier: Apache-2.0
"""Plans of new networks."""

from __future__ import annotations

import time
from typing import Any

import pytest

from nova import errors
from nova.domain.network import Network
from nova.domain.network_plan import CreateNetwork, plan


def made(existing: tuple[Network, ...] = (), **words: Any) -> tuple[Network, ...]:
    return plan(CreateNetwork(**({"label": "net", "bridge": "br100"} | words)), existing).networks


def cidrs(existing: tuple[Network, ...] = (), **words: Any) -> list[str]:
    return [network.cidr for network in made(existing, **words)]


def test_the_address_plan_of_a_flat_network() -> None:
    (one,) = made(cidr="192.168.0.0/24", network_size=256)
    assert (one.gateway, one.dhcp_server, one.dhcp_start) == ("192.168.0.1", "192.168.0.1", "192.168.0.2")
    assert (one.broadcast, one.netmask, one.vlan) == ("192.168.0.255", "255.255.255.0", None)
    reserved = plan(CreateNetwork(label="n", cidr="192.168.0.0/24"), []).reserved
    assert reserved == (("192.168.0.0", "192.168.0.1", "192.168.0.255"),)


def test_the_address_plan_of_a_vlan_network() -> None:
    one, two = made(cidr="10.0.0.0/16", num_networks=2, network_size=32, vlan_start=100, vpn_start=1000, bridge="")
    assert (one.vlan, one.bridge, one.vpn_private_address, one.dhcp_start) == (100, "br100", "10.0.0.2", "10.0.0.3")
    assert (two.vlan, two.bridge, two.vpn_public_port, two.cidr) == (101, "br101", 1001, "10.0.0.32/27")
    assert (one.label, two.label) == ("net_0", "net_1")


def test_a_size_is_rounded_up_to_a_power_of_two() -> None:
    assert cidrs(cidr="10.99.0.0/22", network_size=1022) == ["10.99.0.0/22"]


def test_a_range_given_by_one_of_its_addresses_is_the_range() -> None:
    assert cidrs(cidr="192.168.3.0/12", network_size=256) == ["192.160.0.0/24"]


def test_without_a_size_the_usual_one_is_taken_with_a_notice() -> None:
    found = plan(CreateNetwork(label="n", cidr="10.0.0.0/8"), [])
    assert found.networks[0].cidr == "10.0.0.0/24"
    assert "defaulting to /24" in found.notices[0]
    assert plan(CreateNetwork(label="n", cidr="10.0.0.0/25"), []).notices == ()


def test_subnets_in_use_are_passed_over_until_the_range_is_full() -> None:
    used = made(cidr="10.0.0.0/25", network_size=128)
    assert cidrs(used, cidr="10.0.0.0/24", network_size=64, num_networks=2) == ["10.0.0.128/26", "10.0.0.192/26"]
    with pytest.raises(errors.Conflict, match="already in use"):
        made(used, cidr="10.0.0.0/24", network_size=256)


def test_a_million_addresses_are_planned_at_once() -> None:
    started = time.monotonic()
    (one,) = made(cidr="10.0.0.0/12", network_size=1 << 20)
    assert time.monotonic() - started < 0.1
    assert one.broadcast == "10.15.255.255"


def test_ipv6_subnets_are_never_smaller_than_64() -> None:
    one, two = made(cidr="10.0.0.0/16", cidr_v6="fd00:1::/48", num_networks=2)
    assert (one.cidr_v6, two.cidr_v6, one.gateway_v6) == ("fd00:1::/64", "fd00:1:0:1::/64", "fd00:1::1")
    assert one.netmask_v6 == "64"


def test_free_vlans_are_found_where_none_is_named() -> None:
    first = made(cidr="10.0.0.0/24", vlan_start=100, bridge="")
    (second,) = made(first, cidr="10.0.1.0/24", vlan_start=100, any_vlan=True, bridge="")
    assert second.vlan == 101
    with pytest.raises(errors.Conflict, match="VLAN 100"):
        made(first, cidr="10.0.1.0/24", vlan_start=100, bridge="")


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"label": ""}, "label"),
        ({"label": "x" * 256, "cidr": "10.0.0.0/24"}, "label"),
        ({"label": "a\nb", "cidr": "10.0.0.0/24"}, "label"),
        ({}, "cidr"),
        ({"cidr": "10.0.0.0/33"}, "cidr"),
        ({"cidr": "a" * 50000}, "cidr"),
        ({"cidr": "10.0.0.0/24", "cidr_v6": "10.0.0.0/8"}, "cidr_v6"),
        ({"cidr": "10.0.0.0/24", "cidr_v6": "fe80::1"}, "cidr_v6"),
        ({"cidr": "10.0.0.0/24", "cidr_v6": "fd00::/127"}, "cidr_v6"),
        ({"cidr_v6": "fd00::/64"}, "cidr"),
        ({"cidr": "10.0.0.0/24", "gateway_v6": "10.0.0.1"}, "gateway_v6"),
        ({"cidr": "10.0.0.0/24", "dns1": "fe80::1%a\nserver=x"}, "dns1"),
        ({"cidr": "10.0.0.0/24", "network_size": 512}, "network_size"),
        ({"cidr": "10.0.0.0/24", "network_size": 2}, "network_size"),
        ({"cidr": "10.0.0.0/24", "network_size": 0}, "network_size"),
        ({"cidr": "10.0.0.0/24", "num_networks": 0}, "num_networks"),
        ({"cidr": "10.0.0.0/24", "num_networks": 10**9}, "num_networks"),
        ({"cidr": "10.0.0.0/24", "gateway": "10.0.1.1"}, "gateway"),
        ({"cidr": "10.0.0.0/24", "dns1": "a" * 50000 + "."}, "dns1"),
        ({"cidr": "10.0.0.0/24", "dns1": "1.1.1.1\n"}, "dns1"),
        ({"cidr": "10.0.0.0/24", "bridge": "br100;reboot"}, "bridge"),
        ({"cidr": "10.0.0.0/24", "bridge_interface": "-x"}, "bridge_interface"),
        ({"cidr": "10.0.0.0/24", "fixed_cidr": "10.1.0.0/28"}, "fixed_cidr"),
        ({"cidr": "10.0.0.0/24", "vlan_start": 4095}, "vlan_start"),
        ({"cidr": "10.0.0.0/24", "uuid": "x"}, "uuid"),
        ({"cidr": "10.0.0.0/16", "cidr_v6": "fd00::/64", "num_networks": 2}, "cidr_v6"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name_at_once(words: dict[str, Any], field: str) -> None:
    started = time.monotonic()
    with pytest.raises(errors.InvalidInput) as refusal:
        made(**words)
    assert refusal.value.data["field"] == field
    assert len(refusal.value.message) < 300
    assert time.monotonic() - started < 0.1
