# SPDX-License-Identifier: Apache-2.0
"""What clients of the volume API ask about besides volumes: types, limits, quotas, zones, extensions, daemons."""

from __future__ import annotations

from typing import Any, NoReturn

from nova.api.osapi.times import plain
from nova.api.parameter_types import query_bool
from nova.api.policies.volume import EXTENSION
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx
from nova.db import quotas, services
from nova.domain.host import Service
from nova.domain.quota import Usage
from nova.errors import NotFound

TOPIC = "volume"
TYPES_RULE = EXTENSION + "types:get"
UPDATED = "2012-08-25T00:00:00+00:00"
EXTENSIONS = {
    "os-admin-actions": ("AdminActions", "Actions for administrators."),
    "os-availability-zone": ("AvailabilityZones", "Zones of storage hosts."),
    "os-services": ("Services", "Daemons for volumes."),
    "os-volume-actions": ("VolumeActions", "Actions on volumes."),
}
NOT_MADE = ("backups", "backup_gigabytes", "groups", "snapshots")
"""Resources that clients print and that this cloud does not have."""


def types(_request: ApiRequest) -> dict[str, Any]:
    """GET /types: all volumes of this cloud are alike."""
    return {"volume_types": []}


def show_type(request: ApiRequest) -> NoReturn:
    """GET /types/{id}"""
    raise NotFound.of("volume type", request.path["id"][:64])


def _usages(request: ApiRequest) -> dict[str, Usage]:
    project = request.context.project_id
    return quotas.usages(request.tx, project, defaults=request.cloud.settings.default_quotas)


def limits(request: ApiRequest) -> dict[str, Any]:
    """GET /limits"""
    found = _usages(request)
    absolute = {
        "maxTotalVolumes": found["volumes"].limit,
        "maxTotalVolumeGigabytes": found["gigabytes"].limit,
        "totalVolumesUsed": found["volumes"].in_use,
        "totalGigabytesUsed": found["gigabytes"].in_use,
        **dict.fromkeys(("maxTotalSnapshots", "maxTotalBackups", "maxTotalBackupGigabytes"), 0),
        **dict.fromkeys(("totalSnapshotsUsed", "totalBackupsUsed", "totalBackupGigabytesUsed"), 0),
    }
    return {"limits": {"rate": [], "absolute": absolute}}


def show_quotas(request: ApiRequest) -> dict[str, Any]:
    """GET /os-quota-sets/{project}: only one's own here; the compute API administers them all."""
    project = request.path["id"]
    if project != request.context.project_id:
        raise NotFound.of("project", project[:64])
    detailed = query_bool(request.query.get("usage"), field="usage")
    found = {name: usage for name, usage in _usages(request).items() if name in ("volumes", "gigabytes")}
    rows = {name: (usage.limit, usage.in_use) for name, usage in found.items()} | dict.fromkeys(NOT_MADE, (0, 0))
    shown = {
        name: {"limit": limit, "in_use": used, "reserved": 0} if detailed else limit
        for name, (limit, used) in rows.items()
    }
    return {"quota_set": {"id": project, **shown}}


def zones(request: ApiRequest) -> dict[str, Any]:
    """GET /os-availability-zone"""
    available: dict[str, bool] = {}
    for daemon in services.find(request.tx, topic=TOPIC):
        up = _is_up(request, daemon) and not daemon.disabled
        available[daemon.availability_zone] = available.get(daemon.availability_zone, False) or up
    return {
        "availabilityZoneInfo": [
            {"zoneName": name, "zoneState": {"available": available[name]}} for name in sorted(available)
        ]
    }


def daemons(request: ApiRequest) -> dict[str, Any]:
    """GET /os-services"""
    host, binary = request.query.get("host", ""), request.query.get("binary", "")
    found = services.find(request.tx, topic=TOPIC, host=host[:255], binary=binary[:255])
    return {"services": [_daemon(request, each) for each in found]}


def _daemon(request: ApiRequest, daemon: Service) -> dict[str, Any]:
    return {
        "binary": daemon.binary,
        "host": daemon.host,
        "zone": daemon.availability_zone,
        "status": "disabled" if daemon.disabled else "enabled",
        "state": "up" if _is_up(request, daemon) else "down",
        "updated_at": plain(daemon.updated_at),
        "disabled_reason": daemon.disabled_reason or None,
    }


def _is_up(request: ApiRequest, daemon: Service) -> bool:
    return daemon.is_up(request.tx.now, down_time_s=request.cloud.silence_s())


def extensions(_request: ApiRequest) -> dict[str, Any]:
    """GET /extensions"""
    return {
        "extensions": [
            {"alias": alias, "name": name, "description": text, "updated": UPDATED, "links": []}
            for alias, (name, text) in EXTENSIONS.items()
        ]
    }


ROUTES = (
    Route(method="GET", path="/types", handler=types, policy=TYPES_RULE, tx=Tx.NONE),
    Route(method="GET", path="/types/{id}", handler=show_type, policy=TYPES_RULE, tx=Tx.NONE),
    Route(method="GET", path="/limits", handler=limits, policy=EXTENSION + "limits"),
    Route(method="GET", path="/os-quota-sets/{id}", handler=show_quotas, policy=EXTENSION + "quotas:show"),
    Route(method="GET", path="/os-availability-zone", handler=zones, policy=EXTENSION + "availability_zones"),
    Route(method="GET", path="/os-services", handler=daemons, policy=EXTENSION + "services:index"),
    Route(method="GET", path="/extensions", handler=extensions, policy=EXTENSION + "extensions", tx=Tx.NONE),
)
