# SPDX-License-Identifier: Apache-2.0
"""nova-network: answers for addresses, and serves on its host the networks that are this host's.

Any number of these daemons may run.  Each takes the networks that nobody serves; a request about a network of another
host is recorded here and passed on to that host's daemon.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Sequence

from nova import errors
from nova.context import RequestContext, admin_context
from nova.db import address_releases, addresses, floating_claims, floating_ips, host_addresses, leases, networks
from nova.db.engine import Database, Transaction
from nova.domain.network import Network, Nic, ReleasedAddress, RequestedNetwork
from nova.interfaces.network import NetworkService
from nova.network.operations.allocate import Allocation, Wanted, allocate
from nova.network.operations.release import release
from nova.network.settings import NetworkSettings
from nova.network.topology import Topology
from nova.network.turns import Turns
from nova.network.wiring import Wiring
from nova.workflow.steps import no_pause

LOG = logging.getLogger(__name__)


class Service:
    """Implements :class:`nova.interfaces.network.NetworkService`."""

    def __init__(
        self,
        *,
        database: Database,
        topology: Topology,
        wiring: Wiring,
        settings: NetworkSettings,
        peers: NetworkService,
        pause_before_step: Callable[[str], None] = no_pause,
    ) -> None:
        """
        :param peers: a client of the same interface, for networks of other hosts
        :param pause_before_step: fault tests stop the daemon here, and kill it
        """
        self._database = database
        self._topology = topology
        self._wiring = wiring
        self._settings = settings
        self._peers = peers
        self._pause_before_step = pause_before_step
        self._turn = threading.Lock()
        """Held from reading what this host has to do until it is done, so that nothing older is ever done later"""
        self._cards = Turns()
        """Of what the DHCP servers know"""

    def start(self) -> None:
        """Build everything that this host has to serve, from the database; finish what a kill left half done."""
        self.look_again()
        host = self._settings.host
        self._end_leases(self._database.run(lambda tx: leases.released(tx, host), write=False))
        self._database.run(lambda tx: leases.forget_released(tx, host))

    def allocate(
        self,
        context: RequestContext,
        *,
        instance_uuid: str,
        hostname: str,
        host: str,
        requested: tuple[RequestedNetwork, ...],
    ) -> list[Nic]:
        """See the interface."""
        wanted = Wanted(
            project_id=context.project_id,
            user_id=context.user_id,
            instance_uuid=instance_uuid,
            hostname=hostname,
            host=host,
            requested=requested,
        )
        self._pause_before_step("record")
        allocation = self._record(wanted)
        self._pause_before_step("tell_dhcp")
        try:
            self._tell_dhcp(allocation, host)
            self._tell_forwarding(context, allocation.forwarding_host)
        except (errors.NovaError, OSError):
            self._database.run(lambda tx: address_releases.release(tx, instance_uuid))
            self._database.run(lambda tx: address_releases.forget(tx, instance_uuid))
            raise
        self._pause_before_step("answer")
        return list(allocation.nics)

    def release(self, context: RequestContext, *, instance_uuid: str) -> None:
        """See the interface."""
        release(self._database, instance_uuid, end_leases=self._end_leases)

    def serve(
        self, context: RequestContext, *, network_ids: tuple[int, ...], released: tuple[ReleasedAddress, ...]
    ) -> None:
        """See the interface."""
        if not all(self._wiring.serves(number) for number in network_ids):
            self.look_again()
        host = self._settings.host
        with self._cards.whole():
            found = self._database.run(lambda tx: addresses.dhcp_hosts(tx, network_ids, host=host), write=False)
            self._wiring.add(found)
        self._end_own_leases(released)

    def cards_changed(
        self, context: RequestContext, *, instance_uuid: str, released: tuple[ReleasedAddress, ...]
    ) -> None:
        """See the interface."""
        self._end_leases(released)
        self._database.run(lambda tx: address_releases.forget(tx, instance_uuid))
        self._serve_places(instance_uuid)

    def move(self, context: RequestContext, *, instance_uuid: str, host: str) -> None:
        """See the interface."""
        self._end_leases(self._database.run(lambda tx: address_releases.move(tx, instance_uuid, host)))
        if host in self._serve_places(instance_uuid):
            self._tell_forwarding(context, host)

    def refresh(self, context: RequestContext) -> None:
        """See the interface."""
        self.look_again()

    def refresh_floating_ips(self, context: RequestContext) -> None:
        """See the interface."""
        self._forward()

    def look_again(self) -> list[Network]:
        """Take the networks that nobody serves, and make this host serve exactly its own; which these are."""
        with self._turn, self._cards.whole():
            return self._look_again()

    def _look_again(self) -> list[Network]:
        host = self._settings.host
        served = self._database.run(self._served)
        single = self._wiring.single_addresses()
        hosts, forwards, known = self._database.run(
            lambda tx: (
                addresses.dhcp_hosts(tx, [network.id for network in served], host=host),
                floating_ips.forwards(tx, host),
                floating_ips.known(tx, single),
            ),
            write=False,
        )
        self._wiring.apply(served, hosts, forwards, known)
        return served

    def _served(self, tx: Transaction) -> list[Network]:
        """The networks of this host, with those that nobody served until now, as it serves them."""
        host = self._settings.host
        takes = self._settings.network_host in ("", host)
        if takes and (taken := networks.take_unserved(tx, host, shared=self._topology.shares_networks)):
            LOG.info("Took %d networks that no host served", taken)
            floating_claims.record_host(tx, host)
        return [host_addresses.local(tx, network, host) for network in networks.served_by(tx, host)]

    def _forward(self) -> None:
        with self._turn:
            single = self._wiring.single_addresses()
            forwards, known = self._database.run(
                lambda tx: (floating_ips.forwards(tx, self._settings.host), floating_ips.known(tx, single)),
                write=False,
            )
            self._wiring.forward(forwards, known)

    def check_dhcp(self) -> None:
        """Every few seconds: start a DHCP server that died."""
        self._wiring.tidy()

    def periodic(self) -> None:
        """Every minute: free what rested long enough, and repair what somebody changed on this host."""
        times = {"timeout_s": self._settings.rest_s, "lease_s": float(self._settings.lease_time_s)}
        freed = self._database.run(lambda tx: leases.expire(tx, **times))
        if freed:
            LOG.info("Freed %d addresses whose servers are gone", freed)
        self.look_again()

    def remove_all(self) -> None:
        """Take everything away that this daemon made on its host."""
        self._wiring.remove_all()

    def _record(self, wanted: Wanted) -> Allocation:
        def work(tx: Transaction) -> Allocation:
            return allocate(
                tx,
                wanted,
                shared=self._topology.shares_networks,
                mac_attempts=self._settings.mac_attempts,
                quota_defaults=self._settings.quota_defaults,
                floating_pool=self._settings.floating_pool,
            )

        try:
            return self._database.run(work)
        except errors.AlreadyExists:
            # The same request came twice at once, and the other one was faster: its cards are the answer.
            return self._database.run(work)

    def _tell_dhcp(self, allocation: Allocation, instance_host: str) -> None:
        """Have the DHCP servers of the networks know the cards, on whichever hosts they are."""
        server_of = {network.id: self._server_of(network, instance_host) for network in allocation.networks}
        cards = allocation.dhcp_hosts()
        here = [card for card in cards if server_of[card.network_id] == self._settings.host]
        if not all(self._wiring.serves(card.network_id) for card in here):
            self.look_again()
        with self._cards.small():
            self._wiring.add(here)
        for host in {server_of[card.network_id] for card in cards} - {self._settings.host}:
            ids = tuple(card.network_id for card in cards if server_of[card.network_id] == host)
            self._peer(host).serve(admin_context("addresses on its networks"), network_ids=ids, released=())

    def _serve_places(self, instance_uuid: str) -> Collection[str]:
        """Have the DHCP servers of an instance's networks know its cards as they are; on which hosts they are."""
        places = self._database.run(lambda tx: addresses.places_of(tx, instance_uuid), write=False)
        for host, ids in places.items():
            context = admin_context("cards on its networks")
            target = host or self._settings.network_host or self._settings.host
            if target == self._settings.host:
                self.serve(context, network_ids=ids, released=())
            else:
                self._peer(target).serve(context, network_ids=ids, released=())
        return places

    def _server_of(self, network: Network, instance_host: str) -> str:
        if network.multi_host:
            return instance_host
        return network.host or self._settings.network_host or self._settings.host

    def _tell_forwarding(self, context: RequestContext, host: str | None) -> None:
        """Have the floating address that was given with the cards forwarded, if there is one."""
        if host in ("", self._settings.host):
            self._forward()
        elif host:
            self._peer(host).refresh_floating_ips(context)

    def _end_leases(self, released: Sequence[ReleasedAddress]) -> None:
        """Have the hosts that serve these addresses forget them; one that cannot be reached finds out by itself."""
        by_host: dict[str, list[ReleasedAddress]] = {}
        for one in released:
            by_host.setdefault(one.host or self._settings.host, []).append(one)
        for host, theirs in by_host.items():
            try:
                if host == self._settings.host:
                    self._end_own_leases(theirs)
                else:
                    ids = tuple(sorted({one.network_id for one in theirs}))
                    context = admin_context("addresses were given back")
                    self._peer(host).serve(context, network_ids=ids, released=tuple(theirs))
            except errors.NovaError as exc:
                LOG.warning("Leases were not ended, so their addresses rest until they are over: %s", exc)

    def _end_own_leases(self, released: Sequence[ReleasedAddress]) -> None:
        with self._cards.small():
            self._wiring.remove([one for one in released if self._wiring.serves(one.network_id)])
        if any(one.moved for one in released):
            self._wiring.tidy()  # the host that it moved to answers it now, and no other may
        if any(one.floating for one in released):
            self._forward()

    def _peer(self, host: str) -> NetworkService:
        return self._peers.on(host)
