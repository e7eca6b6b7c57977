# SPDX-License-Identifier: Apache-2.0
"""What a guest may send: only under its own MAC and addresses, and nothing that is its network's to say.  No I/O.

Frames are judged by ebtables in the nat table's PREROUTING, before the bridge learns a MAC from them.  What ebtables
cannot see (whom a neighbour advertisement is about, RFC 4861; for whom a DHCP request asks, RFC 2131) is judged by
iptables in the raw table, with u32: offsets count from the IP header.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from nova.domain.network import Nic

_MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}")


def frame_rules(nic: Nic) -> tuple[str, ...]:
    """ebtables rules for the frames that come from a card; RETURN is for good ones."""
    card = f"-i {nic.tap}"
    return tuple(rule.replace("CARD", card, 1) for rule in _frame_rules(nic))


def dhcp_rules(nic: Nic) -> tuple[str, ...]:
    """iptables rules: a DHCP request asks for the card's own MAC (``chaddr``, 28 bytes into the message)."""
    mac = bytes.fromhex(_mac(nic).replace(":", ""))
    high, low = int.from_bytes(mac[:4], "big"), int.from_bytes(mac[4:], "big")
    start = "0x0>>0x16&0x3c@"
    own = f"{start}0x24=0x{high:x}&&{start}0x28>>0x10=0x{low:x}"
    request = f"-p udp -m physdev --physdev-in {nic.tap} -m udp --dport 67"
    return f'{request} -m u32 --u32 "{own}" -j RETURN', f"{request} -j DROP"


def neighbour_rules(nic: Nic) -> tuple[str, ...]:
    """ip6tables rules: a neighbour advertisement is about an own address, and names the own MAC or none."""
    mac = bytes.fromhex(_mac(nic).replace(":", ""))
    option = f"0x40=0x{0x02010000 | int.from_bytes(mac[:2], 'big'):x}&&0x44=0x{int.from_bytes(mac[2:], 'big'):x}"
    advertisement = f"-p ipv6-icmp -m physdev --physdev-in {nic.tap} -m icmp6 --icmpv6-type 136"
    rules = []
    for address in own_v6(nic):
        words = [int.from_bytes(address.packed[at : at + 4], "big") for at in range(0, 16, 4)]
        target = "&&".join(f"0x{0x30 + 4 * number:x}=0x{word:x}" for number, word in enumerate(words))
        plain = "0x4>>0x8&0xff=0x3a"  # ICMPv6 follows the IPv6 header at once
        # The option, or a length that leaves no room for one.
        tests = (f"{plain}&&{target}&&{rest}" for rest in (option, "0x4>>0x10=0x18"))
        rules += [f'{advertisement} -m u32 --u32 "{test}" -j RETURN' for test in tests]
    return (*rules, f"{advertisement} -j DROP")


def own_v6(nic: Nic) -> tuple[ipaddress.IPv6Address, ...]:
    """The card's IPv6 addresses: the one that follows from its MAC (RFC 4291 appendix A), and the given ones."""
    if not nic.cidr_v6:
        return ()
    given = [ipaddress.IPv6Address(fixed.address) for fixed in nic.addresses if fixed.version == 6]
    return (link_local(_mac(nic)), *given)


def link_local(mac: str) -> ipaddress.IPv6Address:
    """``fe80::`` and the modified EUI-64 of a MAC."""
    octets = bytes.fromhex(mac.replace(":", ""))
    identifier = bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" + octets[3:]
    return ipaddress.IPv6Address(b"\xfe\x80" + bytes(6) + identifier)


def _frame_rules(nic: Nic) -> Iterator[str]:
    """The rules with CARD where ebtables-save prints the interface."""
    mac = _mac(nic)
    own_v4 = [ipaddress.IPv4Address(fixed.address) for fixed in nic.addresses if fixed.version == 4]
    yield f"-s ! {mac} CARD -j DROP"
    for source in (*own_v4, "0.0.0.0"):  # 0.0.0.0: asking whether an address is free (RFC 5227)
        yield f"-p ARP CARD --arp-ip-src {source} --arp-mac-src {mac} -j RETURN"
    yield "-p IPv4 CARD --ip-proto udp --ip-sport 67 -j DROP"
    yield "-p IPv4 CARD --ip-src 0.0.0.0 --ip-proto udp --ip-sport 68 --ip-dport 67 -j RETURN"
    for source in own_v4:
        yield f"-p IPv4 CARD --ip-src {source} -j RETURN"
    if nic.cidr_v6:
        yield from _v6_frame_rules(nic)
    yield "CARD -j DROP"


def _v6_frame_rules(nic: Nic) -> Iterator[str]:
    yield "-p IPv6 CARD --ip6-proto ipv6-icmp --ip6-icmp-type router-advertisement -j DROP"
    yield "-p IPv6 CARD --ip6-proto ipv6-icmp --ip6-icmp-type redirect -j DROP"
    yield "-p IPv6 CARD --ip6-proto udp --ip6-sport 547 -j DROP"
    for source in own_v6(nic):
        yield f"-p IPv6 CARD --ip6-src {source} -j RETURN"
    yield "-p IPv6 CARD --ip6-src :: --ip6-proto ipv6-icmp -j RETURN"


def _mac(nic: Nic) -> str:
    mac = nic.mac_address.lower()
    if _MAC.fullmatch(mac) is None:
        raise ValueError(f"{nic.mac_address!r} is no MAC address")
    return mac
