# SPDX-License-Identifier: Apache-2.0
"""What makes one host better than another: each weigher is a pure function of a host, with a multiplier."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nova.domain.host import HostRow
from nova.domain.server_group import Policy
from nova.scheduler.weighers.build_failures import build_failures
from nova.scheduler.weighers.cpu import free_vcpus
from nova.scheduler.weighers.disk import free_disk
from nova.scheduler.weighers.group import near_the_group
from nova.scheduler.weighers.io_ops import work_in_hand
from nova.scheduler.weighers.ram import free_memory

NOTHING: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class Weigher:
    """A value of a host, and how much the best value counts against the worst: negative prefers small values."""

    multiplier: float
    value: Callable[[HostRow], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Multipliers:
    """What the configuration says; 0 turns a weigher off."""

    ram: float = 1.0
    disk: float = 1.0
    cpu: float = 1.0
    io_ops: float = -1.0
    soft_affinity: float = 1.0
    build_failures: float = 1.0
    """Counts against the host"""


def weighers(
    multipliers: Multipliers,
    *,
    building: Mapping[str, int] = NOTHING,
    failures: Mapping[str, int] = NOTHING,
    policy: Policy | None = None,
    members: Mapping[str, int] = NOTHING,
) -> tuple[Weigher, ...]:
    """Those that count.

    :param building: servers that are being built, by host
    :param failures: builds that failed lately, by host
    :param policy: of the group that the server is in
    :param members: other servers of that group, by host
    """
    all_of_them = (
        Weigher(multipliers.ram, free_memory),
        Weigher(multipliers.disk, free_disk),
        Weigher(multipliers.cpu, free_vcpus),
        Weigher(multipliers.soft_affinity if members else 0.0, near_the_group(policy, members)),
        Weigher(multipliers.io_ops if building else 0.0, work_in_hand(building)),
        Weigher(-multipliers.build_failures if failures else 0.0, build_failures(failures)),
    )
    return tuple(weigher for weigher in all_of_them if weigher.multiplier)
