# SPDX-License-Identifier: Apache-2.0
"""The two ways in which a call says what may come in: one permission in flat words, or a list of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from nova.api.actions.servers import scope_of
from nova.api.ec2.action import Ec2Request
from nova.api.ec2.faults import Ec2Refusal
from nova.api.ec2.parameters import Group, Many, Number, Parameter, Text
from nova.db import security_groups
from nova.domain.security_group import SecurityGroup, SecurityGroupRule
from nova.errors import NotFound

_PORT: tuple[Parameter, ...] = (
    Text("IpProtocol", most=16),
    Number("FromPort", least=-1, most=65535),
    Number("ToPort", least=-1, most=65535),
)
_RANGE = Group("IpRanges", Text("CidrIp", required=True, most=64), Text("Description"))
_RANGE_V6 = Group("Ipv6Ranges", Text("CidrIpv6", required=True, most=64), Text("Description"))
_SOURCE = Group("Groups", Text("GroupName"), Text("GroupId"), Text("UserId"), Text("Description"))
INGRESS: tuple[Parameter, ...] = (
    *_PORT,
    Text("CidrIp", most=64),
    Text("SourceSecurityGroupName"),
    Text("SourceSecurityGroupOwnerId"),
    Many(
        Group("IpPermissions", *_PORT, Many(_RANGE, most=100), Many(_RANGE_V6, most=100), Many(_SOURCE, most=100)),
        most=100,
    ),
)
_NUMBERED = {"1": "icmp", "6": "tcp", "17": "udp", "-1": ""}
_ANYWHERE = "0.0.0.0/0"


def asked_rules(request: Ec2Request, group: SecurityGroup) -> list[SecurityGroupRule]:
    """The rules that the call names, for *group*."""
    listed = request.many("IpPermissions")
    found = [rule for each in (listed or [_flat(request.values)]) for rule in _rules(request, group, each)]
    if not found:
        raise Ec2Refusal("MissingParameter", "The request names no address range and no group.")
    return found


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """The flat words as a member of the list."""
    ports = {name: values[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in values}
    if values.get("SourceSecurityGroupName"):
        source = {
            "GroupName": values["SourceSecurityGroupName"],
            "UserId": values.get("SourceSecurityGroupOwnerId", ""),
        }
        return {**ports, "Groups": [source]}
    if not ports and "CidrIp" not in values:
        return {}
    return {**ports, "IpRanges": [{"CidrIp": values.get("CidrIp", _ANYWHERE)}]}


def _rules(request: Ec2Request, group: SecurityGroup, given: Mapping[str, Any]) -> Iterator[SecurityGroupRule]:
    protocol = str(given.get("IpProtocol", ""))
    rule = SecurityGroupRule(
        parent_group_id=group.id,
        protocol=_NUMBERED.get(protocol, protocol),
        from_port=given.get("FromPort"),
        to_port=given.get("ToPort"),
    )
    for each in (*given.get("IpRanges", ()), *given.get("Ipv6Ranges", ())):
        _check_ports(rule, protocol)
        yield replace(rule, cidr=each.get("CidrIp") or each.get("CidrIpv6"))
    for each in given.get("Groups", ()):
        yield replace(rule, group_id=_source(request, group, each).id)


def _check_ports(rule: SecurityGroupRule, protocol: str) -> None:
    if rule.protocol and (rule.from_port is None or rule.to_port is None):
        raise Ec2Refusal("MissingParameter", "A rule for an address range needs IpProtocol, FromPort and ToPort.")
    if not protocol:
        raise Ec2Refusal("MissingParameter", "The request must contain the parameter IpProtocol.")


def _source(request: Ec2Request, group: SecurityGroup, given: Mapping[str, Any]) -> SecurityGroup:
    """A group of the caller's own project, or, for administrators, of any."""
    scope = scope_of(request.context)
    owner = str(given.get("UserId") or group.project_id).rpartition(":")[2]
    number = str(given.get("GroupId", "")).removeprefix("sg-")
    try:
        if number:
            return security_groups.get(request.tx, scope, int(number) if number.isascii() and number.isdigit() else 0)
        if scope not in (None, owner):
            raise NotFound
        return security_groups.get_by_name(request.tx, owner, str(given.get("GroupName", "")))
    except NotFound:
        shown = (number or str(given.get("GroupName", "")))[:64]
        raise Ec2Refusal("InvalidGroup.NotFound", f"The security group '{shown}' does not exist.") from None
