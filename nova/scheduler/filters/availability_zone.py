# SPDX-License-Identifier: Apache-2.0
"""The availability zone that the user asked for."""

from __future__ import annotations

from nova.domain.host import HostRow
from nova.scheduler.filters.check import Check, because
from nova.scheduler.request import Request


def availability_zone_filter(request: Request) -> Check | None:
    """Refuses hosts of other zones."""
    zone = request.spec.availability_zone
    if not zone:
        return None

    def passes(host: HostRow) -> bool:
        return host.availability_zone == zone

    return Check("availability_zone", passes, because(f"not in zone {zone}"))
