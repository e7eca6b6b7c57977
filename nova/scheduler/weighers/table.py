# SPDX-License-Identifier: Apache-2.0
"""What makes one host better than another: each weigher is a pure function of a host, with a multiplier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nova.domain.host_state import HostState
from nova.scheduler.weighers.build_failures import build_failures
from nova.scheduler.weighers.cpu import free_vcpus
from nova.scheduler.weighers.disk import free_disk
from nova.scheduler.weighers.io_ops import work_in_hand
from nova.scheduler.weighers.ram import free_memory


@dataclass(frozen=True, slots=True)
class Weigher:
    """A value of a host, and how much the best value counts against the worst: negative prefers small values."""

    multiplier: float
    value: Callable[[HostState], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Multipliers:
    """What the configuration says; 0 turns a weigher off."""

    ram: float = 1.0
    disk: float = 1.0
    cpu: float = 1.0
    io_ops: float = -1.0
    build_failures: float = 1.0
    """Counts against the host"""


def weighers(multipliers: Multipliers) -> tuple[Weigher, ...]:
    """Those that count."""
    all_of_them = (
        Weigher(multipliers.ram, free_memory),
        Weigher(multipliers.disk, free_disk),
        Weigher(multipliers.cpu, free_vcpus),
        Weigher(multipliers.io_ops, work_in_hand),
        Weigher(-multipliers.build_failures, build_failures),
    )
    return tuple(weigher for weigher in all_of_them if weigher.multiplier)
