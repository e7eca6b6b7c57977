# SPDX-License-Identifier: Apache-2.0
"""Not the host that an instance is to move away from."""

from __future__ import annotations

from nova.domain.host import HostRow
from nova.scheduler.filters.check import Check, because
from nova.scheduler.request import Request


def excluded_filter(request: Request) -> Check | None:
    """Refuses the hosts that are not wanted."""
    excluded = frozenset(request.spec.exclude_hosts)
    if not excluded:
        return None

    def passes(host: HostRow) -> bool:
        return host.host not in excluded

    return Check("excluded_host", passes, because("the server is there already"))
