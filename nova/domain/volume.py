# SPDX-License-Identifier: Apache-2.0
"""Volumes and their snapshots."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

from nova.domain.states import VolumeStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """One block volume."""

    id: str
    """A UUID"""
    ec2_number: int = 0
    """The number in ``vol-%08x``"""
    user_id: str
    project_id: str
    size_gb: int
    status: VolumeStatus
    display_name: str = ""
    display_description: str = ""
    availability_zone: str = ""
    host: str = ""
    """The nova-volume host that holds it."""
    volume_type: str = ""
    snapshot_id: str = ""
    image_id: str = ""
    instance_uuid: str = ""
    attached_host: str = ""
    mountpoint: str = ""
    attached_at: datetime.datetime | None = None
    fault: str = ""
    """Why it is in error, for its owner."""
    metadata: dict[str, str] = field(default_factory=dict)
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None

    @property
    def name(self) -> str:
        """The name of the logical volume or file."""
        return f"volume-{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeCapacity:
    """What a nova-volume host can still give, in GB."""

    host: str
    driver: str
    total_gb: float
    free_gb: float
    availability_zone: str = "nova"
