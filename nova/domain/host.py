# SPDX-License-Identifier: Apache-2.0
"""Daemons as they report themselves, compute nodes and what they have."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import NamedTuple

from nova.domain.states import PowerState


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One daemon on one host; ``updated_at`` is its last heartbeat, None before the first."""

    id: int
    host: str
    binary: str
    topic: str
    availability_zone: str = "nova"
    report_count: int = 0
    disabled: bool = False
    disabled_reason: str = ""
    forced_down: bool = False
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None

    def is_up(self, now: datetime.datetime, *, down_time_s: float) -> bool:
        """Whether its last heartbeat is younger than *down_time_s* seconds at *now* (naive UTC)."""
        if self.forced_down:
            return False
        seen = self.updated_at or self.created_at
        return seen is not None and abs((now - seen).total_seconds()) <= down_time_s


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestReport:
    """What guests of a host do, by the uuids of their instances."""

    host: str
    states: dict[str, PowerState]
    complete: bool = False
    """Whether a guest that is not named is not there at all"""
    busy: tuple[str, ...] = ()
    """Instances of which a complete report says nothing, since something is being done to them"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostResources:
    """What a compute host has, as its driver sees it now.  Used amounts come from the claims, not from here."""

    host: str
    node: str
    """The hypervisor's own name"""
    vcpus: int
    memory_mb: int
    disk_gb: int
    disk_available_gb: int
    """Free on the file system of the instances, now"""
    hypervisor_type: str
    hypervisor_version: int
    cpu_info: str
    """A JSON object as text"""
    host_ip: str
    running_vms: int
    supported: tuple[tuple[str, str, str], ...] = ()
    """(architecture, hypervisor type, vm mode) of guests that it can run"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeNode:
    """A compute host's row: what it has, and what is claimed on it."""

    id: int
    service_id: int
    host: str
    node: str
    vcpus: int
    memory_mb: int
    disk_gb: int
    vcpus_used: int
    memory_mb_used: int
    disk_gb_used: int
    disk_available_gb: int
    hypervisor_type: str
    hypervisor_version: int
    cpu_info: str
    host_ip: str
    running_vms: int
    supported: tuple[tuple[str, str, str], ...] = ()
    updated_at: datetime.datetime | None = None


class HostRow(NamedTuple):
    """A compute node as the scheduler looks at it: plain values, made ten thousand at a time."""

    node_id: int
    host: str
    node: str
    up: bool
    """Its nova-compute was heard of lately and is not forced down"""
    disabled: bool
    availability_zone: str
    vcpus: int
    vcpus_used: int
    memory_mb: int
    memory_mb_used: int
    disk_gb: int
    disk_gb_used: int
    disk_available_gb: int
    hypervisor_type: str
    hypervisor_version: int
    running_vms: int
    supported: str
    """JSON: a list of [architecture, hypervisor type, vm mode]"""
    cpu_info: str
    """A JSON object as text"""
    host_ip: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimLimits:
    """How much may be claimed on a compute node in all; None is any amount."""

    vcpus: float | None = None
    memory_mb: float | None = None
    disk_gb: float | None = None
