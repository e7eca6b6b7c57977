# SPDX-License-Identifier: Apache-2.0
"""Free disk: what is neither claimed nor used."""

from __future__ import annotations

from nova.domain.host import HostRow


def free_disk(host: HostRow) -> float:
    """GB: the smaller of what is unclaimed and what the file system has free."""
    return min(host.disk_gb - host.disk_gb_used, host.disk_available_gb)
