# SPDX-License-Identifier: Apache-2.0
"""What filters know of a request: its specification, its hints turned into hosts, and the cloud's limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nova.domain.request_spec import RequestSpec
from nova.domain.server_group import Policy
from nova.scheduler.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPlacement:
    """The group of the servers in question, and where its other members are."""

    policy: Policy
    hosts: Mapping[str, int]
    """How many are on each host"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowding:
    """How much goes on on the hosts, and how much may."""

    servers: Mapping[str, int] = field(default_factory=dict)
    building: Mapping[str, int] = field(default_factory=dict)
    max_servers: int = 50
    max_building: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """Hosts that are for certain images only."""

    images: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request for hosts."""

    spec: RequestSpec
    limits: Limits = field(default_factory=Limits)
    same_hosts: frozenset[str] | None = None
    """Hosts of the servers named by the hint ``same_host``; None without the hint"""
    different_hosts: frozenset[str] = frozenset()
    """Hosts of the servers named by the hint ``different_host``"""
    group: GroupPlacement | None = None
    crowding: Crowding = field(default_factory=Crowding)
    isolation: Isolation = field(default_factory=Isolation)
    aggregates: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)
    """What the aggregates of each host say, by key"""


SAME_HOST = "same_host"
DIFFERENT_HOST = "different_host"


def hinted_servers(spec: RequestSpec, hint: str) -> list[str]:
    """The uuids that a hint names, given as one text or as a list."""
    named = spec.hints.get(hint) or []
    return [named] if isinstance(named, str) else [str(each) for each in named]
