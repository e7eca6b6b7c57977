# SPDX-License-Identifier: Apache-2.0
"""Flat networks: a bridge for all projects, without DHCP or with the network host as DHCP server and gateway."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from nova import errors
from nova.domain.network import Network
from nova.network.topology import GuestBridge, ModeSettings


class Flat:
    """``network_manager = nova.network.manager.FlatManager``: addresses are written into guests, nothing is routed."""

    shares_networks = True
    routes = False

    def __init__(self, settings: ModeSettings) -> None:
        self._settings = settings

    def bridges(self, networks: Sequence[Network]) -> list[GuestBridge]:
        """One bridge for all networks that name the same."""
        by_name: dict[str, list[Network]] = {}
        for network in networks:
            name = network.bridge or self._settings.bridge
            if not name:
                raise errors.InvalidConfiguration(
                    f"Network {network.label} names no bridge, and the option flat_network_bridge is not set."
                )
            by_name.setdefault(name, []).append(self._complete(network, bridge=name))
        return [
            GuestBridge(name=name, interface=self._interface_of(members), networks=tuple(members))
            for name, members in by_name.items()
        ]

    def _complete(self, network: Network, *, bridge: str) -> Network:
        return dataclasses.replace(
            network,
            bridge=bridge,
            mtu=network.mtu or self._settings.mtu,
            enable_dhcp=network.enable_dhcp and self.routes,
        )

    def _interface_of(self, networks: Sequence[Network]) -> str:
        """A network may name its bridge as its interface too (``--bridge-interface=br100``): that adds no interface."""
        named = [n.bridge_interface for n in networks if n.bridge_interface and n.bridge_interface != n.bridge]
        return named[0] if named else self._settings.flat_interface


class FlatDhcp(Flat):
    """``network_manager = nova.network.manager.FlatDHCPManager``: the network host is gateway and DHCP server."""

    routes = True
