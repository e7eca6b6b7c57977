# SPDX-License-Identifier: Apache-2.0
"""``/etc/network/interfaces`` (interfaces(5)) for guests on networks that write their settings into them."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from nova.domain.network import FixedAddress, Nic

PATH = "/etc/network/interfaces"


def interfaces_file(nics: Sequence[Nic]) -> bytes:
    """The file; empty when none of the networks wants one."""
    cards = [(f"eth{index}", nic) for index, nic in enumerate(nics) if nic.injected]
    if not cards:
        return b""
    stanzas = [["auto lo", "iface lo inet loopback"]]
    stanzas += [[f"auto {name}", *_card(name, nic)] for name, nic in cards]
    return ("\n\n".join("\n".join(lines) for lines in stanzas) + "\n").encode()


def _card(name: str, nic: Nic) -> list[str]:
    lines: list[str] = []
    for fixed in nic.addresses:
        lines += _v4(name, nic, fixed) if fixed.version == 4 else _v6(name, nic, fixed)
    return lines


def _v4(name: str, nic: Nic, fixed: FixedAddress) -> list[str]:
    values = [
        ("address", fixed.address),
        ("netmask", fixed.netmask),
        ("broadcast", nic.broadcast),
        ("gateway", nic.gateway),
        ("dns-nameservers", " ".join(nic.dns)),
    ]
    return [f"iface {name} inet static", *_indented(values)]


def _v6(name: str, nic: Nic, fixed: FixedAddress) -> list[str]:
    prefix = str(ipaddress.ip_network(nic.cidr_v6).prefixlen) if nic.cidr_v6 else "64"
    values = [("address", fixed.address), ("netmask", prefix), ("gateway", nic.gateway_v6)]
    return [f"iface {name} inet6 static", *_indented(values)]


def _indented(values: Sequence[tuple[str, str]]) -> list[str]:
    return [f"    {key} {value}" for key, value in values if value]
