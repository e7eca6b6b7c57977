# SPDX-License-Identifier: Apache-2.0
"""No second try on a host where this build has failed before."""

from __future__ import annotations

from nova.domain.host import HostRow
from nova.scheduler.filters.check import Check, because
from nova.scheduler.request import Request


def retry_filter(request: Request) -> Check | None:
    """Refuses the hosts that were tried."""
    tried = frozenset(request.spec.ignore_hosts)
    if not tried:
        return None

    def passes(host: HostRow) -> bool:
        return host.host not in tried

    return Check("retry", passes, because("the build failed there"))
