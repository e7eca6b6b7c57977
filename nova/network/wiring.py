# SPDX-License-Identifier: Apache-2.0
"""All that a network host does on itself for its networks: bridges, DHCP servers, packet filter.

Everything is declared anew from the networks each time, and only differences are applied; one network that cannot be
served is reported and does not stop the others.  On failure or a kill the next :meth:`Wiring.apply` repairs.
"""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol, TypeVar

from nova import errors
from nova.domain.network import DhcpHost, Forward, Network, ReleasedAddress
from nova.network.forwarding import Forwarding, PublicWork
from nova.network.linux import nat
from nova.network.linux.no_dhcp import NoDhcp
from nova.network.settings import NatSettings
from nova.network.topology import GuestBridge, Topology
from nova.system.iptables import Chain, RuleSet

LOG = logging.getLogger(__name__)

_FLOATING, _OLD = "floating addresses", "networks of before"
T = TypeVar("T", DhcpHost, ReleasedAddress)


class DhcpServing(Protocol):
    """The DHCP server of one bridge; see :class:`nova.network.linux.dhcp.DhcpServer`."""

    @property
    def bridge(self) -> GuestBridge:
        """What it serves."""
        ...

    def replace(self, hosts: Iterable[DhcpHost]) -> None: ...
    def add(self, hosts: Iterable[DhcpHost]) -> None: ...
    def remove(self, mac_addresses: Collection[str]) -> None: ...
    def end_leases(self, released: Iterable[ReleasedAddress]) -> None: ...
    def tidy(self) -> None: ...
    def stop(self) -> None: ...


class GatewayWork(Protocol):
    """Bridges and addresses; see :class:`nova.network.linux.gateway.Gateway`."""

    def prepare(self) -> None: ...
    def ensure(self, bridge: GuestBridge) -> None: ...
    def tidy(self, keep: Collection[str]) -> None: ...
    def remove(self, bridges: Sequence[GuestBridge]) -> None: ...


class PacketFilter(Protocol):
    """One address family; see :class:`nova.system.iptables.Iptables`."""

    def apply(self, wanted: RuleSet) -> bool: ...
    def look_again(self) -> None: ...
    def rules(self, chain: Chain) -> list[str]: ...


class Wiring:
    """The networks of this host, as they stand in the kernel."""

    def __init__(
        self,
        *,
        topology: Topology,
        gateway: GatewayWork,
        filters: tuple[PacketFilter, PacketFilter],
        nat_settings: NatSettings,
        public: PublicWork,
        dhcp: Callable[[GuestBridge], DhcpServing],
    ) -> None:
        """:param filters: the ones for IPv4 and IPv6; :param dhcp: makes the DHCP server of a bridge"""
        self._topology = topology
        self._gateway = gateway
        self._filters = filters
        self._nat = nat_settings
        self._forwarding = Forwarding(public, in_kernel=lambda: nat.forwards_in(filters[0].rules(nat.INWARD)))
        self._served: Sequence[GuestBridge] = ()
        """The bridges that the packet filter's rules are for"""
        self._make_dhcp = dhcp
        self._servers: dict[str, DhcpServing] = {}
        self._bridge_of: dict[int, str] = {}
        self._meant: dict[int, str] = {}
        """The bridge on which each network should be"""
        self._faults: dict[str, Exception] = {}
        """Why a bridge is not served as it should be"""
        self._lost: list[str] = []
        self._lock = threading.Lock()

    def apply(
        self,
        networks: Sequence[Network],
        hosts: Sequence[DhcpHost],
        forwards: Sequence[Forward] = (),
        known: Collection[str] = (),
    ) -> None:
        """Serve exactly *networks*, whose cards are *hosts*, and *forwards*; for *known* see :meth:`forward`."""
        with self._lock:
            bridges = self._bridges(networks)
            for one in self._filters:
                one.look_again()
            self._forwarding.begin(forwards, known=known)
            self._apply_filters(bridges)
            self._gateway.prepare()
            self._withdraw({bridge.name for bridge in bridges})
            self._meant = {network.id: bridge.name for bridge in bridges for network in bridge.networks}
            for bridge in bridges:
                self._guard(bridge.name, functools.partial(self._serve, bridge, hosts))
            self._guard(_FLOATING, self._forwarding.finish)
            self._guard(_OLD, lambda: self._gateway.tidy({bridge.name for bridge in bridges}))

    def single_addresses(self) -> set[str]:
        """The addresses of this host that may be floating ones."""
        return self._forwarding.present()

    def forward(self, forwards: Sequence[Forward], known: Collection[str]) -> None:
        """Forward exactly these floating addresses; it is done when this returns.

        :param known: those of :meth:`single_addresses` that are floating addresses of this cloud
        """
        with self._lock:
            self._forwarding.begin(forwards, known=known)
            self._apply_filters(self._served)
            self._forwarding.finish()

    def add(self, hosts: Iterable[DhcpHost]) -> None:
        """Let DHCP servers know new cards; they do when this returns.  Unavailable for a network not served here."""
        for server, mine in self._by_server(hosts).items():
            server.add(mine)

    def remove(self, released: Iterable[ReleasedAddress]) -> None:
        """Let DHCP servers forget cards and end their leases."""
        for server, mine in self._by_server(released).items():
            server.remove([one.mac_address for one in mine])
            server.end_leases(mine)

    def serves(self, network_id: int) -> bool:
        """Whether this host serves the network now."""
        return network_id in self._bridge_of

    def tidy(self) -> None:
        """Start the DHCP servers that are gone, and let all forget cards that are gone."""
        for name, server in list(self._servers.items()):
            self._guard(name, server.tidy)

    def remove_all(self) -> None:
        """Take everything away: DHCP servers, rules, addresses, and the bridges that no guest hangs on."""
        with self._lock:
            bridges = [server.bridge for server in self._servers.values()]
            self._withdraw(set())
            self._forwarding.begin((), known=())
            for one in self._filters:
                one.apply(RuleSet())
            self._guard(_FLOATING, self._forwarding.finish)
            self._gateway.remove(bridges)

    def _serve(self, bridge: GuestBridge, hosts: Sequence[DhcpHost]) -> None:
        self._gateway.ensure(bridge)
        ids = {network.id for network in bridge.networks}
        server = self._servers.get(bridge.name)
        if server is None or server.bridge != bridge:
            server = self._make_dhcp(bridge) if bridge.dhcp else NoDhcp(bridge)
        server.replace(host for host in hosts if host.network_id in ids)
        self._servers[bridge.name] = server
        self._bridge_of |= dict.fromkeys(ids, bridge.name)

    def _withdraw(self, wanted: set[str]) -> None:
        for name in self._servers.keys() - wanted:
            self._guard(name, self._servers[name].stop)
            del self._servers[name]
        self._bridge_of = {number: name for number, name in self._bridge_of.items() if name in wanted}

    def _apply_filters(self, bridges: Sequence[GuestBridge]) -> None:
        lost = nat.outside_fixed_range(self._nat, bridges) if self._topology.routes else []
        if lost != self._lost:
            LOG.warning(
                "Not in fixed_range %s, so without a way out: %s", self._nat.fixed_range, ", ".join(lost) or "none"
            )
        self._lost = lost
        ipv4, ipv6 = self._filters
        self._served = bridges
        routes = self._topology.routes
        ipv4.apply(nat.ipv4_rules(self._nat, bridges, self._forwarding.wanted) if routes else RuleSet())
        ipv6.apply(nat.ipv6_rules(bridges) if routes else RuleSet())

    def _bridges(self, networks: Sequence[Network]) -> list[GuestBridge]:
        """The bridges of all networks but those that cannot be served."""
        usable = []
        for network in networks:
            try:
                self._topology.bridges([network])
                usable.append(network)
            except errors.NovaError as exc:
                LOG.error("Network %s is not served: %s", network.label, exc)
        return self._topology.bridges(usable)

    def _by_server(self, items: Iterable[T]) -> dict[DhcpServing, list[T]]:
        found: dict[DhcpServing, list[T]] = {}
        for item in items:
            server = self._servers.get(self._bridge_of.get(item.network_id, ""))
            if server is None:
                raise self._refusal(item.network_id)
            found.setdefault(server, []).append(item)
        return found

    def _refusal(self, network_id: int) -> errors.NovaError:
        """Why nothing can be done in a network; only a mistake in the set-up makes trying again pointless."""
        fault = self._faults.get(self._meant.get(network_id, ""))
        why = fault.message if isinstance(fault, errors.NovaError) else "the network service's log says why."
        kind = errors.InvalidConfiguration if isinstance(fault, errors.InvalidConfiguration) else errors.Unavailable
        return kind(f"The network of this server is not served now: {why}", detail=f"network {network_id}")

    def _guard(self, name: str, work: Callable[[], None]) -> None:
        try:
            work()
        except (errors.NovaError, OSError) as exc:
            LOG.error("The network %s is not served as it should be: %s", name, exc)
            self._faults[name] = exc
        else:
            self._faults.pop(name, None)
