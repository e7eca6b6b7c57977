# SPDX-License-Identifier: Apache-2.0
"""The group that the server is in: with its other members, or away from them."""

from __future__ import annotations

from nova.domain.host import HostRow
from nova.domain.server_group import Policy
from nova.scheduler.filters.check import Check, because
from nova.scheduler.request import Request

_REASONS = {
    Policy.AFFINITY: "the other servers of the group are elsewhere",
    Policy.ANTI_AFFINITY: "a server of the group is there",
}


def group_filter(request: Request) -> Check | None:
    """Refuses hosts that the group's policy does not admit; the claim looks once more, under a lock."""
    placement = request.group
    if placement is None or placement.policy not in _REASONS or not placement.hosts:
        return None

    def passes(host: HostRow) -> bool:
        return placement.policy.admits(host.host, placement.hosts)

    return Check("server_group", passes, because(_REASONS[placement.policy]))
