# SPDX-License-Identifier: Apache-2.0
"""Hosts that are for certain images, and for nothing else."""

from __future__ import annotations

from nova.domain.host import HostRow
from nova.scheduler.filters.check import Check, because
from nova.scheduler.request import Request


def isolated_hosts_filter(request: Request) -> Check | None:
    """Refuses the isolated hosts to other images, and other hosts to the isolated images."""
    hosts = request.isolation.hosts
    if not hosts:
        return None
    is_isolated = request.spec.image_id in request.isolation.images

    def passes(host: HostRow) -> bool:
        return (host.host in hosts) == is_isolated

    return Check("isolated_hosts", passes, because("kept for other images"))
