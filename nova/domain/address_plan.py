# SPDX-License-Identifier: Apache-2.0
"""Which addresses of a network may be handed out, counted from its first address."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from nova import errors
from nova.domain.network import Network


@dataclass(frozen=True, slots=True)
class UsableRange:
    """The host numbers from ``first`` to ``last`` (both count), without those in ``never``."""

    network: ipaddress.IPv4Network
    first: int
    last: int
    never: frozenset[int]

    def address(self, number: int) -> str:
        """The address with this host number."""
        return str(self.network[number])

    def allows(self, number: int) -> bool:
        """Whether an address may go to a server."""
        return self.first <= number <= self.last and number not in self.never


def usable_range(network: Network) -> UsableRange:
    """What of *network* servers get: ``dhcp_start`` and up, within ``fixed_cidr``, not what the network uses itself.

    :raises errors.InvalidConfiguration: the network's row holds no such range
    """
    try:
        whole = ipaddress.IPv4Network(network.cidr)
        part = ipaddress.IPv4Network(network.fixed_cidr) if network.fixed_cidr else whole
        own = (network.gateway, network.dhcp_server, network.vpn_private_address, network.broadcast)
        never = frozenset(number_of(whole, address) for address in own if address)
        start = number_of(whole, network.dhcp_start) if network.dhcp_start else 2
    except ValueError as exc:
        raise errors.InvalidConfiguration(
            f"Network {network.label} has an address plan that cannot be used: {exc}", network=network.uuid
        ) from exc
    edge = 0 if whole.prefixlen >= 31 else 1
    first = max(start, edge, number_of(whole, str(part[0])))
    last = min(whole.num_addresses - 1 - edge, number_of(whole, str(part[-1])))
    return UsableRange(whole, first, last, never)


def number_of(network: ipaddress.IPv4Network, address: str) -> int:
    """How far *address* is from the network's first; negative or too large when it lies outside."""
    return int(ipaddress.IPv4Address(address)) - int(network.network_address)
