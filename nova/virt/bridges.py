# SPDX-License-Identifier: Apache-2.0
"""The bridges that guests of this host are plugged into, where a network host elsewhere serves their networks.

On a host that serves a network itself, nova-network has made the bridge before a guest comes.  What is there stays as
it is, and needs no command.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from nova.domain.network import Nic
from nova.system.bridge import Bridge, Bridges
from nova.system.vlan import Vlan

ALIAS = "nova-compute"
"""Marks what is made here, so that nova-network on the same host leaves it alone"""


class GuestBridges:
    """The bridges of this host, as far as guests need them."""

    def __init__(
        self, bridges: Bridges, *, flat_interface: str = "", vlan_interface: str = "", devices: str = "/sys/class/net"
    ) -> None:
        """The interfaces lead out of bridges whose networks name none."""
        self._bridges = bridges
        self._flat_interface = flat_interface
        self._vlan_interface = vlan_interface
        self._devices = Path(devices)

    def ensure(self, nics: Iterable[Nic]) -> None:
        """Make the bridges of these cards that are missing.

        :raises errors.InvalidConfiguration: an interface is missing or cannot be used; nothing is changed then
        """
        missing = [bridge for bridge in self._wanted(nics) if not self._is_there(bridge)]
        if missing:
            self._bridges.ensure(missing)

    def _wanted(self, nics: Iterable[Nic]) -> Iterator[Bridge]:
        """A bridge without a way out of this host would only hide that something is not set up."""
        for nic in {nic.bridge: nic for nic in nics if nic.bridge}.values():
            own = nic.bridge_interface if nic.bridge_interface != nic.bridge else ""
            if nic.vlan is not None and (parent := own or self._vlan_interface):
                yield Bridge(name=nic.bridge, vlan=Vlan(tag=nic.vlan, parent=parent), mtu=nic.mtu)
            elif nic.vlan is None and (interface := own or self._flat_interface):
                yield Bridge(name=nic.bridge, interface=interface, mtu=nic.mtu)

    def _is_there(self, bridge: Bridge) -> bool:
        return (self._devices / bridge.name / "brif" / bridge.port).exists()
