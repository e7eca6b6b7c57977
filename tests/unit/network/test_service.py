# SPDX-License-Identifier: Apache-2.0
"""nova-network with a real database, and a host that only remembers what it was told."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from nova import errors
from nova.context import RequestContext
from nova.db import address_releases, addresses, floating_claims, floating_ips, host_addresses, networks, quotas
from nova.db.engine import Database, DatabaseSettings, Transaction
from nova.db.lease_events import LeaseBook
from nova.db.models import Base
from nova.domain.network import DhcpHost, FloatingIp, Forward, Network, ReleasedAddress, RequestedNetwork
from nova.domain.network_plan import CreateNetwork, plan
from nova.interfaces.network import NetworkService
from nova.network.modes import MODES
from nova.network.service import Service
from nova.network.settings import NatSettings, NetworkSettings
from nova.network.topology import GuestBridge, ModeSettings
from nova.network.wiring import Wiring
from nova.rpc.interface import methods
from nova.system.iptables import Chain, RuleSet
from tests.unit.db.contracts.samples import at_once

CONTEXT = RequestContext(project_id="red", user_id="ann")


class FakeDhcp:
    """Knows its cards, and fails when told to."""

    def __init__(self, bridge: GuestBridge) -> None:
        self.bridge = bridge
        self.cards: dict[str, DhcpHost] = {}
        self.ended: list[str] = []
        self.failure: errors.NovaError | None = None
        self.stopped = False

    def replace(self, hosts: Iterable[DhcpHost]) -> None:
        self.cards = {}
        self.add(hosts)

    def add(self, hosts: Iterable[DhcpHost]) -> None:
        if self.failure:
            raise self.failure
        self.cards |= {host.mac_address: host for host in hosts}

    def remove(self, mac_addresses: Iterable[str]) -> None:
        for mac in mac_addresses:
            self.cards.pop(mac, None)

    def end_leases(self, released: Iterable[ReleasedAddress]) -> None:
        self.ended += [one.address for one in released]

    def tidy(self) -> None: ...

    def stop(self) -> None:
        self.stopped = True


class FakeGateway:
    """Bridges are names; one of them may be impossible."""

    def __init__(self) -> None:
        self.bridges: list[str] = []
        self.impossible = ""

    def prepare(self) -> None: ...

    def ensure(self, bridge: GuestBridge) -> None:
        if bridge.name == self.impossible:
            raise errors.InvalidConfiguration("no such interface")
        self.bridges.append(bridge.name)

    def tidy(self, keep: Collection[str]) -> None:
        self.bridges = [name for name in self.bridges if name in keep]

    def remove(self, bridges: Sequence[GuestBridge]) -> None:
        self.bridges.clear()


class FakeFilter:
    """The rules that hold."""

    wanted = RuleSet()

    def apply(self, wanted: RuleSet) -> bool:
        self.wanted = wanted
        return True

    def look_again(self) -> None: ...

    def in_chain(self, name: str) -> list[str]:
        return self.rules(("nat", f"nova-network-{name}"))

    def rules(self, chain: Chain) -> list[str]:
        return list(self.wanted.chains.get(chain, ()))


class FakePublic:
    """Addresses on a public interface, and the pairs whose connections were ended."""

    def __init__(self) -> None:
        self.addresses: set[str] = set()
        self.ended: list[Forward] = []

    def present(self) -> set[str]:
        return set(self.addresses)

    def carry(self, forwards: Sequence[Forward]) -> None:
        self.addresses |= {one.address for one in forwards}

    def drop(self, addresses: Collection[str], *, forwards: Sequence[Forward] = ()) -> None:
        self.addresses -= set(addresses) - {one.address for one in forwards}

    def end_connections(self, forwards: Sequence[Forward]) -> None:
        self.ended += forwards


class Host:
    """One network host of a cloud."""

    def __init__(
        self, database: Database, name: str, peers: Peers, *, mode: str = "flat_dhcp", **settings: Any
    ) -> None:
        self.dhcp: dict[str, FakeDhcp] = {}
        self.gateway = FakeGateway()
        topology = MODES[mode](ModeSettings(bridge="br100", vlan_interface="eth1"))
        self.filters = (FakeFilter(), FakeFilter())
        nat = NatSettings(fixed_range="10.0.0.0/8", routing_source_ip="192.0.2.1", metadata_host="192.0.2.1")
        self.public = FakePublic()
        wiring = Wiring(
            topology=topology,
            gateway=self.gateway,
            filters=self.filters,
            nat_settings=nat,
            public=self.public,
            dhcp=self._server,
        )
        self.service = Service(
            database=database,
            topology=topology,
            wiring=wiring,
            settings=NetworkSettings(host=name, **settings),
            peers=peers,
        )
        peers.hosts[name] = self.service

    def _server(self, bridge: GuestBridge) -> FakeDhcp:
        self.dhcp[bridge.name] = FakeDhcp(bridge)
        return self.dhcp[bridge.name]

    def allocate(
        self,
        instance: str = "i1",
        *requested: RequestedNetwork,
        name: str = "web",
        on: str = "c1",
        project: str = "red",
    ) -> list[str]:
        context = dataclasses.replace(CONTEXT, project_id=project)
        nics = self.service.allocate(context, instance_uuid=instance, hostname=name, host=on, requested=requested)
        return [nic.addresses[0].address for nic in nics]

    def known(self, bridge: str = "br100") -> dict[str, str]:
        return {host.address: host.hostname for host in self.dhcp[bridge].cards.values()}


class Peers(NetworkService):
    """A client whose messages arrive at once."""

    def __init__(self) -> None:
        self.hosts: dict[str, Service] = {}

    def on(self, host: str) -> NetworkService:  # type: ignore[override]
        return self.hosts[host]  # type: ignore[return-value]


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(DatabaseSettings(url=f"sqlite:///{tmp_path}/nova.sqlite"))
    with database.transaction() as tx:
        Base.metadata.create_all(tx.connection)
    yield database
    database.dispose()


@pytest.fixture
def peers() -> Peers:
    return Peers()


def add_network(db: Database, cidr: str = "10.0.0.0/24", **words: Any) -> Network:
    host = words.pop("host", "")
    wanted = CreateNetwork(**({"label": "net", "cidr": cidr} | words))
    made = dataclasses.replace(plan(wanted, []).networks[0], host=host)
    with db.transaction() as tx:
        return networks.create(tx, [made])[0]


def holder(db: Database, address: str) -> str:
    with db.transaction(write=False) as tx:
        return addresses.get(tx, address).instance_uuid


def test_the_service_has_every_method_of_its_interface() -> None:
    assert set(methods(NetworkService)) <= set(dir(Service))


def test_dhcp_knows_an_address_when_allocate_returns_and_asking_again_gives_the_same(
    db: Database, peers: Peers
) -> None:
    add_network(db)
    host = Host(db, "n1", peers)
    host.service.start()
    assert host.allocate() == ["10.0.0.2"]
    assert host.known() == {"10.0.0.2": "web"}
    assert host.allocate() == ["10.0.0.2"]


def test_allocate_takes_eight_statements(db: Database, peers: Peers) -> None:
    add_network(db)
    host = Host(db, "n1", peers)
    host.service.start()
    host.allocate("i1")
    before = db.statements
    host.allocate("i2")
    assert db.statements - before <= 8


def test_a_server_gets_a_card_in_each_of_its_projects_networks(db: Database, peers: Peers) -> None:
    add_network(db, "10.0.0.0/24")
    add_network(db, "10.1.0.0/24", bridge="br200", project_id="red")
    add_network(db, "10.2.0.0/24", project_id="blue")
    host = Host(db, "n1", peers)
    host.service.start()
    assert host.allocate() == ["10.0.0.2", "10.1.0.2"]
    assert (host.known(), host.known("br200")) == ({"10.0.0.2": "web"}, {"10.1.0.2": "web"})
    assert [card.first for card in host.dhcp["br200"].cards.values()] == [False]


def test_networks_and_addresses_that_are_asked_for_are_given_in_that_order(db: Database, peers: Peers) -> None:
    one, two = add_network(db), add_network(db, "10.1.0.0/24")
    host = Host(db, "n1", peers)
    host.service.start()
    wanted = (RequestedNetwork(network_uuid=two.uuid, fixed_ip="10.1.0.9"), RequestedNetwork(network_uuid=one.uuid))
    assert host.allocate("i1", *wanted) == ["10.1.0.9", "10.0.0.2"]


def test_another_projects_network_and_address_are_refused(db: Database, peers: Peers) -> None:
    theirs, shared = add_network(db, project_id="blue"), add_network(db, "10.1.0.0/24")
    host = Host(db, "n1", peers)
    host.service.start()
    with pytest.raises(errors.NotFound):
        host.allocate("i1", RequestedNetwork(network_uuid=theirs.uuid))
    with pytest.raises(errors.InvalidInput):
        host.allocate("i1", RequestedNetwork(network_uuid=shared.uuid, fixed_ip="10.0.0.9"))
    with db.transaction(write=False) as tx:
        assert addresses.find_all(tx) == []


def test_without_a_network_the_project_is_told_so(db: Database, peers: Peers) -> None:
    host = Host(db, "n1", peers)
    host.service.start()
    with pytest.raises(errors.NoCapacity, match="no network left"):
        host.allocate()


def test_the_quota_of_addresses_holds_and_is_given_back(db: Database, peers: Peers) -> None:
    add_network(db)
    host = Host(db, "n1", peers, quota_defaults={"fixed_ips": 1})
    host.service.start()
    host.allocate("i1")
    with pytest.raises(errors.QuotaExceeded):
        host.allocate("i2")
    assert host.known() == {"10.0.0.2": "web"}


def test_nothing_is_kept_when_dhcp_cannot_be_told(db: Database, peers: Peers) -> None:
    add_network(db)
    host = Host(db, "n1", peers)
    host.service.start()
    host.dhcp["br100"].failure = errors.HypervisorError("dnsmasq does not start")
    with pytest.raises(errors.HypervisorError):
        host.allocate()
    assert holder(db, "10.0.0.2") == ""


def test_a_network_that_nobody_serves_is_taken_by_the_first_who_needs_it(db: Database, peers: Peers) -> None:
    host = Host(db, "n1", peers)
    host.service.start()
    add_network(db)
    assert host.allocate() == ["10.0.0.2"]
    assert host.known() == {"10.0.0.2": "web"}


def test_addresses_on_another_hosts_network_are_told_to_that_host(db: Database, peers: Peers) -> None:
    add_network(db, host="n2")
    here, there = Host(db, "n1", peers), Host(db, "n2", peers)
    here.service.start()
    there.service.start()
    assert here.allocate() == ["10.0.0.2"]
    assert there.known() == {"10.0.0.2": "web"}
    assert here.dhcp == {}
    here.service.release(CONTEXT, instance_uuid="i1")
    assert there.known() == {}
    assert there.dhcp["br100"].ended == ["10.0.0.2"]
    assert holder(db, "10.0.0.2") == ""


def test_release_ends_the_lease_before_the_address_is_free(db: Database, peers: Peers) -> None:
    add_network(db)
    host = Host(db, "n1", peers)
    host.service.start()
    host.allocate()
    (mac,) = host.dhcp["br100"].cards
    LeaseBook(db.settings.url).started(mac_address=mac, address="10.0.0.2")
    host.service.release(CONTEXT, instance_uuid="i1")
    assert (host.known(), host.dhcp["br100"].ended) == ({}, ["10.0.0.2"])
    assert holder(db, "10.0.0.2") == "i1"
    LeaseBook(db.settings.url).ended(mac_address=mac, address="10.0.0.2")
    assert holder(db, "10.0.0.2") == ""
    host.service.release(CONTEXT, instance_uuid="i1")


def test_a_release_that_was_cut_short_is_finished_at_the_next_start(db: Database, peers: Peers) -> None:
    add_network(db)
    host = Host(db, "n1", peers)
    host.service.start()
    host.allocate()
    db.run(lambda tx: address_releases.release(tx, "i1"))
    again = Host(db, "n1", peers)
    again.service.start()
    assert again.dhcp["br100"].ended == ["10.0.0.2"]
    assert holder(db, "10.0.0.2") == ""


def test_a_restart_builds_everything_from_the_database(db: Database, peers: Peers) -> None:
    add_network(db)
    Host(db, "n1", peers).service.start()
    first = Host(db, "n1", peers)
    first.service.start()
    first.allocate()
    again = Host(db, "n1", peers)
    again.service.start()
    assert again.known() == {"10.0.0.2": "web"}
    assert again.gateway.bridges == ["br100"]
    assert again.filters[0].wanted == first.filters[0].wanted


def test_one_network_that_cannot_be_served_does_not_stop_the_others(db: Database, peers: Peers) -> None:
    bad = add_network(db, bridge="br7")
    good = add_network(db, "10.1.0.0/24")
    host = Host(db, "n1", peers)
    host.gateway.impossible = "br7"
    host.service.start()
    assert host.allocate("i1", RequestedNetwork(network_uuid=good.uuid)) == ["10.1.0.2"]
    with pytest.raises(errors.InvalidConfiguration, match="not served now: no such interface"):
        host.allocate("i2", RequestedNetwork(network_uuid=bad.uuid))
    assert holder(db, "10.0.0.2") == ""


def test_a_network_whose_bridge_was_mended_is_served_by_the_next_request(db: Database, peers: Peers) -> None:
    add_network(db, bridge="br7")
    host = Host(db, "n1", peers)
    host.gateway.impossible = "br7"
    host.service.start()
    with pytest.raises(errors.InvalidConfiguration, match="not served now"):
        host.allocate("i1")
    host.gateway.impossible = ""
    assert len(host.allocate("i1")) == 1


def test_a_deleted_networks_server_is_stopped(db: Database, peers: Peers) -> None:
    network = add_network(db)
    host = Host(db, "n1", peers)
    host.service.start()
    with db.transaction() as tx:
        networks.delete_network(tx, network.id)
    host.service.refresh(CONTEXT)
    assert host.dhcp["br100"].stopped
    assert host.filters[0].wanted.chains["filter", "nova-network-FORWARD"] == ()


def floating_to(db: Database, fixed: str, address: str = "198.51.100.7", *, instance: str = "i1") -> FloatingIp:
    """A floating address of the project that leads to a server."""

    def work(tx: Transaction) -> FloatingIp:
        if not floating_ips.known(tx, [address]):
            floating_ips.create(tx, [address], pool="nova", interface="")
            floating_claims.allocate(tx, project_id="red", pool="nova")
        floating = floating_ips.get(tx, address)
        floating_claims.associate(tx, floating, fixed_address=fixed, instance_uuid=instance)
        return floating_ips.get(tx, address)

    return db.run(work)


def test_a_floating_address_is_carried_moved_and_dropped_with_its_connections(db: Database, peers: Peers) -> None:
    add_network(db)
    host = Host(db, "n1", peers)
    host.service.start()
    host.allocate("i1")
    host.allocate("i2")
    floating_to(db, "10.0.0.2")
    host.service.refresh_floating_ips(CONTEXT)
    assert host.public.addresses == {"198.51.100.7"}
    assert "-d 198.51.100.7/32 -j DNAT --to-destination 10.0.0.2" in host.filters[0].in_chain("PREROUTING")
    assert host.filters[0].in_chain("floating-snat") == ["-s 10.0.0.2/32 -j SNAT --to-source 198.51.100.7"]

    now = floating_to(db, "10.0.0.3", instance="i2")
    host.service.refresh_floating_ips(CONTEXT)
    assert [(one.address, one.fixed_address) for one in host.public.ended] == [("198.51.100.7", "10.0.0.2")]
    assert host.public.addresses == {"198.51.100.7"}

    db.run(lambda tx: floating_claims.disassociate(tx, now))
    host.service.refresh_floating_ips(CONTEXT)
    assert (host.public.addresses, host.filters[0].in_chain("floating-snat")) == (set(), [])
    assert [one.fixed_address for one in host.public.ended] == ["10.0.0.2", "10.0.0.3"]


def test_a_restart_keeps_floating_addresses_and_finishes_what_a_kill_left(db: Database, peers: Peers) -> None:
    add_network(db)
    host = Host(db, "n1", peers)
    host.service.start()
    host.allocate("i1")
    host.allocate("i2")
    for address in ("198.51.100.7", "198.51.100.8"):
        floating_to(db, "10.0.0.2", address)
    host.service.refresh_floating_ips(CONTEXT)
    gone = db.run(lambda tx: floating_ips.get(tx, "198.51.100.8"))
    floating_to(db, "10.0.0.3", instance="i2")
    db.run(lambda tx: floating_claims.disassociate(tx, gone))

    again = Host(db, "n1", peers)
    again.public.addresses = set(host.public.addresses) | {"192.0.2.1"}
    again.filters[0].wanted = host.filters[0].wanted
    again.service.start()
    assert again.public.addresses == {"198.51.100.7", "192.0.2.1"}
    assert again.filters[0].in_chain("OUTPUT") == ["-d 198.51.100.7/32 -j DNAT --to-destination 10.0.0.3"]
    ended = {(one.address, one.fixed_address) for one in again.public.ended}
    assert ended == {("198.51.100.7", "10.0.0.2"), ("198.51.100.8", "10.0.0.2")}


def test_a_released_servers_floating_address_is_dropped_on_the_host_that_carried_it(db: Database, peers: Peers) -> None:
    add_network(db, host="n2")
    here, there = Host(db, "n1", peers), Host(db, "n2", peers)
    here.service.start()
    there.service.start()
    here.allocate("i1")
    floating_to(db, "10.0.0.2")
    there.service.refresh_floating_ips(CONTEXT)
    assert there.public.addresses == {"198.51.100.7"}
    here.service.release(CONTEXT, instance_uuid="i1")
    assert (there.public.addresses, here.public.addresses) == (set(), set())


def test_with_auto_assign_each_server_gets_a_floating_address_until_none_is_left(db: Database, peers: Peers) -> None:
    add_network(db)
    db.run(lambda tx: floating_ips.create(tx, ["198.51.100.7"], pool="public", interface=""))
    host = Host(db, "n1", peers, floating_pool="public")
    host.service.start()
    nics = host.service.allocate(CONTEXT, instance_uuid="i1", hostname="web", host="c1", requested=())
    assert nics[0].addresses[0].floating == ("198.51.100.7",)
    assert host.public.addresses == {"198.51.100.7"}
    with pytest.raises(errors.NoCapacity, match="No more floating IPs"):
        host.allocate("i2")
    assert host.known() == {"10.0.0.2": "web"}
    host.service.release(CONTEXT, instance_uuid="i1")
    assert host.public.addresses == set()
    assert host.allocate("i2") == ["10.0.0.3"]


def test_the_public_interfaces_trouble_does_not_keep_networks_from_being_served(db: Database, peers: Peers) -> None:
    add_network(db)
    host = Host(db, "n1", peers)
    host.public.carry = lambda forwards: (_ for _ in ()).throw(errors.HypervisorError("no"))  # type: ignore[method-assign]
    host.service.start()
    assert host.allocate() == ["10.0.0.2"]


def test_a_project_gets_a_vlan_of_its_own_when_its_first_server_comes(db: Database, peers: Peers) -> None:
    for number in range(3):
        add_network(db, f"10.{number}.0.0/24", vlan_start=100 + number)
    host = Host(db, "n1", peers, mode="vlan")
    host.service.start()
    assert host.dhcp == {}
    assert host.allocate("i1") == ["10.0.0.3"]
    assert host.allocate("i2", project="blue") == ["10.1.0.3"]
    assert host.allocate("i3") == ["10.0.0.4"]
    assert set(host.dhcp) == {"br100", "br101"}
    assert (host.dhcp["br101"].bridge.vlan, host.dhcp["br101"].bridge.interface) == (101, "eth1")
    host.allocate("i4", project="green")
    with pytest.raises(errors.NoCapacity, match="no network left"):
        host.allocate("i5", project="black")


def test_a_vlan_that_is_taken_from_its_project_is_taken_down_and_goes_to_another(db: Database, peers: Peers) -> None:
    network = add_network(db, "10.0.0.0/24", vlan_start=100)
    host = Host(db, "n1", peers, mode="vlan")
    host.service.start()
    host.allocate("i1")
    host.service.release(CONTEXT, instance_uuid="i1")
    db.run(lambda tx: networks.associate(tx, network.id, project_id=""))
    host.service.refresh(CONTEXT)
    assert (host.dhcp["br100"].stopped, host.gateway.bridges) == (True, [])
    assert host.allocate("i2", project="blue") == ["10.0.0.4"]
    assert host.gateway.bridges == ["br100"]


def test_a_flat_network_has_addresses_and_a_bridge_and_nothing_else(db: Database, peers: Peers) -> None:
    add_network(db, enable_dhcp=False)
    host = Host(db, "n1", peers, mode="flat")
    host.service.start()
    assert host.allocate() == ["10.0.0.2"]
    assert (host.dhcp, host.gateway.bridges) == ({}, ["br100"])
    assert host.filters[0].wanted == RuleSet()
    host.service.release(CONTEXT, instance_uuid="i1")
    assert holder(db, "10.0.0.2") == ""


def test_with_multi_host_each_host_serves_its_own_servers_under_an_address_of_its_own(
    db: Database, peers: Peers
) -> None:
    network = add_network(db, multi_host=True)
    one, two, three = (Host(db, name, peers) for name in ("c1", "c2", "c3"))
    for host in (one, two, three):
        host.service.start()
    assert three.allocate("i1", on="c1") == ["10.0.0.2"]
    assert three.allocate("i2", on="c2", name="db") == ["10.0.0.4"]
    assert (one.known(), two.known(), three.dhcp) == ({"10.0.0.2": "web"}, {"10.0.0.4": "db"}, {})
    (served,) = two.dhcp["br100"].bridge.networks
    assert (served.dhcp_server, served.gateway) == ("10.0.0.5", "10.0.0.5")
    seen = db.run(lambda tx: addresses.nics_of(tx, ["i2"]))["i2"]
    (nic,) = db.run(lambda tx: host_addresses.seen_by_guests(tx, seen, "c2"))
    assert (nic.dhcp_server, nic.gateway) == ("10.0.0.5", "10.0.0.5")
    floating_to(db, "10.0.0.4", instance="i2")
    one.service.refresh_floating_ips(CONTEXT)
    two.service.refresh_floating_ips(CONTEXT)
    assert (one.public.addresses, two.public.addresses) == (set(), {"198.51.100.7"})

    again = Host(db, "c2", peers)
    again.service.start()
    assert (again.known(), again.dhcp["br100"].bridge.networks[0].dhcp_server) == ({"10.0.0.4": "db"}, "10.0.0.5")
    three.service.release(CONTEXT, instance_uuid="i2")
    assert (one.known(), again.known()) == ({"10.0.0.2": "web"}, {})
    assert again.public.addresses == set()
    with pytest.raises(errors.Conflict):
        db.run(lambda tx: networks.delete_network(tx, network.id))


def test_only_the_network_host_takes_networks_when_one_is_named(db: Database, peers: Peers) -> None:
    add_network(db)
    one, two = Host(db, "n1", peers, network_host="n2"), Host(db, "n2", peers, network_host="n2")
    one.service.start()
    assert one.allocate() == ["10.0.0.2"]
    assert (one.dhcp, two.known()) == ({}, {"10.0.0.2": "web"})


def test_a_network_that_is_moved_is_served_by_its_new_host_and_no_longer_by_the_old_one(
    db: Database, peers: Peers
) -> None:
    network = add_network(db)
    one, two = Host(db, "n1", peers), Host(db, "n2", peers)
    one.service.start()
    one.allocate("i1")
    floating_to(db, "10.0.0.2")
    one.service.refresh_floating_ips(CONTEXT)
    db.run(lambda tx: networks.associate(tx, network.id, host="n2"))
    one.service.refresh(CONTEXT)
    two.service.refresh(CONTEXT)
    assert (one.dhcp["br100"].stopped, one.public.addresses) == (True, set())
    assert (two.known(), two.public.addresses) == ({"10.0.0.2": "web"}, {"198.51.100.7"})
    assert one.allocate("i2") == ["10.0.0.3"]
    assert two.known() == {"10.0.0.2": "web", "10.0.0.3": "web"}


def test_servers_come_and_go_at_once_on_two_daemons_and_every_count_is_exact(db: Database, peers: Peers) -> None:
    add_network(db, "10.0.0.0/25", host="n1")
    hosts = [Host(db, name, peers) for name in ("n1", "n2")]
    for host in hosts:
        host.service.start()
    names = [f"i{number}" for number in range(60)]
    outcomes = at_once([lambda n=n: hosts[len(n) % 2].allocate(n) for n in names])  # type: ignore[misc]
    given = [address for found in outcomes for address in found]
    assert len(set(given)) == len(given) == len(names)
    assert set(hosts[0].known()) == set(given)
    leaving = names[:40]
    at_once([lambda n=n: hosts[len(n) % 2].service.release(CONTEXT, instance_uuid=n) for n in leaving])  # type: ignore[misc]
    with db.transaction(write=False) as tx:
        held = [one for one in addresses.find_all(tx) if one.instance_uuid]
        used = quotas.usages(tx, "red", defaults={"fixed_ips": -1})["fixed_ips"].in_use
    assert {one.instance_uuid for one in held} == set(names[40:])
    assert {one.address for one in held} == set(hosts[0].known())
    assert used == 60
