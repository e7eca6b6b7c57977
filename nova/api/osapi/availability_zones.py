# SPDX-License-Identifier: Apache-2.0
"""/os-availability-zone: the zones, and for administrators the daemons in them."""

from __future__ import annotations

from typing import Any

from nova.api.osapi.times import plain
from nova.api.policies.compute import PREFIX
from nova.api.request import ApiRequest
from nova.api.routing import Route
from nova.db import aggregates, services
from nova.domain.host import Service

COMPUTE = "nova-compute"
POLICY = PREFIX + "os-availability-zone:"


def zone_of(request: ApiRequest, daemon: Service, zones: dict[str, str]) -> str:
    """Compute hosts are in a zone; all other daemons are in the internal one."""
    settings = request.cloud.settings
    if daemon.binary != COMPUTE:
        return settings.internal_service_zone
    return zones.get(daemon.host) or settings.default_availability_zone


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /os-availability-zone"""
    zones = aggregates.zones_of_hosts(request.tx)
    enabled = {d.host for d in services.find(request.tx, binary=COMPUTE) if not d.disabled}
    names = sorted(set(zones.values()))
    available = {zone for host, zone in zones.items() if host in enabled}
    return {
        "availabilityZoneInfo": [
            {"zoneName": name, "zoneState": {"available": name in available}, "hosts": None} for name in names
        ]
    }


def detail(request: ApiRequest) -> dict[str, Any]:
    """GET /os-availability-zone/detail"""
    zones = aggregates.zones_of_hosts(request.tx)
    by_zone: dict[str, list[Service]] = {}
    for daemon in services.find(request.tx):
        by_zone.setdefault(zone_of(request, daemon, zones), []).append(daemon)
    return {"availabilityZoneInfo": [_zone(request, name, by_zone[name]) for name in sorted(by_zone)]}


def _zone(request: ApiRequest, name: str, daemons: list[Service]) -> dict[str, Any]:
    working = [daemon for daemon in daemons if not daemon.disabled]
    hosts: dict[str, dict[str, Any]] = {}
    for daemon in working:
        hosts.setdefault(daemon.host, {})[daemon.binary] = {
            "available": daemon.is_up(request.tx.now, down_time_s=request.cloud.silence_s()),
            "active": True,
            "updated_at": plain(daemon.updated_at),
        }
    return {"zoneName": name, "zoneState": {"available": bool(working)}, "hosts": hosts or None}


ROUTES = (
    Route(method="GET", path="/os-availability-zone", handler=index, policy=POLICY + "list"),
    Route(method="GET", path="/os-availability-zone/detail", handler=detail, policy=POLICY + "detail"),
)
