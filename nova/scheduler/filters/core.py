# SPDX-License-Identifier: Apache-2.0
"""Enough unclaimed virtual processors."""

from __future__ import annotations

from nova.domain.host import HostRow
from nova.scheduler.filters.check import Check, because
from nova.scheduler.request import Request


def core_filter(request: Request) -> Check | None:
    """Refuses hosts on which fewer virtual processors than the flavor's can still be claimed."""
    needed, limits = request.spec.flavor.vcpus, request.limits

    def passes(host: HostRow) -> bool:
        return limits.vcpus(host) - host.vcpus_used >= needed

    return Check("core", passes, because(f"needs {needed} VCPUs"))
