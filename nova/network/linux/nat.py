# SPDX-License-Identifier: Apache-2.0
"""The packet filter and NAT rules of a network host, as one wanted state made from its bridges.  Pure.

Guests leave under the host's address, reach the metadata service under 169.254.169.254, and of the host itself only
DHCP, DNS and metadata.  Rules are spelled the way ``iptables-save`` prints them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence

from nova.domain.network import Forward
from nova.network.settings import NatSettings
from nova.network.topology import GuestBridge
from nova.system.iptables import Chain, RuleSet, standard_jumps

OWNER = "nova-network"
METADATA_ADDRESS = "169.254.169.254"
_INWARD = re.compile(r"-d ([0-9.]+)/32 -j DNAT --to-destination ([0-9.]+)")
_DNS = ("-p udp -m udp --dport 53", "-p tcp -m tcp --dport 53")
INWARD: Chain = ("nat", f"{OWNER}-PREROUTING")
"""Where packets from outside are led on to servers"""
_CHAINS: tuple[Chain, ...] = (
    *(("filter", f"{OWNER}-{name}") for name in ("INPUT", "OUTPUT", "FORWARD", "between", "local")),
    *(("nat", f"{OWNER}-{name}") for name in ("PREROUTING", "OUTPUT", "POSTROUTING", "floating-snat", "snat")),
)


def ipv4_rules(settings: NatSettings, bridges: Sequence[GuestBridge], forwards: Sequence[Forward] = ()) -> RuleSet:
    """All rules for IPv4.

    :param forwards: the floating addresses of this host; the first of several that lead to the same fixed address is
        the one that its guest is seen under
    """
    rules = {chain: tuple[str, ...]() for chain in _CHAINS}
    rules["filter", f"{OWNER}-INPUT"] = ("-i lo -j RETURN", *_input(settings, bridges))
    rules["filter", f"{OWNER}-FORWARD"] = (*_to_others(bridges), *_forward(settings, bridges))
    rules["filter", f"{OWNER}-between"] = tuple(_between(bridges))
    inward = tuple(f"-d {one.address}/32 -j DNAT --to-destination {one.fixed_address}" for one in forwards)
    rules[INWARD] = (_metadata(settings), *inward)
    rules["nat", f"{OWNER}-OUTPUT"] = inward
    outward = {one.fixed_address: one.address for one in reversed(forwards)}
    rules["nat", f"{OWNER}-floating-snat"] = tuple(
        f"-s {fixed}/32 -j SNAT --to-source {floating}" for fixed, floating in reversed(outward.items())
    )
    rules["nat", f"{OWNER}-POSTROUTING"] = tuple(_own_addresses(settings))
    fixed, source = _net(settings.fixed_range), settings.routing_source_ip
    rules["nat", f"{OWNER}-snat"] = (f"-j {OWNER}-floating-snat", f"-s {fixed} -j SNAT --to-source {source}")
    return RuleSet(chains=rules, jumps=standard_jumps(OWNER, nat=True))


def forwards_in(rules: Sequence[str]) -> list[Forward]:
    """The floating addresses that the rules of our chain PREROUTING lead on: what an earlier daemon left."""
    found = map(_INWARD.fullmatch, rules)
    return [Forward(address=one[1], fixed_address=one[2]) for one in found if one]


def ipv6_rules(bridges: Sequence[GuestBridge]) -> RuleSet:
    """All rules for IPv6: none where no network has it, for the host is off IPv6 on such bridges."""
    speaking = [bridge for bridge in bridges if bridge.ipv6]
    if not speaking:
        return RuleSet()
    chains = {chain: tuple[str, ...]() for chain in _CHAINS if chain[0] == "filter"}
    chains["filter", f"{OWNER}-INPUT"] = tuple(
        f"-i {bridge.name} {rest}"
        for bridge in speaking
        for rest in ("-p ipv6-icmp -j ACCEPT", "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "-j DROP")
    )
    chains["filter", f"{OWNER}-FORWARD"] = tuple(
        f"{way} {bridge.name} -j ACCEPT" for bridge in speaking for way in ("-i", "-o")
    )
    return RuleSet(chains=chains, jumps=standard_jumps(OWNER, nat=False))


def outside_fixed_range(settings: NatSettings, bridges: Sequence[GuestBridge]) -> list[str]:
    """The networks whose guests do not get out, because ``fixed_range`` does not hold them."""
    fixed = ipaddress.ip_network(settings.fixed_range, strict=False)
    ranges = [ipaddress.ip_network(network.cidr) for bridge in bridges for network in bridge.networks if network.cidr]
    return [str(one) for one in ranges if one.version != fixed.version or not one.subnet_of(fixed)]  # type: ignore[arg-type]


def _input(settings: NatSettings, bridges: Sequence[GuestBridge]) -> Iterator[str]:
    metadata = f"-p tcp -m tcp --dport {settings.metadata_port} -m conntrack --ctorigdst {METADATA_ADDRESS}"
    for bridge in bridges:
        yield f"-i {bridge.name} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
        yield from (f"-i {bridge.name} -p {p} -m {p} --dport 67 -j ACCEPT" for p in ("udp", "tcp"))
        yield from (f"-d {server}/32 -i {bridge.name} {dns} -j ACCEPT" for server in _servers(bridge) for dns in _DNS)
        yield f"-i {bridge.name} {metadata} -j ACCEPT"
        yield f"-i {bridge.name} -p icmp -j ACCEPT"
        yield f"-i {bridge.name} -j {'ACCEPT' if settings.guests_may_reach_host else 'DROP'}"
    for bridge in bridges:
        # Nobody outside the bridge may use its name server.
        yield from (f"-d {server}/32 {dns} -j DROP" for server in _servers(bridge) for dns in _DNS)


def _servers(bridge: GuestBridge) -> list[str]:
    return sorted({network.dhcp_server for network in bridge.networks if network.dhcp_server})


def _forward(settings: NatSettings, bridges: Sequence[GuestBridge]) -> Iterator[str]:
    for bridge in bridges:
        name = bridge.name
        if "all" in settings.forward_interfaces:
            yield from (f"-i {name} -j ACCEPT", f"-o {name} -j ACCEPT")
            continue
        yield f"-i {name} -o {name} -j ACCEPT"
        for interface in settings.forward_interfaces:
            if interface != "none":
                yield from (f"-i {name} -o {interface} -j ACCEPT", f"-i {interface} -o {name} -j ACCEPT")
        yield from (f"-i {name} -j DROP", f"-o {name} -j DROP")


def _to_others(bridges: Sequence[GuestBridge]) -> Iterator[str]:
    """Where projects have networks of their own, what goes from one bridge to elsewhere is looked at once more."""
    yield from (f"-i {bridge.name} ! -o {bridge.name} -j {OWNER}-between" for bridge in bridges if _owner(bridge))


def _between(bridges: Sequence[GuestBridge]) -> Iterator[str]:
    """From the networks of one project nothing goes to those of another, but through a floating address."""
    owned = [bridge for bridge in bridges if _owner(bridge)]
    for bridge in owned:
        brothers = (other for other in owned if other is not bridge and _owner(other) == _owner(bridge))
        yield from (f"-i {other.name} -o {bridge.name} -j RETURN" for other in brothers)
    yield from (f"-o {bridge.name} -m conntrack ! --ctstate DNAT -j DROP" for bridge in owned)


def _owner(bridge: GuestBridge) -> str:
    """The project that has a bridge to itself; empty for one that several share."""
    owners = {network.project_id for network in bridge.networks}
    return owners.pop() if len(owners) == 1 else ""


def _metadata(settings: NatSettings) -> str:
    match = f"-d {METADATA_ADDRESS}/32 -p tcp -m tcp --dport 80"
    if ipaddress.ip_address(settings.metadata_host).is_loopback:
        return f"{match} -j REDIRECT --to-ports {settings.metadata_port}"
    return f"{match} -j DNAT --to-destination {settings.metadata_host}:{settings.metadata_port}"


def _own_addresses(settings: NatSettings) -> Iterator[str]:
    """Where guests are seen under their own addresses, and where they are not even so."""
    fixed = _net(settings.fixed_range)
    for target in settings.force_snat_range:
        yield f"-s {fixed} -d {_net(target)} -j SNAT --to-source {settings.routing_source_ip}"
    for target in (settings.metadata_host, *settings.dmz_cidr):
        yield f"-s {fixed} -d {_net(target)} -j ACCEPT"
    yield f"-s {fixed} -d {fixed} -m conntrack ! --ctstate DNAT -j ACCEPT"


def _net(text: str) -> str:
    return str(ipaddress.ip_network(text, strict=False))
