# SPDX-License-Identifier: Apache-2.0
"""The network host as its guests' gateway: bridges with their addresses, forwarding, the metadata address."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Collection, Sequence

from nova.domain.network import Network
from nova.errors import NovaError
from nova.network.linux.nat import METADATA_ADDRESS
from nova.network.topology import GuestBridge
from nova.system import devices, sysctl
from nova.system.bridge import Bridge, Bridges
from nova.system.commands import CommandRunner
from nova.system.devices import Address
from nova.system.vlan import Vlan
from nova.workflow.background import in_thread

LOG = logging.getLogger(__name__)

_METADATA = f"{METADATA_ADDRESS}/32"


class Gateway:
    """Bridges and addresses of this host."""

    def __init__(self, runner: CommandRunner, bridges: Bridges, *, routes: bool = True, announcements: int = 0) -> None:
        """
        :param routes: whether this host is the gateway of its guests; otherwise it only has the bridges
        :param announcements: how often the neighbours are told when a gateway address comes to this host
        """
        self._routes = routes
        self._runner = runner
        self._bridges = bridges
        self._announcements = announcements

    def prepare(self) -> None:
        """What is needed once, whatever the networks: forwarding, and the address of the metadata service."""
        if not self._routes:
            return
        sysctl.set_all(self._runner, {"net.ipv4.ip_forward": "1"})
        devices.change(self._runner, [f"addr replace {_METADATA} scope link dev lo"])

    def ensure(self, bridge: GuestBridge) -> None:
        """Make one bridge as it is wanted; see :meth:`nova.system.bridge.Bridges.ensure` for what it refuses."""
        addresses = tuple(address for network in bridge.networks if (address := gateway_address(network)))
        wanted = Bridge(
            name=bridge.name,
            interface=bridge.interface,
            vlan=Vlan(tag=bridge.vlan, parent=bridge.interface) if bridge.vlan is not None else None,
            addresses=addresses if self._routes else (),
            mtu=bridge.mtu,
            ipv6=bridge.ipv6,
        )
        if self._bridges.ensure([wanted]) and self._announcements:
            in_thread(lambda: self._announce(wanted))

    def remove(self, bridges: Sequence[GuestBridge]) -> None:
        """Take away what was made, but for bridges that guests still hang on."""
        networks = [network for bridge in bridges for network in bridge.networks]
        gateways = {address.cidr for network in networks if (address := gateway_address(network))}
        self._bridges.remove(gateways | {_METADATA})

    def tidy(self, keep: Collection[str]) -> None:
        """Take away the bridges, and their VLANs, that were made for networks which are not served here any more."""
        self._bridges.remove((), keep=keep)

    def _announce(self, bridge: Bridge) -> None:
        """Takes a second for each announcement, so nobody waits for it."""
        for address in bridge.addresses:
            words = ["arping", "-U", "-c", str(self._announcements), "-I", bridge.name, address.cidr.split("/")[0]]
            try:
                self._runner.run(words, as_root=True, ok_codes=(0, 1))
            except NovaError as error:
                LOG.warning("The neighbours of %s were not told of %s: %s", bridge.name, address.cidr, error)


def gateway_address(network: Network) -> Address | None:
    """The address that this host has in the network: that of the DHCP server, which is the gateway too unless told."""
    address = network.dhcp_server or network.gateway
    if not network.cidr or not address:
        return None
    whole = ipaddress.IPv4Network(network.cidr)
    return Address(cidr=f"{ipaddress.IPv4Address(address)}/{whole.prefixlen}", broadcast=network.broadcast)
