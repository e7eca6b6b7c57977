# SPDX-License-Identifier: Apache-2.0
"""What every operation on a compute host works with.  Lives in nova-compute; nothing here touches the database."""

from __future__ import annotations

from dataclasses import dataclass

from nova.compute.settings import ComputeSettings
from nova.image.protocol import ImageService
from nova.interfaces.compute import Compute
from nova.interfaces.conductor import Conductor
from nova.interfaces.volume import VolumeService
from nova.virt.driver import Driver, Filters, ImageReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The collaborators, made once by the program."""

    driver: Driver
    filters: Filters
    conductor: Conductor
    volume: VolumeService
    peers: Compute
    """The other compute hosts, for moves between them"""
    images: ImageReader
    image_service: ImageService
    """For the images that are made here"""
    settings: ComputeSettings

    @property
    def name(self) -> str:
        """The host's name in the database and in queues."""
        return self.settings.host
