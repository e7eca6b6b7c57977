# SPDX-License-Identifier: Apache-2.0
"""Security groups and what they let in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from nova.api.actions import security_groups as actions
from nova.api.actions.servers import scope_of
from nova.api.ec2.action import Ec2Action, Ec2Request
from nova.api.ec2.documents import Value
from nova.api.ec2.faults import Ec2Refusal
from nova.api.ec2.filters import Reader, narrowed
from nova.api.ec2.ingress import INGRESS, asked_rules
from nova.api.ec2.parameters import FILTERS, PAGING, Many, Text
from nova.api.policies.compute import PREFIX
from nova.api.routing import Tx
from nova.db import security_groups
from nova.domain import security_rules
from nova.domain.security_group import SecurityGroup, SecurityGroupRule
from nova.errors import AlreadyExists, InvalidInput, NotFound

POLICY = PREFIX + "os-security-groups:"
_NAME = re.compile(r"[A-Za-z0-9_ -]{1,255}", re.ASCII)
_ID = re.compile(r"(sg-)?[0-9]{1,9}", re.ASCII)
NAME, ID = Text("GroupName"), Text("GroupId")
_NAMED = (NAME, ID)

_READERS: dict[str, Reader[SecurityGroup]] = {
    "group-id": lambda group: [group.id],
    "group-name": lambda group: [group.name],
    "description": lambda group: [group.description],
    "owner-id": lambda group: [group.project_id],
    "ip-permission.protocol": lambda group: [rule.protocol for rule in group.rules],
    "ip-permission.from-port": lambda group: [rule.from_port for rule in group.rules],
    "ip-permission.to-port": lambda group: [rule.to_port for rule in group.rules],
    "ip-permission.cidr": lambda group: [rule.cidr for rule in group.rules if rule.cidr],
}


def describe(request: Ec2Request) -> Mapping[str, Value]:
    """DescribeSecurityGroups"""
    context = request.context
    security_groups.ensure_default(request.tx, project_id=context.project_id, user_id=context.user_id)
    found = security_groups.find_all(request.tx, scope_of(context))
    names, ids = request.many("GroupName"), [_number(each) for each in request.many("GroupId")]
    for name in names:
        if name not in {group.name for group in found}:
            raise _unknown(name)
    for number in ids:
        if number not in {group.id for group in found}:
            raise _unknown(str(number))
    if names or ids:
        found = [group for group in found if group.name in names or group.id in ids]
    found = narrowed(found, request.many("Filter"), _READERS)
    return {"securityGroupInfo": [_view(group) for group in sorted(found, key=lambda g: (g.project_id, g.name))]}


def create(request: Ec2Request) -> Mapping[str, Value]:
    """CreateSecurityGroup"""
    name = request.text("GroupName").strip()
    if not _NAME.fullmatch(name):
        raise Ec2Refusal("InvalidParameterValue", "GroupName has up to 255 letters, digits, spaces, - and _.")
    try:
        group = actions.create(
            request.cloud, request.tx, request.context, name=name, description=request.text("GroupDescription")
        )
    except InvalidInput as error:
        if isinstance(error.__cause__, AlreadyExists):
            raise Ec2Refusal("InvalidGroup.Duplicate", error.message) from error
        raise
    return {"return": True, "groupId": str(group.id), "securityGroupSet": [_view(group)]}


def delete(request: Ec2Request) -> Mapping[str, Value]:
    """DeleteSecurityGroup"""
    group = _group(request)
    try:
        actions.delete(request.cloud, request.tx, request.context, group)
    except InvalidInput as error:
        raise Ec2Refusal("InvalidGroup.InUse", error.message) from error
    return {"return": True}


def authorize(request: Ec2Request) -> Mapping[str, Value]:
    """AuthorizeSecurityGroupIngress"""
    group = _group(request)
    try:
        actions.add_rules(request.cloud, request.tx, request.context, group, asked_rules(request, group))
    except InvalidInput as error:
        if isinstance(error.__cause__, AlreadyExists):
            raise Ec2Refusal("InvalidPermission.Duplicate", error.message) from error
        raise
    return {"return": True}


def revoke(request: Ec2Request) -> Mapping[str, Value]:
    """RevokeSecurityGroupIngress"""
    group = _group(request)
    there = {security_rules.key(rule): rule.id for rule in group.rules}
    wanted = [security_rules.key(security_rules.canonical(rule)) for rule in asked_rules(request, group)]
    doomed = [there[key] for key in wanted if key in there]
    if len(doomed) != len(wanted):
        raise Ec2Refusal("InvalidPermission.NotFound", "The security group has no such rule.")
    actions.remove_rules(request.cloud, request.tx, request.context, group, doomed)
    return {"return": True}


def names_of_groups(request: Ec2Request, ids: Sequence[str]) -> list[str]:
    """The names of the project's groups with these ids."""
    mine = {group.id: group.name for group in security_groups.find_all(request.tx, request.context.project_id)}
    for each in ids:
        if _number(each) not in mine:
            raise _unknown(each)
    return [mine[_number(each)] for each in ids]


def _group(request: Ec2Request) -> SecurityGroup:
    """The group that the call names, by id or by the name that it has in the caller's project."""
    given = request.text("GroupId") or request.text("GroupName")
    if not given:
        raise Ec2Refusal("MissingParameter", "The request must contain the parameter GroupName or GroupId.")
    try:
        if "GroupId" in request.values:
            return security_groups.get(request.tx, scope_of(request.context), _number(given))
        return security_groups.get_by_name(request.tx, request.context.project_id, given)
    except NotFound:
        raise _unknown(given) from None


def _number(given: str) -> int:
    if not _ID.fullmatch(given):
        raise Ec2Refusal("InvalidGroupId.Malformed", f'Invalid id: "{given[:64]}".')
    return int(given.removeprefix("sg-"))


def _unknown(given: str) -> Ec2Refusal:
    return Ec2Refusal("InvalidGroup.NotFound", f"The security group '{given[:64]}' does not exist.")


def _view(group: SecurityGroup) -> dict[str, Value]:
    return {
        "ownerId": group.project_id,
        "groupId": str(group.id),
        "groupName": group.name,
        "groupDescription": group.description,
        "ipPermissions": [permission for rule in group.rules for permission in _permissions(rule)],
        "tagSet": [],
    }


def _permissions(rule: SecurityGroupRule) -> list[Value]:
    """A rule for all protocols is one permission for each."""
    if rule.protocol:
        return [_permission(rule, rule.protocol, rule.from_port, rule.to_port)]
    every: tuple[tuple[str, int, int], ...] = (("icmp", -1, -1), ("tcp", 1, 65535), ("udp", 1, 65535))
    return [_permission(rule, *each) for each in every]


def _permission(rule: SecurityGroupRule, protocol: str, first: int | None, last: int | None) -> dict[str, Any]:
    source = {"groupId": str(rule.group_id), "groupName": rule.group_name, "userId": rule.group_project_id}
    return {
        "ipProtocol": protocol,
        "fromPort": first,
        "toPort": last,
        "groups": [source] if rule.group_id is not None else [],
        "ipRanges": [{"cidrIp": rule.cidr}] if rule.cidr else [],
    }


ACTIONS = (
    Ec2Action(
        name="DescribeSecurityGroups",
        handler=describe,
        policy=POLICY + "index",
        parameters=(Many(NAME), Many(ID), FILTERS, *PAGING),
        tx=Tx.WRITE,
    ),
    Ec2Action(
        name="CreateSecurityGroup",
        handler=create,
        policy=POLICY + "create",
        parameters=(Text("GroupName", required=True), Text("GroupDescription", required=True)),
        tx=Tx.WRITE,
    ),
    Ec2Action(name="DeleteSecurityGroup", handler=delete, policy=POLICY + "delete", parameters=_NAMED, tx=Tx.WRITE),
    Ec2Action(
        name="AuthorizeSecurityGroupIngress",
        handler=authorize,
        policy=POLICY + "rule:create",
        parameters=(*_NAMED, *INGRESS),
        tx=Tx.WRITE,
    ),
    Ec2Action(
        name="RevokeSecurityGroupIngress",
        handler=revoke,
        policy=POLICY + "rule:delete",
        parameters=(*_NAMED, *INGRESS),
        tx=Tx.WRITE,
    ),
)
