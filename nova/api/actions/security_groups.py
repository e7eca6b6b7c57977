# SPDX-License-Identifier: Apache-2.0
"""Security groups, their rules and members.  After each change the hosts of the servers that it touches are told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from nova.api.actions import servers
from nova.api.actions.after_commit import tell
from nova.api.cloud import Cloud
from nova.api.policies.compute import PREFIX
from nova.context import RequestContext
from nova.db import instance_filters, quota_limits, quotas, security_groups
from nova.db.engine import Transaction
from nova.domain.security_group import SecurityGroup, SecurityGroupRule
from nova.errors import AlreadyExists, Conflict, InvalidInput, NotFound

RULE = PREFIX + "os-security-groups:"


def create(cloud: Cloud, tx: Transaction, context: RequestContext, *, name: str, description: str) -> SecurityGroup:
    """A new group of the caller's project; InvalidInput when it has one of this name, QuotaExceeded."""
    cloud.policy.authorize(context, RULE + "create")
    quotas.claim(
        tx,
        {"security_groups": 1},
        project_id=context.project_id,
        user_id=context.user_id,
        defaults=cloud.settings.default_quotas,
    )
    try:
        return security_groups.create(
            tx, project_id=context.project_id, user_id=context.user_id, name=name, description=description
        )
    except AlreadyExists as error:
        tx.doom("quota was claimed for a group that exists")
        raise InvalidInput(error.message, field="name") from error


def delete(cloud: Cloud, tx: Transaction, context: RequestContext, group: SecurityGroup) -> None:
    """Remove a group that no server is in; InvalidInput otherwise, and for the default group."""
    _authorize(cloud, context, "delete", group)
    touched = instance_filters.hosts_touched_by(tx, [group.id])
    try:
        security_groups.delete_group(tx, group)
    except Conflict as error:
        raise InvalidInput(error.message) from error
    quotas.release(tx, {"security_groups": 1}, project_id=group.project_id, user_id=group.user_id)
    refresh(cloud, tx, context, touched)


def add_rules(
    cloud: Cloud, tx: Transaction, context: RequestContext, group: SecurityGroup, rules: Sequence[SecurityGroupRule]
) -> SecurityGroup:
    """Add rules to a group; InvalidInput for one that it has, QuotaExceeded."""
    _authorize(cloud, context, "rule:create", group)
    defaults = cloud.settings.default_quotas
    limit = quota_limits.effective(tx, group.project_id, defaults=defaults)["security_group_rules"]
    try:
        changed = security_groups.add_rules(tx, group, rules, limit=limit)
    except AlreadyExists as error:
        raise InvalidInput(error.message) from error
    refresh(cloud, tx, context, instance_filters.hosts_touched_by(tx, [group.id]))
    return changed


def remove_rules(
    cloud: Cloud, tx: Transaction, context: RequestContext, group: SecurityGroup, rule_ids: Collection[int]
) -> None:
    """Remove rules of a group; NotFound when it has none of them."""
    _authorize(cloud, context, "rule:delete", group)
    if not security_groups.remove_rules(tx, group, rule_ids):
        raise NotFound("The security group has no such rule.", resource="security group rule")
    refresh(cloud, tx, context, instance_filters.hosts_touched_by(tx, [group.id]))


def add_server(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, name: str) -> None:
    """Put a server into a group of its project; InvalidInput when it is in it."""
    group_id, member = _membership(cloud, tx, context, uuid, name, rule="add")
    if member:
        raise InvalidInput(f"The server is in the security group {name} already.", field="name")
    security_groups.add_member(tx, uuid, [group_id])
    _refresh_around(cloud, tx, context, uuid, group_id)


def remove_server(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, name: str) -> None:
    """Take a server out of a group; InvalidInput when it is not in it."""
    group_id, member = _membership(cloud, tx, context, uuid, name, rule="remove")
    if not member:
        raise InvalidInput(f"The server is not in the security group {name}.", field="name")
    security_groups.remove_member(tx, uuid, [group_id])
    _refresh_around(cloud, tx, context, uuid, group_id)


def _membership(
    cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, name: str, *, rule: str
) -> tuple[int, bool]:
    """The group's number, and whether the server is in it."""
    instance = servers.load(tx, context, uuid)
    servers.authorize(cloud, context, RULE + rule, instance)
    group = security_groups.get_by_name(tx, instance.project_id, name)
    mine = security_groups.groups_of(tx, [uuid]).get(uuid, ())
    return group.id, group.id in {each.id for each in mine}


def _refresh_around(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, group_id: int) -> None:
    touched = {host: set(found) for host, found in instance_filters.hosts_touched_by(tx, [group_id]).items()}
    host = servers.load(tx, context, uuid).host
    if host:
        touched.setdefault(host, set()).add(uuid)
    refresh(cloud, tx, context, {host: tuple(sorted(found)) for host, found in touched.items()})


def refresh(cloud: Cloud, tx: Transaction, context: RequestContext, touched: Mapping[str, tuple[str, ...]]) -> None:
    """After the commit, have each host fetch the filters of these servers anew."""
    for host, uuids in touched.items():
        _tell_host(cloud, tx, context, host, uuids)


def _tell_host(cloud: Cloud, tx: Transaction, context: RequestContext, host: str, uuids: tuple[str, ...]) -> None:
    tell(
        tx,
        f"refresh filters on {host}",
        lambda: cloud.compute.on(host).refresh_filters(context, instance_uuids=uuids),
    )


def _authorize(cloud: Cloud, context: RequestContext, what: str, group: SecurityGroup) -> None:
    cloud.policy.authorize(context, RULE + what, {"project_id": group.project_id, "user_id": group.user_id})
