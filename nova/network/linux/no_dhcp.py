# SPDX-License-Identifier: Apache-2.0
"""In place of a DHCP server, for a bridge whose guests are told their addresses otherwise."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from nova.domain.network import DhcpHost, ReleasedAddress
from nova.network.topology import GuestBridge


class NoDhcp:
    """Knows nobody, and has nothing to do."""

    def __init__(self, bridge: GuestBridge) -> None:
        self.bridge = bridge

    def replace(self, hosts: Iterable[DhcpHost]) -> None:
        """Nobody asks."""

    def add(self, hosts: Iterable[DhcpHost]) -> None:
        """Nobody asks."""

    def remove(self, mac_addresses: Collection[str]) -> None:
        """Nobody was known."""

    def end_leases(self, released: Iterable[ReleasedAddress]) -> None:
        """There are none."""

    def tidy(self) -> None:
        """There is nothing that could die."""

    def stop(self) -> None:
        """There is nothing to end."""
