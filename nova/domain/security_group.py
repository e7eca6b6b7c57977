# SPDX-License-Identifier: Apache-2.0
"""Security groups, their rules, and the filter of one instance as its host must apply it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroupRule:
    """What may come in.

    ``protocol`` is tcp, udp, icmp or empty for all; ports are ICMP type and code for icmp, -1 is all.
    """

    id: int = 0
    parent_group_id: int = 0
    protocol: str = ""
    from_port: int | None = None
    to_port: int | None = None
    cidr: str = ""
    """Empty when the source is a group."""
    group_id: int | None = None
    group_name: str = ""
    group_project_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroup:
    """A named set of rules of one project."""

    id: int
    project_id: str
    user_id: str = ""
    name: str
    description: str = ""
    rules: tuple[SecurityGroupRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceFilter:
    """All that the host of one instance needs to filter its traffic."""

    instance_uuid: str
    rules: tuple[SecurityGroupRule, ...] = ()
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Addresses of the members of each group that a rule names as its source, by group id as text."""
