# SPDX-License-Identifier: Apache-2.0
"""Unclaimed memory: spreads servers, or stacks them with a negative multiplier."""

from __future__ import annotations

from nova.domain.host import HostRow


def free_memory(host: HostRow) -> float:
    """MB that nobody claimed; negative on an overcommitted host."""
    return host.memory_mb - host.memory_mb_used
