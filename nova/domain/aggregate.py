# SPDX-License-Identifier: Apache-2.0
"""Host aggregates: named sets of hosts with metadata that the scheduler reads; some of them are availability zones."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

ZONE_KEY = "availability_zone"
"""The metadata item that makes an aggregate a zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """One aggregate."""

    id: int
    uuid: str
    name: str
    hosts: tuple[str, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None

    @property
    def availability_zone(self) -> str:
        """The zone that its hosts are in by it; empty when it is no zone."""
        return self.metadata.get(ZONE_KEY, "")
