# SPDX-License-Identifier: Apache-2.0
"""A compute host as the scheduler looks at it: what it has, what is claimed, and whether it may take work."""

from __future__ import annotations

from dataclasses import dataclass

from nova.domain.flavor import Flavor


@dataclass(slots=True)
class HostState:
    """One compute node.  Not frozen: what is placed on it during one request counts for the rest of that request."""

    node_id: int
    host: str
    node: str
    zone: str
    up: bool
    disabled: bool
    disabled_reason: str
    vcpus: int
    memory_mb: int
    disk_gb: int
    vcpus_used: int
    memory_mb_used: int
    disk_gb_used: int
    disk_available_gb: int
    """Free on the disk now, whatever is claimed"""
    hypervisor_type: str
    hypervisor_version: int
    supported: tuple[tuple[str, str, str], ...]
    """(architecture, hypervisor type, vm mode) of guests that it can run"""
    building: int = 0
    """Servers that are being built on it"""
    recent_failures: int = 0
    """Builds that failed on it lately"""

    def take(self, flavor: Flavor) -> None:
        """Count a server of *flavor* as placed here."""
        self.vcpus_used += flavor.vcpus
        self.memory_mb_used += flavor.memory_mb
        self.disk_gb_used += flavor.disk_gb
        self.building += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much may be claimed on a host, in terms of what it has."""

    cpu_ratio: float = 16.0
    ram_ratio: float = 1.5
    disk_ratio: float = 1.0
    reserved_memory_mb: int = 512
    """Kept for the host itself"""
    reserved_disk_gb: int = 0

    def vcpus(self, total: int) -> int:
        """Virtual processors that servers may have on a host with *total* real ones."""
        return int(total * self.cpu_ratio)

    def memory_mb(self, total_mb: int) -> int:
        """Memory that servers may have on a host with *total_mb*."""
        return int(total_mb * self.ram_ratio) - self.reserved_memory_mb

    def disk_gb(self, total_gb: int) -> int:
        """Disk that servers may have on a host with *total_gb*."""
        return int(total_gb * self.disk_ratio) - self.reserved_disk_gb
