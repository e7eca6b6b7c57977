# SPDX-License-Identifier: Apache-2.0
"""The choice of a nova-volume host for a new volume: the one with most free room in the wanted zone."""

from __future__ import annotations

from collections.abc import Sequence

from nova.domain.volume import VolumeCapacity
from nova.errors import NoCapacity


def best_volume_host(capacities: Sequence[VolumeCapacity], *, size_gb: int, availability_zone: str) -> str:
    """The host's name; NoCapacity, with the reason, when none will do."""
    if not capacities:
        raise NoCapacity("No valid host was found. No nova-volume service is up.")
    in_zone = [each for each in capacities if availability_zone in ("", each.availability_zone)]
    if not in_zone:
        raise NoCapacity(f"No valid host was found. No nova-volume service is in zone {availability_zone}.")
    best = max(in_zone, key=lambda each: each.free_gb)
    if best.free_gb < size_gb:
        raise NoCapacity(f"No valid host was found. No nova-volume service has {size_gb} GB free.")
    return best.host
