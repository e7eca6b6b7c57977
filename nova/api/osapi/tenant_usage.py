# SPDX-License-Identifier: Apache-2.0
"""/os-simple-tenant-usage: what projects used in a time, added up from the servers that ran in it."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from nova.api.osapi.times import plain
from nova.api.parameter_types import query_bool
from nova.api.policies.compute import PREFIX
from nova.api.request import ApiRequest
from nova.api.routing import Route
from nova.db import instances
from nova.domain.instance import Instance
from nova.errors import InvalidInput

POLICY = PREFIX + "os-simple-tenant-usage:"
_FORMS = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S")
_HOUR_S = 3600


def _moment(request: ApiRequest, name: str) -> datetime.datetime:
    text = request.query.get(name)
    if not text:
        return request.tx.now
    for form in _FORMS:
        try:
            return datetime.datetime.strptime(text[:64], form)  # noqa: DTZ007 - naive UTC, as everywhere
        except ValueError:
            continue
    raise InvalidInput(f"Invalid input for {name}: it is not a time such as 2013-04-04T10:00:00.", field=name)


def _period(request: ApiRequest) -> tuple[datetime.datetime, datetime.datetime]:
    start, stop = _moment(request, "start"), _moment(request, "end")
    if start >= stop and (request.query.get("start") or request.query.get("end")):
        raise InvalidInput("Invalid input for start: it must be before end.", field="start")
    return start, stop


def _hours(instance: Instance, start: datetime.datetime, stop: datetime.datetime, now: datetime.datetime) -> float:
    """Within the period, and never into the future."""
    began = max(start, instance.launched_at or stop)
    ended = min(stop, instance.terminated_at or stop, now)
    return max(0.0, (ended - began).total_seconds()) / _HOUR_S


def _server(instance: Instance, hours: float, now: datetime.datetime) -> dict[str, Any]:
    flavor, ended = instance.flavor, instance.terminated_at
    running = ((ended or now) - instance.launched_at).total_seconds() if instance.launched_at else 0
    return {
        "name": instance.display_name,
        "instance_id": instance.uuid,
        "tenant_id": instance.project_id,
        "flavor": flavor.name,
        "vcpus": flavor.vcpus,
        "memory_mb": flavor.memory_mb,
        "local_gb": flavor.root_gb + flavor.ephemeral_gb,
        "started_at": plain(instance.launched_at),
        "ended_at": plain(ended),
        "hours": hours,
        "uptime": int(max(0, running)),
        "state": "terminated" if ended else instance.vm_state.value,
    }


def _usage(
    request: ApiRequest,
    project: str,
    found: Sequence[Instance],
    *,
    period: tuple[datetime.datetime, datetime.datetime],
    detailed: bool,
) -> dict[str, Any]:
    start, stop = period
    now = request.tx.now
    rows = [_server(instance, _hours(instance, start, stop, now), now) for instance in found]
    shown: dict[str, Any] = {
        "tenant_id": project,
        "total_hours": sum(row["hours"] for row in rows),
        "total_vcpus_usage": sum(row["hours"] * row["vcpus"] for row in rows),
        "total_memory_mb_usage": sum(row["hours"] * row["memory_mb"] for row in rows),
        "total_local_gb_usage": sum(row["hours"] * row["local_gb"] for row in rows),
        "start": plain(start),
        "stop": plain(stop),
    }
    if detailed:
        shown["server_usages"] = rows
    return shown


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /os-simple-tenant-usage"""
    period, detailed = _period(request), query_bool(request.query.get("detailed"), field="detailed")
    by_project: dict[str, list[Instance]] = {}
    for instance in instances.active_between(request.tx, *period):
        by_project.setdefault(instance.project_id, []).append(instance)
    usages = [_usage(request, name, by_project[name], period=period, detailed=detailed) for name in sorted(by_project)]
    return {"tenant_usages": usages}


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /os-simple-tenant-usage/{project}"""
    project = request.path["id"]
    request.cloud.policy.authorize(request.context, POLICY + "show", {"project_id": project})
    period = _period(request)
    found = instances.active_between(request.tx, *period, project_id=project)
    return {"tenant_usage": _usage(request, project, found, period=period, detailed=True) if found else {}}


ROUTES = (
    Route(method="GET", path="/os-simple-tenant-usage", handler=index, policy=POLICY + "list"),
    Route(method="GET", path="/os-simple-tenant-usage/{id}", handler=show, policy=POLICY + "show"),
)
