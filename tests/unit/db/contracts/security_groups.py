# SPDX-License-Identifier: Apache-2.0
"""Security groups: rules in one form and within their quota, members, and the filters that hosts are given."""

from __future__ import annotations

import dataclasses

import pytest

from nova import errors
from nova.db import address_releases, instance_filters, instances, security_groups
from nova.db.engine import Database
from nova.domain.security_group import SecurityGroup, SecurityGroupRule
from tests.unit.db.contracts.networks import claim, network_of
from tests.unit.db.contracts.samples import ACTIVE, at_once


def group(db: Database, name: str, project: str = "red") -> SecurityGroup:
    words = {"project_id": project, "user_id": "ann", "description": ""}
    return db.run(lambda tx: security_groups.create(tx, name=name, **words))


def allow(db: Database, into: SecurityGroup, *rules: SecurityGroupRule, limit: int = 20) -> SecurityGroup:
    return db.run(lambda tx: security_groups.add_rules(tx, into, rules, limit=limit))


def tcp(port: int, **source: object) -> SecurityGroupRule:
    return SecurityGroupRule(protocol="TCP", from_port=port, to_port=port, **(source or {"cidr": "10.0.0.7/8"}))  # type: ignore[arg-type]


class SecurityGroups:
    """Groups, rules, members."""

    def test_the_default_group_is_made_once_at_its_first_use(self, db: Database) -> None:
        make = lambda: db.run(lambda tx: security_groups.ensure_default(tx, project_id="red", user_id="ann"))  # noqa: E731
        assert len({found.id for found in at_once([make] * 8)}) == 1
        assert [g.name for g in db.run(lambda tx: security_groups.find_all(tx, "red"))] == ["default"]

    def test_names_are_a_projects_own_and_free_again_after_deletion(self, db: Database) -> None:
        web = group(db, "web")
        group(db, "web", "blue")
        with pytest.raises(errors.AlreadyExists):
            group(db, "web")
        db.run(lambda tx: security_groups.delete_group(tx, web))
        assert group(db, "web").id != web.id

    def test_a_group_of_another_project_is_not_found(self, db: Database) -> None:
        web = group(db, "web")
        for look in (security_groups.get, lambda tx, project, _: security_groups.get_by_name(tx, project, "web")):
            with pytest.raises(errors.NotFound), db.transaction(write=False) as tx:
                look(tx, "blue", web.id)

    def test_rules_are_kept_in_their_one_form_and_not_twice(self, db: Database) -> None:
        web = allow(db, group(db, "web"), tcp(80))
        rule = web.rules[0]
        assert (rule.protocol, rule.from_port, rule.cidr) == ("tcp", 80, "10.0.0.0/8")
        with pytest.raises(errors.AlreadyExists):
            allow(db, web, tcp(80, cidr="10.1.2.3/8"))

    def test_forty_rules_at_once_end_at_the_quota(self, db: Database) -> None:
        web = group(db, "web")
        outcomes = at_once([lambda port=port: allow(db, web, tcp(port)) for port in range(1, 41)])
        assert sum(isinstance(outcome, SecurityGroup) for outcome in outcomes) == 20
        assert all(isinstance(outcome, SecurityGroup | errors.QuotaExceeded) for outcome in outcomes)
        assert len(db.run(lambda tx: security_groups.get(tx, "red", web.id)).rules) == 20

    def test_a_group_with_members_is_not_deleted_and_rules_that_name_it_go_with_it(self, db: Database) -> None:
        web, other = group(db, "web"), group(db, "other")
        allow(db, other, tcp(80, group_id=web.id), tcp(81))
        db.run(lambda tx: security_groups.add_member(tx, "i1", [web.id]))
        with pytest.raises(errors.Conflict, match="in use"):
            db.run(lambda tx: security_groups.delete_group(tx, web))
        assert db.run(lambda tx: security_groups.remove_member(tx, "i1")) == 1
        db.run(lambda tx: security_groups.delete_group(tx, web))
        assert [r.from_port for r in db.run(lambda tx: security_groups.get(tx, "red", other.id)).rules] == [81]
        with pytest.raises(errors.NotFound):
            db.run(lambda tx: security_groups.add_member(tx, "i1", [web.id]))

    def test_the_default_group_keeps_its_name_and_stays(self, db: Database) -> None:
        default = db.run(lambda tx: security_groups.ensure_default(tx, project_id="red", user_id="ann"))
        with pytest.raises(errors.InvalidInput):
            db.run(lambda tx: security_groups.change(tx, default, name="x", description=""))
        with pytest.raises(errors.InvalidInput):
            db.run(lambda tx: security_groups.delete_group(tx, default))

    def test_renaming_to_a_name_in_use_is_refused(self, db: Database) -> None:
        one, _ = group(db, "one"), group(db, "two")
        with pytest.raises(errors.AlreadyExists):
            db.run(lambda tx: security_groups.change(tx, one, name="two", description=""))
        assert db.run(lambda tx: security_groups.change(tx, one, name="three", description="d")).name == "three"

    def test_groups_of_instances_come_in_one_statement(self, db: Database) -> None:
        a, b = group(db, "a"), group(db, "b")
        db.run(lambda tx: security_groups.add_member(tx, "i1", [b.id, a.id]))
        db.run(lambda tx: security_groups.add_member(tx, "i1", [b.id]))
        before = db.statements
        with db.transaction(write=False) as tx:
            found = security_groups.groups_of(tx, ["i1", "i2"])
        assert db.statements - before == 1
        assert {uuid: [g.name for g in groups] for uuid, groups in found.items()} == {"i1": ["a", "b"]}

    def test_rules_are_found_and_removed_by_their_project_only(self, db: Database) -> None:
        web = allow(db, group(db, "web"), tcp(80), tcp(81))
        with db.transaction(write=False) as tx:
            assert security_groups.get_rule(tx, "red", web.rules[0].id) == web.rules[0]
        with pytest.raises(errors.NotFound), db.transaction(write=False) as tx:
            security_groups.get_rule(tx, "blue", web.rules[0].id)
        assert db.run(lambda tx: security_groups.remove_rules(tx, web, [web.rules[0].id, 10**6])) == 1

    def test_the_providers_rules_are_replaced_as_a_whole(self, db: Database) -> None:
        for port in (25, 26):
            db.run(lambda tx, p=port: security_groups.set_provider_rules(tx, [tcp(p), tcp(p)]))
        assert [r.from_port for r in db.run(security_groups.provider_rules)] == [26]


class InstanceFilters:
    """What hosts are told."""

    def test_filters_of_many_instances_take_two_statements(self, db: Database) -> None:
        network = network_of(db)
        web, data = group(db, "web"), group(db, "data")
        allow(db, data, tcp(3306, group_id=web.id), tcp(22))
        for instance, mine in (("i1", web), ("i2", web), ("i3", data)):
            claim(db, network, instance=instance)
            db.run(lambda tx, i=instance, g=mine: security_groups.add_member(tx, i, [g.id]))
        before = db.statements
        with db.transaction(write=False) as tx:
            found = {one.instance_uuid: one for one in instance_filters.filters_of(tx, ["i1", "i3", "i4"])}
        assert db.statements - before == 2
        assert (found["i1"].rules, found["i4"].rules) == ((), ())
        assert [rule.from_port for rule in found["i3"].rules] == [3306, 22]
        assert found["i3"].rules[0].group_name == "web"
        assert found["i3"].members == {str(web.id): ("10.0.0.2", "10.0.0.3")}
        db.run(lambda tx: address_releases.release(tx, "i1"))
        with db.transaction(write=False) as tx:
            assert instance_filters.filters_of(tx, ["i3"])[0].members == {str(web.id): ("10.0.0.3",)}

    def test_a_change_touches_members_and_those_whose_rules_name_the_group(self, db: Database) -> None:
        web, data, other = group(db, "web"), group(db, "data"), group(db, "other")
        allow(db, data, tcp(3306, group_id=web.id))
        uuids = []
        for host, mine in (("c1", web), ("c2", data), ("c2", other)):
            made = db.run(lambda tx, h=host: instances.insert(tx, [dataclasses.replace(ACTIVE, uuid="", host=h)]))[0]
            uuids.append(made.uuid)
            db.run(lambda tx, i=made.uuid, g=mine: security_groups.add_member(tx, i, [g.id]))
        with db.transaction(write=False) as tx:
            assert instance_filters.hosts_touched_by(tx, [web.id]) == {"c1": (uuids[0],), "c2": (uuids[1],)}
            assert instance_filters.hosts_touched_by(tx, [data.id]) == {"c2": (uuids[1],)}
            assert instance_filters.source_groups_of(tx, uuids[0]) == [web.id]
            assert instance_filters.source_groups_of(tx, uuids[1]) == []
