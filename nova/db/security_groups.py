# SPDX-License-Identifier: Apache-2.0
"""Security groups, their rules and their members.

Whoever adds to a group holds its row until the commit: counts are right, and no group is deleted under a new member.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Row, delete, func, insert, or_, select, update

from nova import errors
from nova.db.models.base import table_of
from nova.db.models.security_group import (
    ProviderFirewallRuleRow,
    SecurityGroupInstanceAssociationRow,
    SecurityGroupRow,
    SecurityGroupRuleRow,
)
from nova.db.new_rows import insert_if_new
from nova.db.transaction import Transaction
from nova.domain import security_rules
from nova.domain.security_group import SecurityGroup, SecurityGroupRule

GROUPS = table_of(SecurityGroupRow)
RULES = table_of(SecurityGroupRuleRow)
MEMBERS = table_of(SecurityGroupInstanceAssociationRow)
PROVIDER_RULES = table_of(ProviderFirewallRuleRow)

DEFAULT = "default"
_SOURCE = GROUPS.alias("source")
_RULE_COLUMNS = (RULES, _SOURCE.c.name.label("source_name"), _SOURCE.c.project_id.label("source_project"))


def find_all(tx: Transaction, project_id: str | None = None) -> list[SecurityGroup]:
    """The groups of a project (None: of all) with their rules, by name; two statements."""
    return _find(tx, *([] if project_id is None else [GROUPS.c.project_id == project_id]))


def get(tx: Transaction, project_id: str | None, group_id: int) -> SecurityGroup:
    """One group of the project (None: of any); NotFound."""
    mine = [] if project_id is None else [GROUPS.c.project_id == project_id]
    return _one(_find(tx, GROUPS.c.id == group_id, *mine), group_id)


def get_by_name(tx: Transaction, project_id: str, name: str) -> SecurityGroup:
    """The project's group of this name; NotFound."""
    return _one(_find(tx, GROUPS.c.project_id == project_id, GROUPS.c.name == name), name)


def create(tx: Transaction, *, project_id: str, user_id: str, name: str, description: str) -> SecurityGroup:
    """A new group without rules; AlreadyExists when the project has one of this name."""
    values = {"project_id": project_id, "user_id": user_id or None, "name": name, "description": description}
    made = insert_if_new(tx, GROUPS, values | {"created_at": tx.now, "deleted": 0})
    if made is None:
        raise errors.AlreadyExists(f"Security group {name} exists already.", resource="security group", id=name)
    return SecurityGroup(id=made, project_id=project_id, user_id=user_id, name=name, description=description)


def ensure_default(tx: Transaction, *, project_id: str, user_id: str) -> SecurityGroup:
    """The project's group ``default``, made at its first use."""
    values = {"project_id": project_id, "user_id": user_id or None, "name": DEFAULT, "description": DEFAULT}
    found = _find(tx, GROUPS.c.project_id == project_id, GROUPS.c.name == DEFAULT)
    if not found:
        insert_if_new(tx, GROUPS, values | {"created_at": tx.now, "deleted": 0})
    return found[0] if found else get_by_name(tx, project_id, DEFAULT)


def change(tx: Transaction, group: SecurityGroup, *, name: str, description: str) -> SecurityGroup:
    """Rename or describe a group; AlreadyExists, and InvalidInput for the name of the default group."""
    if group.name == DEFAULT and name != DEFAULT:
        raise errors.InvalidInput("The default security group cannot be renamed.", field="name")
    here = (GROUPS.c.id == group.id) & (GROUPS.c.deleted == 0)
    with tx.unique(f"Security group {name} exists already.", resource="security group", id=name):
        tx.execute(update(GROUPS).where(here).values(name=name, description=description, updated_at=tx.now))
    return get(tx, group.project_id, group.id)


def delete_group(tx: Transaction, group: SecurityGroup) -> None:
    """Remove a group with its rules, and the rules of others that name it as their source.

    :raises errors.Conflict: it has members
    :raises errors.InvalidInput: it is the default group
    """
    if group.name == DEFAULT:
        raise errors.InvalidInput("The default security group cannot be deleted.", field="name")
    _hold(tx, [group.id])
    if tx.execute(select(MEMBERS.c.id).where(MEMBERS.c.security_group_id == group.id).limit(1)).first():
        raise errors.Conflict(f"Security group {group.name} is in use.", resource="security group", id=group.id)
    tx.execute(delete(RULES).where(or_(RULES.c.parent_group_id == group.id, RULES.c.group_id == group.id)))
    gone = {"deleted": GROUPS.c.id, "deleted_at": tx.now}
    tx.execute(update(GROUPS).where(GROUPS.c.id == group.id).values(**gone))


def delete_project_groups(tx: Transaction, project_id: str) -> None:
    """Remove all groups of a project, with their memberships."""
    ids = [group.id for group in find_all(tx, project_id)]
    tx.execute(delete(MEMBERS).where(MEMBERS.c.security_group_id.in_(ids)))
    tx.execute(delete(RULES).where(or_(RULES.c.parent_group_id.in_(ids), RULES.c.group_id.in_(ids))))
    tx.execute(update(GROUPS).where(GROUPS.c.id.in_(ids)).values(deleted=GROUPS.c.id, deleted_at=tx.now))


def add_rules(
    tx: Transaction, group: SecurityGroup, rules: Sequence[SecurityGroupRule], *, limit: int
) -> SecurityGroup:
    """Add rules to a group.

    :param limit: how many rules a group may have, -1 for any number
    :raises errors.InvalidInput: see :func:`nova.domain.security_rules.canonical`
    :raises errors.AlreadyExists: the group has such a rule
    :raises errors.QuotaExceeded: it would have more than *limit*
    """
    _hold(tx, [group.id])
    checked = [security_rules.canonical(rule) for rule in rules]
    count = tx.execute(select(func.count()).where(RULES.c.parent_group_id == group.id)).scalar_one()
    if 0 <= limit < count + len(checked):
        raise errors.QuotaExceeded(
            "Quota exceeded, too many security group rules.", resource="security_group_rules", limit=limit
        )
    for rule in checked:
        values = {name: getattr(rule, name) or None for name in ("protocol", "cidr")}
        ports = {"from_port": rule.from_port, "to_port": rule.to_port, "group_id": rule.group_id}
        row = {"parent_group_id": group.id, "rule_key": security_rules.key(rule), "created_at": tx.now}
        if insert_if_new(tx, RULES, row | values | ports) is None:
            raise errors.AlreadyExists("This rule exists in the security group.", resource="security group rule")
    return get(tx, None, group.id)


def get_rule(tx: Transaction, project_id: str | None, rule_id: int) -> SecurityGroupRule:
    """One rule of a group of the project (None: of any); NotFound."""
    mine = [] if project_id is None else [GROUPS.c.project_id == project_id]
    query = _rules_query().join(GROUPS, GROUPS.c.id == RULES.c.parent_group_id)
    row = tx.execute(query.where(RULES.c.id == rule_id, GROUPS.c.deleted == 0, *mine)).first()
    if row is None:
        raise errors.NotFound.of("security group rule", rule_id)
    return rule_of(row)


def remove_rules(tx: Transaction, group: SecurityGroup, rule_ids: Collection[int]) -> int:
    """Remove rules of the group; how many there were."""
    mine = (RULES.c.parent_group_id == group.id) & RULES.c.id.in_(sorted(rule_ids))
    return tx.execute(delete(RULES).where(mine)).rowcount


def add_member(tx: Transaction, instance_uuid: str, group_ids: Collection[int]) -> None:
    """Put an instance into groups; nothing happens for those it is in.  NotFound when a group was deleted meanwhile."""
    _hold(tx, group_ids, shared=True)
    for group_id in sorted(group_ids):
        values = {"security_group_id": group_id, "instance_uuid": instance_uuid, "created_at": tx.now}
        insert_if_new(tx, MEMBERS, values)


def remove_member(tx: Transaction, instance_uuid: str, group_ids: Collection[int] | None = None) -> int:
    """Take an instance out of groups (None: of all); how many it was in."""
    chosen = [] if group_ids is None else [MEMBERS.c.security_group_id.in_(sorted(group_ids))]
    return tx.execute(delete(MEMBERS).where(MEMBERS.c.instance_uuid == instance_uuid, *chosen)).rowcount


def groups_of(tx: Transaction, instance_uuids: Collection[str]) -> dict[str, tuple[SecurityGroup, ...]]:
    """The groups (without rules) of instances, by name, in one statement; no key for one without groups."""
    query = (
        select(GROUPS, MEMBERS.c.instance_uuid)
        .join_from(MEMBERS, GROUPS, GROUPS.c.id == MEMBERS.c.security_group_id)
        .where(MEMBERS.c.instance_uuid.in_(sorted(set(instance_uuids))))
        .order_by(GROUPS.c.name)
    )
    found: dict[str, list[SecurityGroup]] = {}
    for row in tx.execute(query):
        found.setdefault(row.instance_uuid, []).append(_group(row, ()))
    return {uuid: tuple(groups) for uuid, groups in found.items()}


def names_of(tx: Transaction, instance_uuids: Collection[str]) -> dict[str, list[str]]:
    """The names of the groups of instances, in one statement; no key for one without groups."""
    found: dict[str, list[str]] = {}
    if instance_uuids:
        query = (
            select(MEMBERS.c.instance_uuid, GROUPS.c.name)
            .join_from(MEMBERS, GROUPS, GROUPS.c.id == MEMBERS.c.security_group_id)
            .where(MEMBERS.c.instance_uuid.in_(instance_uuids))
            .order_by(GROUPS.c.name)
        )
        for uuid, name in tx.execute(query):
            found.setdefault(uuid, []).append(name)
    return found


def provider_rules(tx: Transaction) -> list[SecurityGroupRule]:
    """What the operator drops for every server."""
    return [_plain_rule(row) for row in tx.execute(select(PROVIDER_RULES).order_by(PROVIDER_RULES.c.id))]


def set_provider_rules(tx: Transaction, rules: Iterable[SecurityGroupRule]) -> None:
    """Replace the rules of the provider."""
    wanted = {security_rules.key(rule): rule for rule in map(security_rules.canonical, rules)}
    tx.execute(delete(PROVIDER_RULES))
    for rule_key, rule in wanted.items():
        values = {"protocol": rule.protocol or None, "from_port": rule.from_port, "to_port": rule.to_port}
        tx.execute(insert(PROVIDER_RULES).values(**values, cidr=rule.cidr, rule_key=rule_key, created_at=tx.now))


def rule_of(row: Row[Any]) -> SecurityGroupRule:
    """The rule in a row of the rules' table with its source's name and project."""
    return SecurityGroupRule(
        id=row.id,
        parent_group_id=row.parent_group_id,
        protocol=(row.protocol or "").lower(),
        from_port=row.from_port,
        to_port=row.to_port,
        cidr=row.cidr or "",
        group_id=row.group_id,
        group_name=row.source_name or "",
        group_project_id=row.source_project or "",
    )


def _plain_rule(row: Row[Any]) -> SecurityGroupRule:
    ports = {"from_port": row.from_port, "to_port": row.to_port}
    return SecurityGroupRule(id=row.id, protocol=(row.protocol or "").lower(), cidr=row.cidr or "", **ports)


def _rules_query() -> Any:
    return select(*_RULE_COLUMNS).select_from(RULES).outerjoin(_SOURCE, _SOURCE.c.id == RULES.c.group_id)


def _find(tx: Transaction, *conditions: Any) -> list[SecurityGroup]:
    query = select(GROUPS).where(GROUPS.c.deleted == 0, *conditions).order_by(GROUPS.c.name, GROUPS.c.id)
    rows = tx.execute(query).all()
    if not rows:
        return []
    mine = RULES.c.parent_group_id.in_([row.id for row in rows])
    rules: dict[int, list[SecurityGroupRule]] = {}
    for row in tx.execute(_rules_query().where(mine).order_by(RULES.c.id)):
        rules.setdefault(row.parent_group_id, []).append(rule_of(row))
    return [_group(row, tuple(rules.get(row.id, ()))) for row in rows]


def _group(row: Row[Any], rules: tuple[SecurityGroupRule, ...]) -> SecurityGroup:
    return SecurityGroup(
        id=row.id,
        project_id=row.project_id,
        user_id=row.user_id or "",
        name=row.name,
        description=row.description or "",
        rules=rules,
    )


def _hold(tx: Transaction, group_ids: Collection[int], *, shared: bool = False) -> None:
    """Keep the groups' rows until the commit, against those who delete or count."""
    wanted = sorted(set(group_ids))
    query = select(GROUPS.c.id).where(GROUPS.c.id.in_(wanted), GROUPS.c.deleted == 0).order_by(GROUPS.c.id)
    found = set(tx.execute(query.with_for_update(read=shared)).scalars())
    missing = [group_id for group_id in wanted if group_id not in found]
    if missing:
        raise errors.NotFound.of("security group", missing[0])


def _one(found: Sequence[SecurityGroup], key: object) -> SecurityGroup:
    if not found:
        raise errors.NotFound.of("security group", key)
    return found[0]
