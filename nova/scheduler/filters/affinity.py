# SPDX-License-Identifier: Apache-2.0
"""The hints ``same_host`` and ``different_host``: with, or away from, other servers."""

from __future__ import annotations

from nova.domain.host import HostRow
from nova.scheduler.filters.check import Check, because
from nova.scheduler.request import Request


def same_host_filter(request: Request) -> Check | None:
    """Refuses hosts that none of the named servers is on."""
    wanted = request.same_hosts
    if wanted is None:
        return None

    def passes(host: HostRow) -> bool:
        return host.host in wanted

    return Check("same_host", passes, because("the named servers are elsewhere"))


def different_host_filter(request: Request) -> Check | None:
    """Refuses hosts that one of the named servers is on."""
    unwanted = request.different_hosts
    if not unwanted:
        return None

    def passes(host: HostRow) -> bool:
        return host.host not in unwanted

    return Check("different_host", passes, because("a server to stay away from is there"))
