# SPDX-License-Identifier: Apache-2.0
"""Daemons, compute nodes, claims, aggregates."""

from __future__ import annotations

import datetime

import pytest

from nova import errors
from nova.db import aggregates, claim_audit, compute_nodes, instances, services
from nova.db.engine import Database
from nova.domain.host import ClaimLimits
from nova.domain.states import VmState
from tests.unit.db.contracts.samples import add, add_node, at_once, resources

LIMITS = ClaimLimits(vcpus=16, memory_mb=16384, disk_gb=100)


def take(db: Database, uuid: str, node_id: int, *, vcpus: int = 1, limits: ClaimLimits = LIMITS) -> bool:
    """Claim a small server's room."""
    room = {"vcpus": vcpus, "memory_mb": 512, "disk_gb": 1}
    return db.run(lambda tx: compute_nodes.claim(tx, uuid, node_id=node_id, limits=limits, **room))


class Services:
    """Heartbeats and administration."""

    def beat(self, db: Database, host: str = "node1", binary: str = "nova-compute", **options: object) -> None:
        db.run(lambda tx: services.heartbeat(tx, host=host, binary=binary, topic="compute", **options))

    def test_heartbeats_make_one_row_and_count(self, db: Database) -> None:
        assert at_once([lambda: self.beat(db)] * 12) == [None] * 12
        (service,) = db.run(lambda tx: services.find(tx, host="node1"), write=False)
        assert (service.report_count, service.availability_zone, service.disabled) == (12, "nova", False)
        assert service.is_up(service.updated_at + datetime.timedelta(seconds=5), down_time_s=60)

    def test_an_administrators_word_does_not_look_like_a_heartbeat(self, db: Database) -> None:
        self.beat(db)
        before = db.run(lambda tx: services.get_by_host(tx, "node1", "nova-compute"), write=False)
        with db.transaction() as tx:
            off = services.set_enabled(tx, "node1", "nova-compute", enabled=False, reason="repair")
            services.set_forced_down(tx, "node1", "nova-compute", forced_down=True)
        assert (off.disabled, off.disabled_reason, off.updated_at) == (True, "repair", before.updated_at)
        on = db.run(lambda tx: services.set_enabled(tx, "node1", "nova-compute", enabled=True))
        assert (on.disabled, on.disabled_reason, on.forced_down) == (False, "", True)
        with db.transaction() as tx, pytest.raises(errors.NotFound):
            services.set_enabled(tx, "node9", "nova-compute", enabled=False)

    def test_a_removed_daemon_starts_anew(self, db: Database) -> None:
        self.beat(db, enabled=False)
        (service,) = db.run(lambda tx: services.find(tx, binary="nova-compute", topic="compute"), write=False)
        assert service.disabled
        db.run(lambda tx: services.remove(tx, service.id))
        assert db.run(lambda tx: services.find(tx), write=False) == []
        with db.transaction() as tx, pytest.raises(errors.NotFound):
            services.remove(tx, service.id)
        self.beat(db)
        assert db.run(lambda tx: services.find(tx), write=False)[0].id != service.id

    def test_a_daemon_whose_host_has_servers_stays(self, db: Database) -> None:
        node = add_node(db)
        take(db, add(db).uuid, node)
        with db.transaction() as tx, pytest.raises(errors.Conflict):
            services.remove(tx, compute_nodes.get(tx, node).service_id)


class ComputeNodes:
    """What there is and what is claimed."""

    def used(self, db: Database, node_id: int) -> tuple[int, int, int]:
        node = db.run(lambda tx: compute_nodes.get(tx, node_id), write=False)
        return node.vcpus_used, node.memory_mb_used, node.disk_gb_used

    def test_a_report_is_recorded_and_leaves_the_claims(self, db: Database) -> None:
        node_id = add_node(db)
        assert take(db, "uuid-1", node_id)
        assert add_node(db, memory_mb=2048, running_vms=3) == node_id
        node = db.run(lambda tx: compute_nodes.get(tx, node_id), write=False)
        assert (node.memory_mb, node.running_vms, node.vcpus_used) == (2048, 3, 1)
        assert node.supported == resources().supported
        assert db.run(lambda tx: compute_nodes.find(tx, pattern="od%"), write=False) == []
        assert db.run(lambda tx: compute_nodes.find(tx, pattern="ode"), write=False) == [node]

    def test_of_twenty_claims_at_once_as_many_succeed_as_fit(self, db: Database) -> None:
        node_id = add_node(db)
        outcomes = at_once([lambda n=n: take(db, f"uuid-{n}", node_id) for n in range(20)])
        assert sorted(outcomes) == [False] * 4 + [True] * 16
        assert self.used(db, node_id) == (16, 16 * 512, 16)

    def test_claiming_again_replaces_the_claim(self, db: Database) -> None:
        first, second = add_node(db), add_node(db, "node2")
        assert take(db, "uuid-1", first, vcpus=4)
        assert take(db, "uuid-1", first, vcpus=2)
        assert take(db, "uuid-1", second, vcpus=3)
        assert (self.used(db, first), self.used(db, second)) == ((0, 0, 0), (3, 512, 1))

    def test_one_instance_claimed_by_many_at_once_holds_room_once(self, db: Database) -> None:
        nodes = [add_node(db, f"node{n}") for n in range(6)]
        outcomes = at_once([lambda n=n: take(db, "uuid-1", n) for n in nodes])
        assert True in outcomes
        assert all(outcome is True or isinstance(outcome, errors.Conflict) for outcome in outcomes)
        assert sum(self.used(db, node)[0] for node in nodes) == 1

    def test_a_release_counts_once(self, db: Database) -> None:
        node_id = add_node(db)
        take(db, "uuid-1", node_id)
        take(db, "uuid-2", node_id)
        outcomes = at_once([lambda: db.run(lambda tx: compute_nodes.release(tx, "uuid-1"))] * 8)
        assert sorted(outcomes) == [False] * 7 + [True]
        assert self.used(db, node_id) == (1, 512, 1)

    def test_no_limit_is_no_limit_and_an_unknown_node_takes_nothing(self, db: Database) -> None:
        node_id = add_node(db)
        assert take(db, "uuid-1", node_id, vcpus=1000, limits=ClaimLimits())
        assert not take(db, "uuid-2", node_id + 1, limits=ClaimLimits())

    def test_a_recount_drops_the_claims_of_the_gone_and_adds_up_anew(self, db: Database) -> None:
        node_id = add_node(db)
        kept, gone = add(db), add(db)
        for instance in (kept, gone):
            take(db, instance.uuid, node_id)
        db.run(lambda tx: instances.destroy(tx, gone.uuid))
        assert db.run(compute_nodes.recount) == 1
        assert self.used(db, node_id) == (1, 512, 1)

    def test_a_lost_claim_of_a_server_that_rests_on_a_host_is_made_again(self, db: Database) -> None:
        node_id = add_node(db)
        rests = {"vm_state": VmState.ACTIVE, "task_state": None}
        lost, kept = add(db, host="node1", node="node1", **rests), add(db, host="node1", node="node1", **rests)
        add(db, host="node1", node="node1", vm_state=VmState.BUILDING, task_state=None)
        add(db, host="elsewhere", node="elsewhere", **rests)
        take(db, kept.uuid, node_id)
        assert db.run(claim_audit.add_missing) == [lost.uuid]
        assert db.run(claim_audit.add_missing) == []
        assert db.run(compute_nodes.recount) == 0
        assert self.used(db, node_id)[0] == 1 + lost.flavor.vcpus

    def test_the_scheduler_sees_all_hosts_in_one_statement(self, db: Database) -> None:
        for host in ("node1", "node2", "node3"):
            add_node(db, host)
        with db.transaction() as tx:
            services.set_forced_down(tx, "node2", "nova-compute", forced_down=True)
            services.set_enabled(tx, "node3", "nova-compute", enabled=False)
            zone = aggregates.create(tx, "rack", availability_zone="east")
            aggregates.add_host(tx, zone.id, "node3")
        with db.transaction(write=False) as tx, db.log.recording() as statements:
            rows = compute_nodes.for_scheduler(tx, alive_since=tx.now - datetime.timedelta(seconds=60))
        assert len(statements) == 1
        assert [(r.host, bool(r.up), bool(r.disabled), r.availability_zone) for r in rows] == [
            ("node1", True, False, "nova"),
            ("node2", False, False, "nova"),
            ("node3", True, True, "east"),
        ]
        assert rows[0][6:13] == (8, 0, 16384, 0, 100, 0, 90)
        with db.transaction(write=False) as tx:
            late = compute_nodes.for_scheduler(tx, alive_since=tx.now + datetime.timedelta(seconds=60))
        assert not any(row.up for row in late)

    def test_statistics_add_up_the_enabled(self, db: Database) -> None:
        with db.transaction(write=False) as tx:
            assert compute_nodes.statistics(tx)["vcpus"] == 0
        for host in ("node1", "node2", "node3"):
            add_node(db, host)
        take(db, "uuid-1", add_node(db, "node1"), vcpus=2)
        db.run(lambda tx: services.set_enabled(tx, "node3", "nova-compute", enabled=False))
        with db.transaction(write=False) as tx:
            sums = compute_nodes.statistics(tx)
        assert (sums["count"], sums["vcpus"], sums["vcpus_used"], sums["local_gb"]) == (2, 16, 2, 200)


class Aggregates:
    """Sets of hosts, and zones."""

    def test_members_and_metadata_come_and_go(self, db: Database) -> None:
        with db.transaction() as tx:
            made = aggregates.create(tx, "ssd")
            aggregates.add_host(tx, made.id, "node1")
            aggregates.add_host(tx, made.id, "node2")
            changed = aggregates.set_metadata(tx, made.id, {"ssd": "true", "rack": "1"})
            assert (changed.hosts, changed.metadata) == (("node1", "node2"), {"ssd": "true", "rack": "1"})
            assert aggregates.set_metadata(tx, made.id, {"rack": None, "ssd": "false"}).metadata == {"ssd": "false"}
            assert aggregates.remove_host(tx, made.id, "node1").hosts == ("node2",)
            assert [a.name for a in aggregates.find(tx, host="node2")] == ["ssd"]
            assert aggregates.find(tx, host="node1") == []
            with pytest.raises(errors.AlreadyExists):
                aggregates.add_host(tx, made.id, "node2")
            with pytest.raises(errors.NotFound):
                aggregates.remove_host(tx, made.id, "node1")
            with pytest.raises(errors.Conflict):
                aggregates.remove(tx, made.id)

    def test_names_are_unique_until_deleted(self, db: Database) -> None:
        with db.transaction() as tx:
            made = aggregates.create(tx, "ssd")
            with pytest.raises(errors.AlreadyExists):
                aggregates.create(tx, "ssd")
            other = aggregates.create(tx, "hdd")
            with pytest.raises(errors.AlreadyExists):
                aggregates.rename(tx, other.id, "ssd")
            aggregates.remove(tx, made.id)
            assert aggregates.rename(tx, other.id, "ssd").name == "ssd"
            with pytest.raises(errors.NotFound):
                aggregates.get(tx, made.id)

    def test_a_host_is_in_one_zone(self, db: Database) -> None:
        add_node(db)
        with db.transaction() as tx:
            assert (aggregates.zone_of(tx, "node1"), aggregates.zone_of(tx, "node9")) == ("nova", "")
            east = aggregates.create(tx, "east", availability_zone="east")
            west = aggregates.create(tx, "west", availability_zone="west")
            assert aggregates.add_host(tx, east.id, "node1").availability_zone == "east"
            assert aggregates.zone_of(tx, "node1") == "east"
            assert aggregates.zones_of_hosts(tx) == {"node1": "east"}
        with pytest.raises(errors.Conflict):
            db.run(lambda tx: aggregates.add_host(tx, west.id, "node1"))
        assert db.run(lambda tx: aggregates.get(tx, west.id), write=False).hosts == ()
