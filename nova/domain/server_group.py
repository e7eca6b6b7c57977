# SPDX-License-Identifier: Apache-2.0
"""Server groups: servers that are to be on one host, or on a host each."""

from __future__ import annotations

import enum
from collections.abc import Collection
from dataclasses import dataclass


class Policy(enum.StrEnum):
    """What a group asks of the hosts of its members."""

    AFFINITY = "affinity"
    """All on one host"""
    ANTI_AFFINITY = "anti-affinity"
    """Each on a host of its own"""
    SOFT_AFFINITY = "soft-affinity"
    """Together where there is room"""
    SOFT_ANTI_AFFINITY = "soft-anti-affinity"
    """Apart where there are hosts"""

    def admits(self, host: str, others: Collection[str]) -> bool:
        """Whether a member may go to *host* while the others are on the hosts *others*."""
        if self is Policy.AFFINITY:
            return not others or set(others) == {host}
        if self is Policy.ANTI_AFFINITY:
            return host not in others
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerGroup:
    """One group; its members are the servers that live."""

    id: int = 0
    uuid: str
    project_id: str
    user_id: str
    name: str
    policy: Policy
    members: tuple[str, ...] = ()
