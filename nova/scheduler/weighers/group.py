# SPDX-License-Identifier: Apache-2.0
"""Servers of the same group: near or far, as far as it can be had."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nova.domain.host import HostRow
from nova.domain.server_group import Policy


def near_the_group(policy: Policy | None, hosts: Mapping[str, int]) -> Callable[[HostRow], float]:
    """How many members are there: for the better, or for the worse; nothing for the policies that are no wish."""
    sign = {Policy.SOFT_AFFINITY: 1, Policy.SOFT_ANTI_AFFINITY: -1}.get(policy, 0) if policy else 0
    return lambda host: sign * hosts.get(host.host, 0)
