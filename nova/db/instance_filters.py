# SPDX-License-Identifier: Apache-2.0
"""What the hosts of instances need to filter their traffic, and whose filter changes when a group does."""

from __future__ import annotations

import functools
from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, bindparam, select, union

from nova.db.models.base import table_of
from nova.db.models.instance import InstanceRow
from nova.db.networks import FIXED_IPS
from nova.db.security_groups import GROUPS, MEMBERS, RULES, rule_of
from nova.db.transaction import Transaction
from nova.domain.security_group import InstanceFilter, SecurityGroupRule

INSTANCES = table_of(InstanceRow)


def filters_of(tx: Transaction, instance_uuids: Collection[str]) -> list[InstanceFilter]:
    """The filters of instances, one for each, in two statements.  An instance without groups gets one without rules."""
    rules = _rules_of(tx, instance_uuids)
    sources = {rule.group_id for mine in rules.values() for rule in mine if rule.group_id is not None}
    members = _addresses_of(tx, sources)
    return [
        InstanceFilter(
            instance_uuid=uuid,
            rules=tuple(rules.get(uuid, ())),
            members={
                str(group): members.get(group, ())
                for group in sorted({rule.group_id for rule in rules.get(uuid, ()) if rule.group_id is not None})
            },
        )
        for uuid in instance_uuids
    ]


def hosts_touched_by(tx: Transaction, group_ids: Collection[int]) -> dict[str, tuple[str, ...]]:
    """The instances whose filter depends on these groups, by their host; asked when rules or members change.

    These are the members of the groups, and those of every group that names one of them as a source.
    """
    chosen = sorted(set(group_ids))
    naming = select(RULES.c.parent_group_id).where(RULES.c.group_id.in_(chosen))
    groups = union(select(GROUPS.c.id).where(GROUPS.c.id.in_(chosen)), naming).subquery()
    query = (
        select(INSTANCES.c.uuid, INSTANCES.c.host)
        .join(MEMBERS, MEMBERS.c.instance_uuid == INSTANCES.c.uuid)
        .where(MEMBERS.c.security_group_id.in_(select(groups.c.id)))
        .where(INSTANCES.c.deleted == 0, INSTANCES.c.host.is_not(None))
        .distinct()
        .order_by(INSTANCES.c.uuid)
    )
    touched: dict[str, list[str]] = {}
    for row in tx.execute(query):
        touched.setdefault(row.host, []).append(row.uuid)
    return {host: tuple(uuids) for host, uuids in touched.items()}


def source_groups_of(tx: Transaction, instance_uuid: str) -> list[int]:
    """The groups of an instance that some rule names as a source: those whose members' addresses others know."""
    query = (
        select(MEMBERS.c.security_group_id)
        .join(RULES, RULES.c.group_id == MEMBERS.c.security_group_id)
        .where(MEMBERS.c.instance_uuid == instance_uuid)
        .distinct()
    )
    return sorted(tx.execute(query).scalars())


def _rules_of(tx: Transaction, instance_uuids: Collection[str]) -> dict[str, list[SecurityGroupRule]]:
    found: dict[str, list[SecurityGroupRule]] = {}
    for row in tx.execute(_rules(), {"uuids": sorted(set(instance_uuids))}):
        found.setdefault(row.instance_uuid, []).append(rule_of(row))
    return found


@functools.cache
def _rules() -> Select[Any]:
    source = GROUPS.alias("source")
    return (
        select(RULES, source.c.name.label("source_name"), source.c.project_id.label("source_project"))
        .add_columns(MEMBERS.c.instance_uuid)
        .join_from(MEMBERS, RULES, RULES.c.parent_group_id == MEMBERS.c.security_group_id)
        .outerjoin(source, source.c.id == RULES.c.group_id)
        .where(MEMBERS.c.instance_uuid.in_(bindparam("uuids", expanding=True)))
        .order_by(MEMBERS.c.instance_uuid, RULES.c.id)
    )


def _addresses_of(tx: Transaction, group_ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    if not group_ids:
        return {}
    query = (
        select(MEMBERS.c.security_group_id, FIXED_IPS.c.address)
        .join_from(MEMBERS, FIXED_IPS, FIXED_IPS.c.instance_uuid == MEMBERS.c.instance_uuid)
        .where(MEMBERS.c.security_group_id.in_(sorted(group_ids)), FIXED_IPS.c.allocated)
        .order_by(MEMBERS.c.security_group_id, FIXED_IPS.c.id)
    )
    found: dict[int, list[str]] = {}
    for row in tx.execute(query):
        found.setdefault(row.security_group_id, []).append(row.address)
    return {group: tuple(addresses) for group, addresses in found.items()}
