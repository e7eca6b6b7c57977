# SPDX-License-Identifier: Apache-2.0
"""Builds that failed there lately: a host that fails fast would otherwise attract every server."""

from __future__ import annotations

from nova.domain.host_state import HostState


def build_failures(host: HostState) -> float:
    """How many; it lowers the rank and never shuts a host out, because users can cause failures."""
    return host.recent_failures
