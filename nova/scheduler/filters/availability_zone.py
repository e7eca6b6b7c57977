# SPDX-License-Identifier: Apache-2.0
"""The availability zone that the user asked for."""

from __future__ import annotations

from nova.domain.host_state import HostState
from nova.scheduler.filters.check import Check, because
from nova.scheduler.request import Request


def availability_zone_filter(request: Request) -> Check | None:
    """Refuses hosts of other zones."""
    zone = request.spec.availability_zone
    if not zone:
        return None

    def passes(host: HostState) -> bool:
        return host.zone == zone

    return Check("availability_zone", passes, because(f"not in zone {zone}"))
