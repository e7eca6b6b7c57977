# SPDX-License-Identifier: Apache-2.0
"""What differs between the kinds of networks (``network_manager``): whose they are, and which bridges they need.

A kind is a class with the methods of :class:`Topology`; ``nova.cmd`` makes the one that the option names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from nova.domain.network import Network


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestBridge:
    """A bridge that guests are plugged into, with the networks that run over it."""

    name: str
    interface: str
    networks: tuple[Network, ...]

    @property
    def ipv6(self) -> bool:
        """Whether any of its networks has IPv6 addresses."""
        return any(network.cidr_v6 for network in self.networks)

    @property
    def mtu(self) -> int | None:
        """The smallest MTU that one of its networks asks for."""
        return min((network.mtu for network in self.networks if network.mtu), default=None)


class Topology(Protocol):
    """One kind of networks."""

    shares_networks: bool
    """Whether a network without a project is everybody's"""

    def bridges(self, networks: Sequence[Network]) -> list[GuestBridge]:
        """The bridges that the host which serves *networks* must have.

        :raises errors.InvalidConfiguration: a network does not say which bridge it uses, and no option does
        """
        ...
