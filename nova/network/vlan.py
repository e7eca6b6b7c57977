# SPDX-License-Identifier: Apache-2.0
"""VLAN networks: each project has its own VLAN, bridge and subnet, with the network host as DHCP server and gateway."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from nova import errors
from nova.domain.network import Network
from nova.network.topology import GuestBridge, ModeSettings


class Vlan:
    """``network_manager = nova.network.manager.VlanManager``."""

    shares_networks = False
    routes = True

    def __init__(self, settings: ModeSettings) -> None:
        self._settings = settings

    def bridges(self, networks: Sequence[Network]) -> list[GuestBridge]:
        """One bridge for each network that a project has; those that wait for one need nothing yet."""
        return [self._bridge(network) for network in networks if network.project_id]

    def _bridge(self, network: Network) -> GuestBridge:
        if network.vlan is None:
            raise errors.InvalidConfiguration(f"Network {network.label} has no VLAN tag.")
        interface = network.bridge_interface or self._settings.vlan_interface
        if not interface:
            raise errors.InvalidConfiguration(
                f"Network {network.label} names no interface below its VLAN, and the option vlan_interface is not set."
            )
        name = network.bridge or f"br{network.vlan}"
        complete = dataclasses.replace(network, bridge=name, mtu=network.mtu or self._settings.mtu)
        return GuestBridge(name=name, interface=interface, networks=(complete,), vlan=network.vlan)
