# SPDX-License-Identifier: Apache-2.0
"""What filters know of a request: its specification, its hints turned into hosts, and the cloud's limits."""

from __future__ import annotations

from dataclasses import dataclass, field

from nova.domain.request_spec import RequestSpec
from nova.scheduler.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request for hosts."""

    spec: RequestSpec
    limits: Limits = field(default_factory=Limits)
    same_hosts: frozenset[str] | None = None
    """Hosts of the servers named by the hint ``same_host``; None without the hint"""
    different_hosts: frozenset[str] = frozenset()
    """Hosts of the servers named by the hint ``different_host``"""


SAME_HOST = "same_host"
DIFFERENT_HOST = "different_host"


def hinted_servers(spec: RequestSpec, hint: str) -> list[str]:
    """The uuids that a hint names, given as one text or as a list."""
    named = spec.hints.get(hint) or []
    return [named] if isinstance(named, str) else [str(each) for each in named]
