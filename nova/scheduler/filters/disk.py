# SPDX-License-Identifier: Apache-2.0
"""Enough unclaimed disk, and enough that is really free now."""

from __future__ import annotations

from nova.domain.host import HostRow
from nova.scheduler.filters.check import Check, because
from nova.scheduler.request import Request


def disk_filter(request: Request) -> Check | None:
    """Refuses hosts on which less disk than the flavor's can still be claimed, or is free in the file system."""
    needed, limits = request.spec.flavor.disk_gb, request.limits
    if not needed:
        return None

    def passes(host: HostRow) -> bool:
        unclaimed = limits.disk_gb(host) - host.disk_gb_used
        return unclaimed >= needed and host.disk_available_gb * limits.disk_ratio >= needed

    return Check("disk", passes, because(f"needs {needed} GB"))
