# SPDX-License-Identifier: Apache-2.0
"""The rules of a network host."""

from __future__ import annotations

import dataclasses

from nova.domain.network import Forward, Network
from nova.network.linux.nat import forwards_in, ipv4_rules, ipv6_rules, outside_fixed_range
from nova.network.settings import NatSettings
from nova.network.topology import GuestBridge

SETTINGS = NatSettings(fixed_range="10.0.0.0/8", routing_source_ip="192.0.2.1", metadata_host="192.0.2.1")
NETWORK = Network(id=1, uuid="u", label="n", cidr="10.0.0.0/24", dhcp_server="10.0.0.1")
BRIDGE = GuestBridge(name="br100", interface="", networks=(NETWORK,))


def chain(name: str, settings: NatSettings = SETTINGS, *, table: str = "nat") -> tuple[str, ...]:
    return ipv4_rules(settings, [BRIDGE]).chains[table, f"nova-network-{name}"]


def test_guests_leave_under_the_routing_source_ip() -> None:
    assert chain("snat") == ("-j nova-network-floating-snat", "-s 10.0.0.0/8 -j SNAT --to-source 192.0.2.1")


def test_metadata_is_forwarded_and_redirected_when_it_is_on_this_host() -> None:
    match = "-d 169.254.169.254/32 -p tcp -m tcp --dport 80"
    assert chain("PREROUTING") == (f"{match} -j DNAT --to-destination 192.0.2.1:8775",)
    here = dataclasses.replace(SETTINGS, metadata_host="127.0.0.1")
    assert chain("PREROUTING", here) == (f"{match} -j REDIRECT --to-ports 8775",)


def test_guests_keep_their_address_towards_metadata_dmz_and_one_another_and_not_where_it_is_forced() -> None:
    settings = dataclasses.replace(SETTINGS, dmz_cidr=("172.16.0.0/12",), force_snat_range=("172.17.0.0/16",))
    assert chain("POSTROUTING", settings) == (
        "-s 10.0.0.0/8 -d 172.17.0.0/16 -j SNAT --to-source 192.0.2.1",
        "-s 10.0.0.0/8 -d 192.0.2.1/32 -j ACCEPT",
        "-s 10.0.0.0/8 -d 172.16.0.0/12 -j ACCEPT",
        "-s 10.0.0.0/8 -d 10.0.0.0/8 -m conntrack ! --ctstate DNAT -j ACCEPT",
    )


def test_of_the_host_guests_reach_dhcp_dns_and_metadata_and_the_rest_is_dropped() -> None:
    rules = [rule for rule in chain("INPUT", table="filter") if "-i br100" in rule]
    assert rules[-1] == "-i br100 -j DROP"
    assert "-i br100 -p udp -m udp --dport 67 -j ACCEPT" in rules
    assert "-d 10.0.0.1/32 -i br100 -p udp -m udp --dport 53 -j ACCEPT" in rules
    assert not any("--dport 22" in rule for rule in rules)
    opened = chain("INPUT", dataclasses.replace(SETTINGS, guests_may_reach_host=True), table="filter")
    assert "-i br100 -j ACCEPT" in opened


def test_the_interfaces_that_traffic_leaves_by_can_be_named() -> None:
    assert chain("FORWARD", table="filter") == ("-i br100 -j ACCEPT", "-o br100 -j ACCEPT")
    named = chain("FORWARD", dataclasses.replace(SETTINGS, forward_interfaces=("eth1",)), table="filter")
    assert "-i br100 -o eth1 -j ACCEPT" in named
    assert named[-2:] == ("-i br100 -j DROP", "-o br100 -j DROP")
    none = chain("FORWARD", dataclasses.replace(SETTINGS, forward_interfaces=("none",)), table="filter")
    assert none == ("-i br100 -o br100 -j ACCEPT", "-i br100 -j DROP", "-o br100 -j DROP")


def test_projects_with_networks_of_their_own_reach_each_other_through_floating_addresses_only() -> None:
    owners = {"br1": "red", "br2": "blue", "br3": "red"}
    bridges = [
        GuestBridge(name=name, interface="", networks=(dataclasses.replace(NETWORK, project_id=project),))
        for name, project in owners.items()
    ]
    chains = ipv4_rules(SETTINGS, bridges).chains
    assert "-i br1 ! -o br1 -j nova-network-between" in chains["filter", "nova-network-FORWARD"]
    between = chains["filter", "nova-network-between"]
    assert between == (
        "-i br3 -o br1 -j RETURN",
        "-i br1 -o br3 -j RETURN",
        *(f"-o {name} -m conntrack ! --ctstate DNAT -j DROP" for name in owners),
    )
    assert ipv4_rules(SETTINGS, [BRIDGE]).chains["filter", "nova-network-between"] == ()


def test_floating_addresses_lead_in_and_the_first_of_them_leads_out() -> None:
    forwards = [
        Forward(address="68.99.26.170", fixed_address="10.0.0.3"),
        Forward(address="68.99.26.171", fixed_address="10.0.0.3"),
    ]
    chains = ipv4_rules(SETTINGS, [BRIDGE], forwards).chains
    inward = (
        "-d 68.99.26.170/32 -j DNAT --to-destination 10.0.0.3",
        "-d 68.99.26.171/32 -j DNAT --to-destination 10.0.0.3",
    )
    assert chains["nat", "nova-network-OUTPUT"] == inward
    assert chains["nat", "nova-network-PREROUTING"][1:] == inward
    assert chains["nat", "nova-network-floating-snat"] == ("-s 10.0.0.3/32 -j SNAT --to-source 68.99.26.170",)
    assert forwards_in(chains["nat", "nova-network-PREROUTING"]) == forwards


def test_ipv6_has_rules_only_where_a_network_has_it() -> None:
    assert ipv6_rules([BRIDGE]).chains == {}
    six = dataclasses.replace(BRIDGE, networks=(dataclasses.replace(NETWORK, cidr_v6="fd00::/64"),))
    assert ipv6_rules([six]).chains["filter", "nova-network-INPUT"][-1] == "-i br100 -j DROP"


def test_networks_outside_the_fixed_range_are_named() -> None:
    assert outside_fixed_range(SETTINGS, [BRIDGE]) == []
    elsewhere = dataclasses.replace(BRIDGE, networks=(dataclasses.replace(NETWORK, cidr="192.168.0.0/24"),))
    assert outside_fixed_range(SETTINGS, [BRIDGE, elsewhere]) == ["192.168.0.0/24"]
