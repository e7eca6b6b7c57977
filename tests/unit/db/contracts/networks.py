# SPDX-License-Identifier: Apache-2.0
"""Networks, addresses and leases: right with any number of network daemons, and no row for an unused address."""

from __future__ import annotations

import collections
import dataclasses
import ipaddress
import time
import uuid
from collections.abc import Collection
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from nova import errors
from nova.db import address_claims, address_releases, addresses, floating_claims, floating_ips, leases, networks
from nova.db.addresses import FLOATING_IPS
from nova.db.engine import Database, Transaction
from nova.db.lease_events import LeaseBook
from nova.db.networks import CARDS, FIXED_IPS, NETWORKS
from nova.domain.network import FloatingIp, Forward, Network, Nic
from nova.domain.network_plan import CreateNetwork, plan
from tests.unit.db.contracts.samples import at_once


def network_of(db: Database, cidr: str = "10.0.0.0/24", **words: object) -> Network:
    """A network of exactly this range."""
    size = ipaddress.ip_network(cidr).num_addresses
    made = plan(CreateNetwork(label="net", cidr=cidr, network_size=size, bridge="br100", **words), [])  # type: ignore[arg-type]

    def work(tx: Transaction) -> Network:
        network = networks.create(tx, made.networks)[0]
        addresses.reserve_plan(tx, network, made.reserved[0])
        return network

    return db.run(work)


def claim(db: Database, network: Network, *, instance: str = "", address: str = "", position: int = 0) -> Nic:
    """A card for an instance."""
    return db.run(
        lambda tx: address_claims.add_card(
            tx,
            network,
            instance_uuid=instance or str(uuid.uuid4()),
            hostname="web",
            host="c1",
            position=position,
            address=address,
        )
    )


def give_back(db: Database, instance: str) -> None:
    """All of release but the DHCP server."""
    db.run(lambda tx: address_releases.release(tx, instance))
    db.run(lambda tx: address_releases.forget(tx, instance))


def only(nic: Nic) -> str:
    """The card's address."""
    return nic.addresses[0].address


def count(db: Database, table: object) -> int:
    with db.transaction(write=False) as tx:
        return int(tx.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[call-overload]


def book(db: Database) -> LeaseBook:
    """The lease program's own connection."""
    return LeaseBook(db.settings.url)


class Addresses:
    """Claims and releases."""

    def test_a_network_of_a_million_addresses_has_a_handful_of_rows(self, db: Database) -> None:
        network = network_of(db, "10.0.0.0/12")
        assert count(db, FIXED_IPS) == 3
        assert only(claim(db, network)) == "10.0.0.2"
        assert count(db, FIXED_IPS) == 4

    def test_addresses_are_given_in_order_and_never_those_of_the_network_itself(self, db: Database) -> None:
        network = network_of(db, "10.0.0.0/29")
        assert [only(claim(db, network)) for _ in range(5)] == [f"10.0.0.{n}" for n in range(2, 7)]
        with pytest.raises(errors.NoCapacity, match="No more fixed addresses"):
            claim(db, network)

    def test_of_many_claims_at_once_each_gets_its_own_and_none_is_left_over(self, db: Database) -> None:
        network = network_of(db, "10.0.0.0/27")
        outcomes = at_once([lambda: claim(db, network)] * 40)
        got = [only(nic) for nic in outcomes if isinstance(nic, Nic)]
        assert len(got) == len(set(got)) == 29
        assert all(isinstance(outcome, Nic | errors.NoCapacity) for outcome in outcomes)

    def test_of_many_claims_at_once_on_used_addresses_each_gets_its_own(self, db: Database) -> None:
        network = network_of(db, "10.0.0.0/28")
        used = [str(uuid.uuid4()) for _ in range(13)]
        for instance in used:
            claim(db, network, instance=instance)
        for instance in used[:8]:
            give_back(db, instance)
        outcomes = at_once([lambda: claim(db, network)] * 12)
        got = [only(nic) for nic in outcomes if isinstance(nic, Nic)]
        assert sorted(got, key=ipaddress.ip_address) == [f"10.0.0.{n}" for n in range(2, 10)]

    def test_the_same_card_asked_for_twice_at_once_is_made_once(self, db: Database) -> None:
        network = network_of(db)
        instance = str(uuid.uuid4())
        outcomes = at_once([lambda: claim(db, network, instance=instance)] * 6)
        kinds = collections.Counter(type(outcome) for outcome in outcomes)
        assert kinds == {Nic: 1, errors.AlreadyExists: 5}
        assert count(db, CARDS) == 1

    def test_the_cost_of_a_claim_does_not_grow_as_the_network_fills(self, db: Database) -> None:
        network = network_of(db, "10.0.0.0/25")
        costs = []
        instances = [str(uuid.uuid4()) for _ in range(125)]
        for instance in instances:
            before = db.statements
            claim(db, network, instance=instance)
            costs.append(db.statements - before)
        give_back(db, instances[60])
        before = db.statements
        assert only(claim(db, network)) == "10.0.0.62"
        assert max(costs) <= 5
        assert db.statements - before <= 7

    def test_a_claim_in_a_full_large_network_reads_the_free_rows_and_not_the_used_ones(self, db: Database) -> None:
        network = network_of(db, "10.0.0.0/16")
        used = {"network_id": network.id, "allocated": True, "leased": False, "reserved": False, "instance_uuid": "z"}
        rows = [used | {"address": f"10.0.{n >> 8}.{n & 255}", "host_number": n} for n in range(2, 40000)]
        with db.transaction() as tx:
            for start in range(0, len(rows), 2000):
                tx.execute(FIXED_IPS.insert(), rows[start : start + 2000])
            tx.execute(NETWORKS.update().values(next_fixed=1 << 16))
            last = FIXED_IPS.c.host_number.between(39000, 39100)
            tx.execute(FIXED_IPS.update().where(last).values(instance_uuid=None, allocated=False))
        started = time.monotonic()
        for _ in range(50):
            claim(db, network)
        assert (time.monotonic() - started) / 50 < 0.02

    def test_reserved_blocks_are_passed_over_in_one_step(self, db: Database) -> None:
        network = network_of(db, "10.0.0.0/22")
        for number in range(2, 300):
            db.run(
                lambda tx, n=number: addresses.set_reserved(
                    tx, str(ipaddress.ip_address("10.0.0.0") + n), reserved=True
                )
            )
        before = db.statements
        assert only(claim(db, network)) == "10.0.1.44"
        assert db.statements - before <= 9

    def test_an_address_that_is_asked_for_is_given_or_refused_with_the_reason(self, db: Database) -> None:
        network = network_of(db)
        assert only(claim(db, network, address="10.0.0.77")) == "10.0.0.77"
        with pytest.raises(errors.Conflict, match="in use"):
            claim(db, network, address="10.0.0.77")
        db.run(lambda tx: addresses.set_reserved(tx, "10.0.0.80", reserved=True))
        with pytest.raises(errors.Conflict, match="in use"):
            claim(db, network, address="10.0.0.80")
        for wrong in ("10.0.0.0", "10.0.0.1", "10.0.0.255", "10.0.1.2", "fe80::1", "ten", "10.0.0.5\n"):
            with pytest.raises(errors.InvalidInput):
                claim(db, network, address=wrong)
        assert count(db, CARDS) == 1

    def test_an_address_that_was_asked_for_is_skipped_when_its_turn_comes(self, db: Database) -> None:
        network = network_of(db)
        claim(db, network, address="10.0.0.2")
        claim(db, network, address="10.0.0.3")
        assert [only(claim(db, network)) for _ in range(2)] == ["10.0.0.4", "10.0.0.5"]

    def test_operators_move_dhcp_start_and_reserve_by_sql(self, db: Database) -> None:
        network = network_of(db)
        with db.transaction() as tx:
            tx.execute(NETWORKS.update().values(dhcp_start="10.0.0.8", gateway="10.0.0.7"))
            network = networks.get_by_id(tx, network.id)
        assert only(claim(db, network)) == "10.0.0.8"

    def test_only_the_fixed_part_of_a_network_is_given_out(self, db: Database) -> None:
        network = network_of(db, fixed_cidr="10.0.0.128/30")
        got = [only(claim(db, network)) for _ in range(4)]
        assert got == [f"10.0.0.{n}" for n in range(128, 132)]
        with pytest.raises(errors.NoCapacity):
            claim(db, network)

    def test_a_taken_mac_address_is_drawn_again(self, db: Database) -> None:
        network = network_of(db)
        draws = iter(["fa:16:3e:00:00:01", "fa:16:3e:00:00:01", "fa:16:3e:00:00:02"])
        words = {"hostname": "h", "host": "", "position": 0, "new_mac": lambda: next(draws)}
        with db.transaction() as tx:
            one = address_claims.add_card(tx, network, instance_uuid="i1", **words)  # type: ignore[arg-type]
            two = address_claims.add_card(tx, network, instance_uuid="i2", **words)  # type: ignore[arg-type]
        assert (one.mac_address, two.mac_address) == ("fa:16:3e:00:00:01", "fa:16:3e:00:00:02")

    def test_released_addresses_are_used_again_in_the_order_of_their_rest(self, db: Database) -> None:
        network = network_of(db, "10.0.0.0/29")
        instances = [str(uuid.uuid4()) for _ in range(5)]
        for instance in instances:
            claim(db, network, instance=instance)
        for index in (3, 1):
            give_back(db, instances[index])
        assert [only(claim(db, network)) for _ in range(2)] == ["10.0.0.5", "10.0.0.3"]

    def test_a_released_address_goes_to_nobody_before_its_lease_ended(self, db: Database) -> None:
        network = network_of(db, "10.0.0.0/30")
        nic = claim(db, network, instance="i1")
        assert book(db).started(mac_address=nic.mac_address, address=only(nic))
        give_back(db, "i1")
        with pytest.raises(errors.NoCapacity):
            claim(db, network)
        assert self.nics(db, ["i1"]) == {}
        assert book(db).ended(mac_address=nic.mac_address, address=only(nic))
        assert only(claim(db, network)) == only(nic)
        assert count(db, CARDS) == 1

    def test_an_instance_may_get_cards_again_while_its_old_addresses_rest(self, db: Database) -> None:
        network = network_of(db)
        nic = claim(db, network, instance="i1")
        book(db).started(mac_address=nic.mac_address, address=only(nic))
        give_back(db, "i1")
        again = claim(db, network, instance="i1")
        assert [only(card) for card in self.nics(db, ["i1"])["i1"]] == [only(again)] == ["10.0.0.3"]

    def test_a_lost_lease_event_holds_an_address_for_its_time_and_no_longer(self, db: Database) -> None:
        network = network_of(db)
        leased, silent = claim(db, network, instance="i1"), claim(db, network, instance="i2")
        book(db).started(mac_address=leased.mac_address, address=only(leased))
        db.run(lambda tx: address_releases.release(tx, "i1"))
        db.run(lambda tx: address_releases.release(tx, "i2"))

        def expire(minutes: int) -> int:
            def work(tx: Transaction) -> int:
                tx.now += timedelta(minutes=minutes)
                return leases.expire(tx, timeout_s=600, lease_s=3600)

            return db.run(work)

        assert expire(9) == 0
        assert expire(11) == 1
        assert self.holder(db, only(silent)) == ""
        assert self.holder(db, only(leased)) == "i1"
        assert expire(61) == 1
        assert count(db, CARDS) == 0

    def test_cards_of_many_instances_are_read_in_one_statement_with_floating_addresses(self, db: Database) -> None:
        one, two = network_of(db), network_of(db, "10.1.0.0/24")
        first = claim(db, one, instance="i1")
        claim(db, two, instance="i1", position=1)
        claim(db, one, instance="i2")
        with db.transaction() as tx:
            floating_ips.create(tx, ["198.51.100.7", "198.51.100.8"], pool="nova", interface="eth0")
            fixed = addresses.get(tx, only(first))
            tx.execute(FLOATING_IPS.update().values(fixed_ip_id=fixed.id))
        before = db.statements
        found = self.nics(db, ["i2", "i1", "nobody"])
        assert db.statements - before == 1
        assert [only(nic) for nic in found["i1"]] == ["10.0.0.2", "10.1.0.2"]
        assert found["i1"][0].addresses[0].floating == ("198.51.100.7", "198.51.100.8")
        assert found["i1"][0].bridge == "br100"
        assert [only(nic) for nic in found["i2"]] == ["10.0.0.3"]
        assert "nobody" not in found

    def test_a_floating_address_does_not_point_to_the_next_user(self, db: Database) -> None:
        nic = claim(db, network_of(db), instance="i1")
        with db.transaction() as tx:
            floating_ips.create(tx, ["198.51.100.7"], pool="nova", interface="eth0")
            tx.execute(FLOATING_IPS.update().values(fixed_ip_id=addresses.get(tx, only(nic)).id))
        give_back(db, "i1")
        with db.transaction(write=False) as tx:
            assert floating_ips.find_all(tx)[0].fixed_address == ""

    def test_the_instance_at_an_address_is_found_only_while_it_has_it(self, db: Database) -> None:
        nic = claim(db, network_of(db), instance="i1")
        with db.transaction(write=False) as tx:
            assert addresses.instance_at(tx, only(nic)) == "i1"
            assert addresses.instance_at(tx, "10.0.0.9") is None
        db.run(lambda tx: address_releases.release(tx, "i1"))
        with db.transaction(write=False) as tx:
            assert addresses.instance_at(tx, only(nic)) is None

    def test_reserving_an_address_of_no_network_is_refused(self, db: Database) -> None:
        network_of(db)
        for wrong, kind in (("192.168.7.7", errors.NotFound), ("x", errors.InvalidInput)):
            with pytest.raises(kind):
                db.run(lambda tx, address=wrong: addresses.set_reserved(tx, address, reserved=True))
        db.run(lambda tx: addresses.set_reserved(tx, "10.0.0.2", reserved=True))
        db.run(lambda tx: addresses.set_reserved(tx, "10.0.0.2", reserved=False))
        with db.transaction(write=False) as tx:
            assert not addresses.get(tx, "10.0.0.2").reserved

    def nics(self, db: Database, instances: Collection[str]) -> dict[str, tuple[Nic, ...]]:
        with db.transaction(write=False) as tx:
            return addresses.nics_of(tx, instances)

    def holder(self, db: Database, address: str) -> str:
        with db.transaction(write=False) as tx:
            return addresses.get(tx, address).instance_uuid


class Leases:
    """What nova-dhcpbridge writes."""

    def test_a_lease_is_recorded_printed_and_ended(self, db: Database) -> None:
        network = network_of(db)
        nic = claim(db, network, instance="i1")
        events = book(db)
        assert events.current([network.id]) == []
        assert events.started(mac_address=nic.mac_address, address=only(nic))
        assert events.started(mac_address=nic.mac_address, address=only(nic))
        assert [(lease.mac_address, lease.address, lease.hostname) for lease in events.current([network.id])] == [
            (nic.mac_address, only(nic), "web")
        ]
        assert events.ended(mac_address=nic.mac_address, address=only(nic))
        assert events.current([network.id]) == []
        with db.transaction(write=False) as tx:
            assert addresses.get(tx, only(nic)).allocated
        events.close()

    def test_a_late_end_of_an_old_lease_does_not_touch_the_new_user(self, db: Database) -> None:
        network = network_of(db, "10.0.0.0/30")
        old = claim(db, network, instance="i1")
        give_back(db, "i1")
        new = claim(db, network, instance="i2")
        events = book(db)
        assert events.started(mac_address=new.mac_address, address=only(new))
        assert not events.ended(mac_address=old.mac_address, address=only(old))
        assert not events.started(mac_address=old.mac_address, address=only(old))
        assert len(events.current([network.id])) == 1
        events.close()


class Networks:
    """Networks themselves."""

    def test_a_project_that_comes_twice_at_once_gets_one_network_and_each_project_its_own(self, db: Database) -> None:
        for number in range(5):
            network_of(db, f"10.{number}.0.0/24", vlan_start=100 + number)
        projects = ["red", "blue", "red", "green", "blue", "red"]
        got = at_once([lambda p=p: db.run(lambda tx: networks.take_for_project(tx, p)) for p in projects])  # type: ignore[misc]
        first = {project: found[0].id for project, found in zip(projects, got, strict=True)}
        assert all(len(found) == 1 for found in got)
        assert all(found[0].id == first[project] for project, found in zip(projects, got, strict=True))
        assert len(set(first.values())) == 3
        db.run(lambda tx: networks.take_for_project(tx, "black"))
        db.run(lambda tx: networks.take_for_project(tx, "white"))
        assert db.run(lambda tx: networks.take_for_project(tx, "grey")) == []

    def test_of_several_hosts_one_takes_each_network(self, db: Database) -> None:
        for number in range(4):
            network_of(db, f"10.{number}.0.0/24")
        taken = at_once([lambda host=host: db.run(lambda tx: networks.take_unserved(tx, host)) for host in "abcdef"])
        assert sum(taken) == 4
        with db.transaction(write=False) as tx:
            assert sum(len(networks.served_by(tx, host)) for host in "abcdef") == 4

    def test_a_project_uses_its_own_networks_and_shared_ones_by_priority(self, db: Database) -> None:
        shared = network_of(db, "10.0.0.0/24", priority=2)
        mine = network_of(db, "10.1.0.0/24", project_id="red", priority=1)
        network_of(db, "10.2.0.0/24", project_id="blue")
        with db.transaction(write=False) as tx:
            assert [n.id for n in networks.usable_by(tx, "red", shared=True)] == [mine.id, shared.id]
            assert [n.id for n in networks.usable_by(tx, "red", shared=False)] == [mine.id]

    def test_a_network_in_use_is_not_deleted_and_one_that_is_free_leaves_nothing(self, db: Database) -> None:
        network = network_of(db)
        claim(db, network, instance="i1")
        with pytest.raises(errors.Conflict, match="Servers have addresses"):
            db.run(lambda tx: networks.delete_network(tx, network.id))
        give_back(db, "i1")
        db.run(lambda tx: networks.delete_network(tx, network.id))
        assert count(db, FIXED_IPS) == 0
        with pytest.raises(errors.NotFound), db.transaction(write=False) as tx:
            networks.get(tx, network.uuid)

    def test_a_network_of_a_project_is_freed_before_it_is_deleted(self, db: Database) -> None:
        network = network_of(db, project_id="red")
        with pytest.raises(errors.Conflict, match="red"):
            db.run(lambda tx: networks.delete_network(tx, network.id))
        db.run(lambda tx: networks.associate(tx, network.id, project_id=""))
        db.run(lambda tx: networks.delete_network(tx, network.id))

    def test_a_uuid_is_used_once(self, db: Database) -> None:
        number = str(uuid.uuid4())
        network_of(db, uuid=number)
        with pytest.raises(errors.AlreadyExists):
            network_of(db, "10.1.0.0/24", uuid=number)


def associate(db: Database, floating: FloatingIp, nic: Nic, instance: str) -> str:
    """Point to the card's address; which host carries it."""
    return db.run(lambda tx: floating_claims.associate(tx, floating, fixed_address=only(nic), instance_uuid=instance))


class FloatingAddresses:
    """The pool."""

    def pool(self, db: Database, number: int = 3, *, project: str = "red") -> list[FloatingIp]:
        """Addresses of a pool, all of them a project's."""
        names = [f"198.51.100.{i + 1}" for i in range(number)]
        db.run(lambda tx: floating_ips.create(tx, names, pool="nova", interface="eth0"))
        return [db.run(lambda tx: floating_claims.allocate(tx, project_id=project, pool="nova")) for _ in names]

    def test_of_many_takers_at_once_each_gets_its_own_and_the_rest_hear_that_none_is_left(self, db: Database) -> None:
        names = [f"198.51.100.{i}" for i in range(1, 9)]
        db.run(lambda tx: floating_ips.create(tx, names, pool="nova", interface="eth0"))
        take = lambda: db.run(lambda tx: floating_claims.allocate(tx, project_id="red", pool="nova"))  # noqa: E731
        outcomes = at_once([take] * 12)
        got = [each.address for each in outcomes if isinstance(each, FloatingIp)]
        assert sorted(got) == names
        assert sum(isinstance(each, errors.NoCapacity) for each in outcomes) == 4

    def test_pools_are_apart_and_an_unknown_one_is_not_there(self, db: Database) -> None:
        db.run(lambda tx: floating_ips.create(tx, ["198.51.100.1"], pool="dmz", interface=""))
        assert db.run(floating_ips.pools) == ["dmz"]
        with pytest.raises(errors.NotFound, match="pool nova"):
            db.run(lambda tx: floating_claims.allocate(tx, project_id="red", pool="nova"))

    def test_an_address_is_pointed_moved_and_let_go(self, db: Database) -> None:
        network, (floating, *_) = network_of(db), self.pool(db)
        db.run(lambda tx: networks.associate(tx, network.id, host="n1"))
        one, two = claim(db, network, instance="i1"), claim(db, network, instance="i2")
        assert associate(db, floating, one, "i1") == "n1"
        assert db.run(lambda tx: floating_ips.forwards(tx, "n1")) == [
            Forward(address=floating.address, fixed_address="10.0.0.2", interface="eth0")
        ]
        seen = db.run(lambda tx: addresses.nics_of(tx, ["i1"]))["i1"][0]
        assert seen.addresses[0].floating == (floating.address,)
        stale = db.run(lambda tx: floating_ips.get(tx, floating.address))
        associate(db, floating, two, "i2")
        assert [each.fixed_address for each in db.run(lambda tx: floating_ips.forwards(tx, "n1"))] == ["10.0.0.3"]
        assert not db.run(lambda tx: floating_claims.disassociate(tx, stale))
        now = db.run(lambda tx: floating_ips.get(tx, floating.address))
        assert (now.instance_uuid, now.host) == ("i2", "n1")
        assert db.run(lambda tx: floating_claims.disassociate(tx, now))
        assert db.run(lambda tx: floating_ips.forwards(tx, "n1")) == []

    def test_a_released_server_takes_no_floating_address_along_and_automatic_ones_are_free(self, db: Database) -> None:
        network, (floating, *_) = network_of(db), self.pool(db, 1)
        db.run(lambda tx: floating_ips.create(tx, ["198.51.100.9"], pool="nova", interface=""))
        nic = claim(db, network, instance="i1")
        automatic = db.run(lambda tx: floating_claims.allocate(tx, project_id="red", pool="nova", auto_assigned=True))
        for each in (floating, automatic):
            associate(db, each, nic, "i1")
        (released,) = db.run(lambda tx: address_releases.release(tx, "i1"))
        assert released.floating
        with pytest.raises(errors.InvalidInput):
            associate(db, floating, nic, "i1")
        left = {each.address: each for each in db.run(floating_ips.find_all)}
        assert (left[floating.address].project_id, left[floating.address].fixed_address) == ("red", "")
        assert (left[automatic.address].project_id, left[automatic.address].auto_assigned) == ("", False)

    def test_pointing_races_with_the_servers_end_and_never_leads_to_the_next_server(self, db: Database) -> None:
        network, floating = network_of(db), self.pool(db, 6)
        for each in floating:
            instance = str(uuid.uuid4())
            nic = claim(db, network, instance=instance)
            at_once([lambda: associate(db, each, nic, instance), lambda: give_back(db, instance)])  # noqa: B023
            assert db.run(lambda tx: floating_ips.get(tx, each.address)).fixed_address == ""  # noqa: B023

    def test_a_foreign_projects_word_changes_nothing(self, db: Database) -> None:
        network, (floating, *_) = network_of(db), self.pool(db)
        nic = claim(db, network, instance="i1")
        stranger = dataclasses.replace(floating, project_id="blue")
        with pytest.raises(errors.NotFound):
            associate(db, stranger, nic, "i1")
        assert not db.run(lambda tx: floating_claims.release(tx, stranger))
        assert db.run(lambda tx: floating_ips.get(tx, floating.address)).project_id == "red"

    def test_a_network_that_moves_to_another_host_takes_its_floating_addresses_along(self, db: Database) -> None:
        network, (floating, *_) = network_of(db), self.pool(db)
        associate(db, floating, claim(db, network, instance="i1"), "i1")
        db.run(lambda tx: networks.associate(tx, network.id, host="n2"))
        db.run(lambda tx: floating_claims.record_host(tx, "n2"))
        assert [each.address for each in db.run(lambda tx: floating_ips.find_all(tx, host="n2"))] == [floating.address]
        assert len(db.run(lambda tx: floating_ips.forwards(tx, "n2"))) == 1
        assert db.run(lambda tx: floating_ips.known(tx, ["10.0.0.1", floating.address])) == {floating.address}

    def test_a_range_is_added_whole_or_not_at_all(self, db: Database) -> None:
        db.run(lambda tx: floating_ips.create(tx, ["198.51.100.2"], pool="nova", interface=""))
        with pytest.raises(errors.AlreadyExists):
            db.run(lambda tx: floating_ips.create(tx, ["198.51.100.1", "198.51.100.2"], pool="nova", interface=""))
        assert count(db, FLOATING_IPS) == 1

    def test_an_address_in_use_keeps_its_whole_range(self, db: Database) -> None:
        both = ["198.51.100.1", "198.51.100.2"]
        db.run(lambda tx: floating_ips.create(tx, both, pool="nova", interface="eth0"))
        with db.transaction() as tx:
            tx.execute(FLOATING_IPS.update().where(FLOATING_IPS.c.address == both[1]).values(project_id="red"))
        with pytest.raises(errors.Conflict):
            db.run(lambda tx: floating_ips.remove(tx, both))
        with db.transaction() as tx:
            tx.execute(FLOATING_IPS.update().values(project_id=None))
        assert db.run(lambda tx: floating_ips.remove(tx, both)) == 2
