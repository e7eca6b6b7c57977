# SPDX-License-Identifier: Apache-2.0
"""Unclaimed virtual processors."""

from __future__ import annotations

from nova.domain.host_state import HostState


def free_vcpus(host: HostState) -> float:
    """Real processors less claimed virtual ones; negative on an overcommitted host."""
    return host.vcpus - host.vcpus_used
