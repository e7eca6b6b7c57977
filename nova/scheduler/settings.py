# SPDX-License-Identifier: Apache-2.0
"""What nova-scheduler is told by its configuration, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field

from nova.scheduler.filters.table import DEFAULT_FILTERS
from nova.scheduler.limits import Limits
from nova.scheduler.request import Crowding, Isolation
from nova.scheduler.weighers.table import Multipliers


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerSettings:
    """Times are in seconds."""

    limits: Limits = field(default_factory=Limits)
    multipliers: Multipliers = field(default_factory=Multipliers)
    filters: tuple[str, ...] = DEFAULT_FILTERS
    host_subset_size: int = 1
    down_time_s: float = 60.0
    """A host of which nothing was heard for longer gets no work"""
    crowding: Crowding = field(default_factory=Crowding)
    isolation: Isolation = field(default_factory=Isolation)
    failure_memory_s: float = 1800.0
    """How long a failed build counts against its host"""
