# SPDX-License-Identifier: Apache-2.0
"""nova-compute is alive there, and the operator lets it take work."""

from __future__ import annotations

from collections.abc import Sequence

from nova.domain.host import HostRow
from nova.scheduler.filters.check import Check
from nova.scheduler.request import Request


def compute_filter(request: Request) -> Check | None:
    """Refuses hosts that are disabled or whose heartbeat has stopped."""
    return Check("compute", _passes, _explain)


def _passes(host: HostRow) -> bool:
    return host.up and not host.disabled


def _explain(refused: Sequence[HostRow]) -> str:
    disabled = sum(host.disabled for host in refused)
    down = len(refused) - disabled
    return ", ".join(text for count, text in ((down, f"{down} down"), (disabled, f"{disabled} disabled")) if count)
