# SPDX-License-Identifier: Apache-2.0
"""Unclaimed virtual processors."""

from __future__ import annotations

from nova.domain.host import HostRow


def free_vcpus(host: HostRow) -> float:
    """Real processors less claimed virtual ones; negative on an overcommitted host."""
    return host.vcpus - host.vcpus_used
