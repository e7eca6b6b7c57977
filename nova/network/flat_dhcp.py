# SPDX-License-Identifier: Apache-2.0
"""Flat networks with DHCP: one bridge for all projects, its network host being gateway and DHCP server."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence

from nova import errors
from nova.domain.network import Network
from nova.network.topology import GuestBridge

LOG = logging.getLogger(__name__)


class FlatDhcp:
    """``network_manager = nova.network.manager.FlatDHCPManager``."""

    shares_networks = True

    def __init__(self, *, bridge: str, interface: str = "", mtu: int | None = None) -> None:
        """:param bridge: for networks that name none; :param interface: likewise, empty for a bridge inside this host
        :param mtu: for networks that name none; None leaves the kernel's
        """
        self._bridge = bridge
        self._interface = interface
        self._mtu = mtu

    def bridges(self, networks: Sequence[Network]) -> list[GuestBridge]:
        """One bridge for all networks that name the same."""
        by_name: dict[str, list[Network]] = {}
        for network in networks:
            name = network.bridge or self._bridge
            if not name:
                raise errors.InvalidConfiguration(
                    f"Network {network.label} names no bridge, and the option flat_network_bridge is not set."
                )
            complete = dataclasses.replace(network, bridge=name, mtu=network.mtu or self._mtu)
            by_name.setdefault(name, []).append(complete)
        return [
            GuestBridge(name=name, interface=self._interface_of(members), networks=tuple(members))
            for name, members in by_name.items()
        ]

    def _interface_of(self, networks: Sequence[Network]) -> str:
        """A network may name its bridge as its interface too (``--bridge-interface=br100``): that adds no interface."""
        named = [n.bridge_interface for n in networks if n.bridge_interface and n.bridge_interface != n.bridge]
        return named[0] if named else self._interface
