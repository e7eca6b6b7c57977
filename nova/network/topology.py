# SPDX-License-Identifier: Apache-2.0
"""What differs between the modes of networks (``network_manager``): whose they are, and what a host does for them.

A mode is a class with the methods of :class:`Topology`; :data:`nova.network.modes.MODES` is the table of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from nova.domain.network import Network


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeSettings:
    """What the options say for networks that do not say it themselves."""

    bridge: str = ""
    """flat_network_bridge"""
    flat_interface: str = ""
    """Empty for a bridge inside this host"""
    vlan_interface: str = ""
    mtu: int | None = None
    """None leaves the kernel's"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestBridge:
    """A bridge that guests are plugged into, with the networks that run over it."""

    name: str
    interface: str
    networks: tuple[Network, ...]
    vlan: int | None = None
    """The tag of the frames on *interface* that belong to it; None for all frames, with the interface in the bridge"""

    @property
    def ipv6(self) -> bool:
        """Whether any of its networks has IPv6 addresses."""
        return any(network.cidr_v6 for network in self.networks)

    @property
    def mtu(self) -> int | None:
        """The smallest MTU that one of its networks asks for."""
        return min((network.mtu for network in self.networks if network.mtu), default=None)

    @property
    def dhcp(self) -> bool:
        """Whether a DHCP server is needed on it."""
        return any(network.enable_dhcp and network.dhcp_server and network.cidr for network in self.networks)


class Topology(Protocol):
    """One mode of networks."""

    shares_networks: bool
    """Whether a network without a project is everybody's; otherwise a project gets a free one when it first needs it"""
    routes: bool
    """Whether the network host is its guests' gateway"""

    def bridges(self, networks: Sequence[Network]) -> list[GuestBridge]:
        """The bridges that the host which serves *networks* must have.

        :raises errors.InvalidConfiguration: a network names no bridge or interface, and no option does
        """
        ...
