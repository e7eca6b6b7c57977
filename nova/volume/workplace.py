# SPDX-License-Identifier: Apache-2.0
"""What the operations of nova-volume work with."""

from __future__ import annotations

from dataclasses import dataclass

from nova.db.engine import Database
from nova.domain.volume import Volume
from nova.volume.drivers.base import Target, VolumeDriver


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeSettings:
    """Values of the options."""

    host: str
    portal: str
    """``address:port`` where the target listens, as compute hosts reach it"""
    iqn_prefix: str = "iqn.2010-10.org.openstack:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """The collaborators, and the settings."""

    db: Database
    driver: VolumeDriver
    target: Target
    settings: VolumeSettings

    def iqn(self, volume: Volume) -> str:
        """The name of the volume's target."""
        return self.settings.iqn_prefix + volume.name
