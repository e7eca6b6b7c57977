# SPDX-License-Identifier: Apache-2.0
"""How much may be claimed on a host, in terms of what it has."""

from __future__ import annotations

from dataclasses import dataclass

from nova.domain.host import ClaimLimits, HostRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Overcommitment ratios, and what is kept back for the host itself."""

    cpu_ratio: float = 16.0
    ram_ratio: float = 1.5
    disk_ratio: float = 1.0
    reserved_memory_mb: int = 512
    reserved_disk_gb: int = 0

    def vcpus(self, host: HostRow) -> float:
        """Virtual processors that servers may have on *host*."""
        return host.vcpus * self.cpu_ratio

    def memory_mb(self, host: HostRow) -> float:
        """Memory that servers may have on *host*, in MB."""
        return host.memory_mb * self.ram_ratio - self.reserved_memory_mb

    def disk_gb(self, host: HostRow) -> float:
        """Disk that servers may have on *host*, in GB."""
        return host.disk_gb * self.disk_ratio - self.reserved_disk_gb

    def claim(self, host: HostRow) -> ClaimLimits:
        """The same for a claim on *host*."""
        return ClaimLimits(vcpus=self.vcpus(host), memory_mb=self.memory_mb(host), disk_gb=self.disk_gb(host))
