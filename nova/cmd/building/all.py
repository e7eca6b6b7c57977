# SPDX-License-Identifier: Apache-2.0
"""All daemons of one process, those that others ask first at the beginning."""

from __future__ import annotations

from nova.cmd.building import api, compute, conductor, network, scheduler, volume
from nova.cmd.building.images import image_service
from nova.cmd.building.parts import Parts
from nova.cmd.configuration import enabled_apis
from nova.cmd.daemon import Service


def build(parts: Parts) -> list[Service]:
    """The daemons, and the endpoints of ``enabled_apis``."""
    listening = api.open_sockets(parts, enabled_apis(parts.conf))
    services: list[Service] = []
    for room in (scheduler, conductor, network, volume):
        services += room.build(parts)
    services += compute.build(parts, image_service(parts))
    return [*services, *api.build(parts, listening)]
