# SPDX-License-Identifier: Apache-2.0
"""Enough unclaimed memory."""

from __future__ import annotations

from nova.domain.host import HostRow
from nova.scheduler.filters.check import Check, because
from nova.scheduler.request import Request


def ram_filter(request: Request) -> Check | None:
    """Refuses hosts on which less memory than the flavor's can still be claimed."""
    needed, limits = request.spec.flavor.memory_mb, request.limits

    def passes(host: HostRow) -> bool:
        return limits.memory_mb(host) - host.memory_mb_used >= needed

    return Check("ram", passes, because(f"needs {needed} MB"))
