# SPDX-License-Identifier: Apache-2.0
"""What may reach a guest: rules of its security groups as iptables writes them.  No I/O.

Only valid rules come out of here: a row that cannot be expressed is skipped and logged, the rest holds.  Texts are in
the form that ``iptables-save`` prints, so that rules already in the kernel are recognised.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterator

from nova.domain.network import Nic
from nova.domain.security_group import InstanceFilter, SecurityGroupRule
from nova.virt.filters.names import FALLBACK, PROVIDER, group_chain

LOG = logging.getLogger(__name__)

ANY = frozenset({"", "all", "any", "-1"})
PORTS = range(65536)
NEIGHBOURS = (130, 131, 132, 134, 135, 136)
"""ICMPv6 types without which IPv6 does not work (RFC 4890 4.4.1): listeners, router and neighbour discovery"""


class BadRule(ValueError):
    """A row that no valid rule can be made of, with the reason."""


def instance_rules(wanted: InstanceFilter, nics: tuple[Nic, ...], *, version: int, same_net: bool) -> tuple[str, ...]:
    """The chain of one instance: established traffic, its network's own services, its rules, and nothing else.

    :param same_net: accept all from the guest's own network
    """
    rules = ["-m conntrack --ctstate INVALID -j DROP", "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"]
    rules.append(f"-j {PROVIDER}")
    rules += _network_rules(nics, version, same_net)
    rules += _group_rules(wanted, version)
    rules.append(f"-j {FALLBACK}")
    return tuple(dict.fromkeys(rules))


def member_rules(addresses: tuple[str, ...], *, version: int) -> tuple[str, ...]:
    """The chain of a group that is named as a source: its members' addresses, sorted, so order is no difference."""
    found = {address for text in addresses if (address := _address(text)) is not None and address.version == version}
    return tuple(f"-s {address}/{address.max_prefixlen} -j ACCEPT" for address in sorted(found, key=int))


def entry_rules(chain: str, nics: tuple[Nic, ...], *, version: int) -> tuple[str, ...]:
    """The ways into the instance's chain: frames from the bridge to its taps, packets routed to its addresses."""
    bridged = [f"-m physdev --physdev-out {nic.tap} --physdev-is-bridged -j {chain}" for nic in nics]
    texts = [fixed.address for nic in nics for fixed in nic.addresses]
    found = [address for text in texts if (address := _address(text)) is not None and address.version == version]
    return (*bridged, *(f"-d {address}/{address.max_prefixlen} -j {chain}" for address in found))


def _network_rules(nics: tuple[Nic, ...], version: int, same_net: bool) -> Iterator[str]:
    for nic in nics:
        server = _address(nic.dhcp_server)
        if version == 4 and server is not None:
            yield f"-s {server}/32 -p udp -m udp --sport 67 --dport 68 -j ACCEPT"
        source = _network(nic.cidr if version == 4 else nic.cidr_v6)
        if same_net and source is not None:
            yield f"-s {source} -j ACCEPT"
    if version == 6:
        for kind in NEIGHBOURS:
            yield f"-p ipv6-icmp -m icmp6 --icmpv6-type {kind} -j ACCEPT"


def _group_rules(wanted: InstanceFilter, version: int) -> Iterator[str]:
    for rule in wanted.rules:
        try:
            text = rule_text(rule, version=version)
        except BadRule as exc:
            LOG.warning("Rule %s of instance %s is skipped: %s", rule.id, wanted.instance_uuid, exc)
            continue
        if text is not None:
            yield text


def rule_text(rule: SecurityGroupRule, *, version: int) -> str | None:
    """One rule for one address family; None where it says nothing about that family.

    :raises BadRule: it is not valid for any
    """
    words = []
    if rule.group_id is None:
        source = _network(rule.cidr)
        if source is None:
            raise BadRule(f"{rule.cidr!r} is no network")
        if source.version != version:
            return None
        if source.prefixlen:
            words.append(f"-s {source}")
    match = _protocol_match(rule, version, by_group=rule.group_id is not None)
    if match is None:
        return None
    target = "ACCEPT" if rule.group_id is None else group_chain(rule.group_id)
    return " ".join([*words, *match, f"-j {target}"])


def _protocol_match(rule: SecurityGroupRule, version: int, *, by_group: bool) -> list[str] | None:
    protocol = rule.protocol.strip().lower()
    ports = (_number(rule.from_port), _number(rule.to_port))
    if protocol in ANY:
        if ports != (None, None):
            raise BadRule("ports without a protocol")
        return []
    if protocol in ("tcp", "udp"):
        return [f"-p {protocol}", *_port_match(protocol, ports)]
    if protocol in ("icmp", "icmpv6", "ipv6-icmp"):
        fits = version == (4 if protocol == "icmp" else 6) or (protocol == "icmp" and not by_group)
        return _icmp_match(version, ports) if fits else None
    raise BadRule(f"unknown protocol {rule.protocol[:20]!r}")


def _port_match(protocol: str, ports: tuple[int | None, int | None]) -> list[str]:
    first, last = ports
    if first is None and last is None:
        return []
    first = last if first is None else first
    last = first if last is None else last
    if first is None or last is None or first not in PORTS or last not in PORTS or first > last:
        raise BadRule(f"ports {first} to {last}")
    if (first, last) == (0, 65535):
        return []
    return [f"-m {protocol} --dport {first}" if first == last else f"-m {protocol} --dport {first}:{last}"]


def _icmp_match(version: int, ports: tuple[int | None, int | None]) -> list[str]:
    kind, code = ports
    protocol, module, option = (
        ("icmp", "icmp", "--icmp-type") if version == 4 else ("ipv6-icmp", "icmp6", "--icmpv6-type")
    )
    if kind is None:
        if code is not None:
            raise BadRule(f"ICMP code {code} without a type")
        return [f"-p {protocol}"]
    if kind not in range(256) or (code is not None and code not in range(256)):
        raise BadRule(f"ICMP type {kind} code {code}")
    if kind == 255:
        raise BadRule("ICMP type 255 means any to iptables")
    return [f"-p {protocol}", f"-m {module} {option} {kind}" + ("" if code is None else f"/{code}")]


def _number(port: int | None) -> int | None:
    return None if port == -1 else port


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text) if text else None
    except ValueError:
        LOG.warning("%r is no address; no rule is made of it", text[:60])
        return None


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False) if text else None
    except ValueError:
        return None
