# SPDX-License-Identifier: Apache-2.0
"""``network_data.json``: cards, networks and name servers, as cloud-init and its like read them."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

from nova.domain.network import FixedAddress, Nic


def network_data(nics: Sequence[Nic]) -> dict[str, Any]:
    """The document for a server with these cards."""
    servers = dict.fromkeys(server for nic in nics for server in nic.dns)
    pairs = [(nic, fixed) for nic in nics for fixed in nic.addresses]
    return {
        "links": [_link(nic) for nic in nics],
        "networks": [_network(index, nic, fixed, first=nic is nics[0]) for index, (nic, fixed) in enumerate(pairs)],
        "services": [{"type": "dns", "address": server} for server in servers],
    }


def _link(nic: Nic) -> dict[str, Any]:
    return {
        "id": nic.tap,
        "vif_id": nic.vif_uuid,
        "type": "bridge",
        "mtu": nic.mtu,
        "ethernet_mac_address": nic.mac_address,
    }


def _network(index: int, nic: Nic, fixed: FixedAddress, *, first: bool) -> dict[str, Any]:
    base: dict[str, Any] = {"id": f"network{index}", "link": nic.tap, "network_id": nic.network_uuid}
    if fixed.version == 4 and nic.dhcp_server:
        return {**base, "type": "ipv4_dhcp"}
    whole = ipaddress.ip_network("::/0" if fixed.version == 6 else "0.0.0.0/0")
    gateway = nic.gateway_v6 if fixed.version == 6 else nic.gateway
    route = {"network": str(whole.network_address), "netmask": str(whole.netmask), "gateway": gateway}
    return {
        **base,
        "type": f"ipv{fixed.version}",
        "ip_address": fixed.address,
        "netmask": fixed.netmask,
        "routes": [route] if gateway and first else [],
        "services": [{"type": "dns", "address": server} for server in nic.dns],
    }
