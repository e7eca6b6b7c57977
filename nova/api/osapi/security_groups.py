# SPDX-License-Identifier: Apache-2.0
"""/os-security-groups and their rules, and the groups of a server."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from nova.api.actions import security_groups as actions
from nova.api.actions import servers
from nova.api.actions.servers import scope_of
from nova.api.osapi import server_schema
from nova.api.osapi.paging import offset_page
from nova.api.osapi.services import number_in
from nova.api.parameter_types import LOOSE_NAME, TEXT, closed, envelope, query_bool
from nova.api.policies.compute import PREFIX
from nova.api.request import Answer, ApiRequest
from nova.api.routing import Route, Tx, body
from nova.api.schema import Schema
from nova.db import security_groups
from nova.domain.security_group import SecurityGroup, SecurityGroupRule
from nova.errors import InvalidInput

POLICY = PREFIX + "os-security-groups:"
GROUP = envelope(
    "security_group", closed({"name": LOOSE_NAME, "description": {**TEXT, "type": ["string", "null"]}}, "name")
)
_RANGE = re.compile(r"[0-9a-fA-F.:]+/[0-9]{1,3}")
_PORT: Schema = {"type": ["integer", "string", "null"], "maxLength": 10}
_ID: Schema = {"type": ["integer", "string", "null"], "maxLength": 64}
RULE = envelope(
    "security_group_rule",
    closed(
        {
            "parent_group_id": _ID,
            "ip_protocol": {"type": ["string", "null"], "maxLength": 16},
            "from_port": _PORT,
            "to_port": _PORT,
            "cidr": {"type": ["string", "null"], "maxLength": 64},
            "group_id": _ID,
        },
        "parent_group_id",
    ),
)


def rule_view(rule: SecurityGroupRule) -> dict[str, Any]:
    """One rule."""
    source = {"name": rule.group_name, "tenant_id": rule.group_project_id} if rule.group_id is not None else {}
    return {
        "id": rule.id,
        "parent_group_id": rule.parent_group_id,
        "ip_protocol": rule.protocol or None,
        "from_port": rule.from_port,
        "to_port": rule.to_port,
        "ip_range": {"cidr": rule.cidr} if rule.cidr else {},
        "group": source,
    }


def view(group: SecurityGroup) -> dict[str, Any]:
    """A group with its rules."""
    return {
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "tenant_id": group.project_id,
        "rules": [rule_view(rule) for rule in group.rules],
    }


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /os-security-groups"""
    context, project = request.context, request.context.project_id
    if query_bool(request.query.get("all_tenants"), field="all_tenants"):
        request.cloud.policy.authorize(context, POLICY + "get_all_tenants")
        found = security_groups.find_all(request.tx)
    else:
        security_groups.ensure_default(request.tx, project_id=project, user_id=context.user_id)
        found = security_groups.find_all(request.tx, project)
    found.sort(key=lambda group: (group.project_id, group.name))
    return {"security_groups": [view(group) for group in offset_page(request, found)]}


def _group(request: ApiRequest) -> SecurityGroup:
    number = number_in(request.path["id"], what="security group")
    return security_groups.get(request.tx, scope_of(request.context), number)


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /os-security-groups/{id}"""
    return {"security_group": view(_group(request))}


def _texts(request: ApiRequest) -> tuple[str, str]:
    wanted = request.body["security_group"]
    return wanted["name"].strip(), (wanted.get("description") or "").strip()


def create(request: ApiRequest) -> dict[str, Any]:
    """POST /os-security-groups"""
    name, description = _texts(request)
    group = actions.create(request.cloud, request.tx, request.context, name=name, description=description)
    return {"security_group": view(group)}


def update(request: ApiRequest) -> dict[str, Any]:
    """PUT /os-security-groups/{id}"""
    group, (name, description) = _group(request), _texts(request)
    with request.tx.unique(f"The project has a security group {name} already.", resource="security group"):
        changed = security_groups.change(request.tx, group, name=name, description=description)
    return {"security_group": view(changed)}


def delete(request: ApiRequest) -> Answer:
    """DELETE /os-security-groups/{id}"""
    actions.delete(request.cloud, request.tx, request.context, _group(request))
    return Answer()


def create_rule(request: ApiRequest) -> dict[str, Any]:
    """POST /os-security-group-rules"""
    wanted = request.body["security_group_rule"]
    parent = _number(wanted["parent_group_id"], "parent_group_id")
    group = security_groups.get(request.tx, scope_of(request.context), parent)
    before = {rule.id for rule in group.rules}
    rule = _rule(request, wanted, group)
    changed = actions.add_rules(request.cloud, request.tx, request.context, group, [rule])
    return {"security_group_rule": next(rule_view(each) for each in changed.rules if each.id not in before)}


def _rule(request: ApiRequest, wanted: dict[str, Any], group: SecurityGroup) -> SecurityGroupRule:
    rule = SecurityGroupRule(
        parent_group_id=group.id,
        protocol=wanted.get("ip_protocol") or "",
        from_port=_port(wanted.get("from_port"), "from_port"),
        to_port=_port(wanted.get("to_port"), "to_port"),
    )
    if wanted.get("group_id") is not None:
        source = _number(wanted["group_id"], "group_id")
        security_groups.get(request.tx, scope_of(request.context), source)
        return replace(rule, group_id=source)
    if not rule.protocol or rule.from_port is None or rule.to_port is None:
        raise InvalidInput("Not enough parameters: a rule with a range needs protocol, from_port and to_port.")
    return replace(rule, cidr=_range(wanted.get("cidr") or "0.0.0.0/0"))


def _range(text: str) -> str:
    """*text* if it is a range with a prefix; one that takes in everybody must say so with a zero address."""
    address, _, prefix = text.partition("/")
    if not _RANGE.fullmatch(text) or (int(prefix) == 0 and address not in ("0.0.0.0", "::")):
        raise InvalidInput("Invalid input for cidr: it must be a range such as 10.0.0.0/8.", field="cidr")
    return text


def _number(value: Any, field: str) -> int:
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidInput(f"Invalid input for {field}: it must be the number of a security group.", field=field)
    return int(text)


def _port(value: Any, field: str) -> int | None:
    if value is None or value == "":
        return None
    text = str(value)
    if not (text.isascii() and text.removeprefix("-").isdigit()):
        raise InvalidInput(f"Invalid input for {field}: it must be a number.", field=field)
    return int(text)


def delete_rule(request: ApiRequest) -> Answer:
    """DELETE /os-security-group-rules/{id}"""
    number = number_in(request.path["id"], what="security group rule")
    rule = security_groups.get_rule(request.tx, scope_of(request.context), number)
    group = security_groups.get(request.tx, scope_of(request.context), rule.parent_group_id)
    actions.remove_rules(request.cloud, request.tx, request.context, group, [rule.id])
    return Answer()


def of_server(request: ApiRequest) -> dict[str, Any]:
    """GET /servers/{id}/os-security-groups"""
    instance = servers.load(request.tx, request.context, request.path["id"])
    names = {group.id for group in security_groups.groups_of(request.tx, [instance.uuid]).get(instance.uuid, ())}
    found = security_groups.find_all(request.tx, instance.project_id) if names else []
    return {"security_groups": [view(group) for group in found if group.id in names]}


def add_to_server(request: ApiRequest) -> None:
    """addSecurityGroup"""
    actions.add_server(request.cloud, request.tx, request.context, request.path["id"], request.body["name"])


def remove_from_server(request: ApiRequest) -> None:
    """removeSecurityGroup"""
    actions.remove_server(request.cloud, request.tx, request.context, request.path["id"], request.body["name"])


_GROUPS, _RULES = "/os-security-groups", "/os-security-group-rules"

ROUTES = (
    Route(method="GET", path=_GROUPS, handler=index, policy=POLICY + "index", tx=Tx.WRITE),
    Route(method="POST", path=_GROUPS, handler=create, policy=POLICY + "create", bodies=body(GROUP), tx=Tx.WRITE),
    Route(method="GET", path=_GROUPS + "/{id}", handler=show, policy=POLICY + "show"),
    Route(
        method="PUT",
        path=_GROUPS + "/{id}",
        handler=update,
        policy=POLICY + "update",
        bodies=body(GROUP),
        tx=Tx.WRITE,
    ),
    Route(method="DELETE", path=_GROUPS + "/{id}", handler=delete, policy=POLICY + "delete", success=202, tx=Tx.WRITE),
    Route(
        method="POST", path=_RULES, handler=create_rule, policy=POLICY + "rule:create", bodies=body(RULE), tx=Tx.WRITE
    ),
    Route(
        method="DELETE",
        path=_RULES + "/{id}",
        handler=delete_rule,
        policy=POLICY + "rule:delete",
        success=202,
        tx=Tx.WRITE,
    ),
    Route(method="GET", path="/servers/{id}/os-security-groups", handler=of_server, policy=POLICY + "show"),
    *(
        Route(
            method="POST",
            path="/servers/{id}/action",
            action=name,
            handler=handler,
            policy=POLICY + rule,
            bodies=body(schema),
            success=202,
            tx=Tx.WRITE,
        )
        for name, handler, schema, rule in (
            ("addSecurityGroup", add_to_server, server_schema.ADD_SECURITY_GROUP, "add"),
            ("removeSecurityGroup", remove_from_server, server_schema.REMOVE_SECURITY_GROUP, "remove"),
        )
    ),
)
