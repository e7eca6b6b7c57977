# SPDX-License-Identifier: Apache-2.0
"""The host that an administrator asked for by name."""

from __future__ import annotations

from nova.domain.host import HostRow
from nova.scheduler.filters.check import Check, because
from nova.scheduler.request import Request


def forced_host_filter(request: Request) -> Check | None:
    """Refuses every host but the one that was named."""
    host_name, node_name = request.spec.force_host, request.spec.force_node
    if not host_name and not node_name:
        return None

    def passes(host: HostRow) -> bool:
        return host_name in ("", host.host) and node_name in ("", host.node)

    return Check("forced_host", passes, because("another host was asked for"))
