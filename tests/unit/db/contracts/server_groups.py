# SPDX-License-Identifier: Apache-2.0
"""Server groups: members, quota, and where members may go, with many schedulers at once."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import update

from nova import errors
from nova.db import compute_nodes, instances, server_groups
from nova.db.engine import Database
from nova.db.instances.rows import INSTANCES
from nova.db.transaction import Transaction
from nova.domain.host import ClaimLimits
from nova.domain.server_group import Policy, ServerGroup
from tests.unit.db.contracts.samples import NEW, add, add_node, at_once

NO_LIMITS = ClaimLimits()


def make(db: Database, policy: Policy, members: int) -> tuple[ServerGroup, list[str]]:
    """A group with new servers."""
    group = db.run(
        lambda tx: server_groups.create(
            tx, ServerGroup(uuid="", project_id="red", user_id="ann", name="g", policy=policy)
        )
    )
    uuids = [add(db, NEW).uuid for _ in range(members)]
    db.run(lambda tx: server_groups.add_members(tx, group, uuids, limit=-1))
    return group, uuids


def place(db: Database, group: ServerGroup, uuid: str, host: str, node_id: int) -> bool:
    """What a scheduler does: ask the group, then claim."""

    def work(tx: Transaction) -> bool:
        if not server_groups.admits(tx, group, uuid, host=host):
            return False
        room = {"vcpus": 1, "memory_mb": 1, "disk_gb": 0}
        return compute_nodes.claim(tx, uuid, node_id=node_id, limits=NO_LIMITS, **room)

    return db.run(work)


def hosts(db: Database, group: ServerGroup) -> Counter[str]:
    return db.run(lambda tx: server_groups.hosts_of_others(tx, group.id, ""), write=False)


class ServerGroups:
    """Groups."""

    def test_members_are_the_servers_that_live(self, db: Database) -> None:
        group, [first, second] = make(db, Policy.AFFINITY, 2)
        assert db.run(lambda tx: server_groups.get(tx, "red", group.uuid), write=False).members == (first, second)
        with db.transaction() as tx:
            tx.execute(update(INSTANCES).where(INSTANCES.c.uuid == first).values(deleted=INSTANCES.c.id))
        assert db.run(lambda tx: server_groups.find(tx, "red"), write=False)[0].members == (second,)
        found = db.run(lambda tx: server_groups.of_instance(tx, second), write=False)
        assert found is not None
        assert found.uuid == group.uuid

    def test_a_group_of_another_project_is_not_there(self, db: Database) -> None:
        group, _ = make(db, Policy.AFFINITY, 0)
        with pytest.raises(errors.NotFound):
            db.run(lambda tx: server_groups.get(tx, "blue", group.uuid), write=False)
        assert db.run(lambda tx: server_groups.find(tx, "blue"), write=False) == []

    def test_a_removed_group_lets_its_servers_go(self, db: Database) -> None:
        group, [uuid] = make(db, Policy.AFFINITY, 1)
        assert db.run(lambda tx: server_groups.remove(tx, group))
        assert not db.run(lambda tx: server_groups.remove(tx, group))
        assert db.run(lambda tx: server_groups.of_instance(tx, uuid), write=False) is None
        with pytest.raises(errors.NotFound):
            db.run(lambda tx: server_groups.add_members(tx, group, [uuid], limit=-1))

    def test_no_more_members_than_the_limit_however_many_ask_at_once(self, db: Database) -> None:
        group, _ = make(db, Policy.AFFINITY, 3)
        new = [add(db, NEW).uuid for _ in range(8)]

        def join(uuid: str) -> None:
            db.run(lambda tx: server_groups.add_members(tx, group, [uuid], limit=7))

        outcomes = at_once([lambda uuid=uuid: join(uuid) for uuid in new])
        assert sum(isinstance(each, errors.QuotaExceeded) for each in outcomes) == 4
        assert len(db.run(lambda tx: server_groups.get(tx, "red", group.uuid), write=False).members) == 7

    def test_members_that_must_be_apart_never_share_a_host(self, db: Database) -> None:
        group, uuids = make(db, Policy.ANTI_AFFINITY, 12)
        nodes = {f"node{number}": add_node(db, f"node{number}") for number in range(4)}
        pairs = [(uuid, host) for uuid in uuids for host in nodes]
        outcomes = at_once(
            [lambda uuid=uuid, host=host: place(db, group, uuid, host, nodes[host]) for uuid, host in pairs]
        )
        assert not [each for each in outcomes if isinstance(each, Exception)]
        assert set(hosts(db, group).values()) == {1}

    def test_members_that_must_be_together_are_on_one_host(self, db: Database) -> None:
        group, uuids = make(db, Policy.AFFINITY, 8)
        nodes = {f"node{number}": add_node(db, f"node{number}") for number in range(4)}
        outcomes = at_once(
            [
                lambda uuid=uuid, host=f"node{number % 4}": place(db, group, uuid, host, nodes[host])
                for number, uuid in enumerate(uuids)
            ]
        )
        assert not [each for each in outcomes if isinstance(each, Exception)]
        assert len(hosts(db, group)) == 1

    def test_a_member_that_runs_counts_where_it_is(self, db: Database) -> None:
        group, [first, second] = make(db, Policy.ANTI_AFFINITY, 2)
        with db.transaction() as tx:
            instances.assign_host(tx, first, host="node1", node="node1")
        assert not place(db, group, second, "node1", add_node(db, "node1"))
        assert place(db, group, first, "node1", add_node(db, "node1"))
        assert place(db, group, second, "node2", add_node(db, "node2"))
