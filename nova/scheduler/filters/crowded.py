# SPDX-License-Identifier: Apache-2.0
"""Hosts that have much to do: many servers, or many builds at once."""

from __future__ import annotations

from nova.domain.host import HostRow
from nova.scheduler.filters.check import Check, because
from nova.scheduler.request import Request


def num_instances_filter(request: Request) -> Check | None:
    """Refuses hosts that have the most servers that the operator wants on one."""
    most, servers = request.crowding.max_servers, request.crowding.servers

    def passes(host: HostRow) -> bool:
        return servers.get(host.host, 0) < most

    return Check("num_instances", passes, because(f"{most} servers are there"))


def io_ops_filter(request: Request) -> Check | None:
    """Refuses hosts that build as many servers at once as the operator wants."""
    most, building = request.crowding.max_building, request.crowding.building

    def passes(host: HostRow) -> bool:
        return building.get(host.host, 0) < most

    return Check("io_ops", passes, because(f"{most} servers are being built there"))
