# SPDX-License-Identifier: Apache-2.0
"""/os-hosts: hosts with their daemons, and how much of a compute host each project has."""

from __future__ import annotations

from typing import Any

from nova.api.osapi.availability_zones import zone_of
from nova.api.parameter_types import closed
from nova.api.policies.compute import PREFIX
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx, body
from nova.db import aggregates, compute_nodes, instances, services
from nova.domain.instance import Instance
from nova.errors import NotFound, NotSupported

POLICY = PREFIX + "os-hosts:"
MAINTENANCE = "maintenance"
"""Why a host is disabled that is being maintained"""
_WORDS = {"enum": ["enable", "disable", "Enable", "Disable", "ENABLE", "DISABLE"]}
UPDATE = closed({"status": _WORDS, "maintenance_mode": _WORDS}, at_least=1)


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /os-hosts"""
    zones, wanted = aggregates.zones_of_hosts(request.tx), request.query.get("zone")
    rows = [
        {
            "host_name": daemon.host,
            "service": daemon.binary.removeprefix("nova-"),
            "zone": zone_of(request, daemon, zones),
        }
        for daemon in services.find(request.tx)
    ]
    return {"hosts": [row for row in rows if wanted is None or row["zone"] == wanted]}


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /os-hosts/{host}"""
    host = request.path["host"]
    nodes = compute_nodes.find(request.tx, host=host)
    if not nodes:
        raise NotFound.of("compute host", host[:64])
    node = nodes[0]
    on_host = instances.find_on_host(request.tx, host)
    rows = [
        _row(host, "(total)", node.vcpus, node.memory_mb, node.disk_gb),
        _row(host, "(used_now)", node.vcpus_used, node.memory_mb_used, node.disk_gb_used),
        _sum(host, "(used_max)", on_host),
    ]
    by_project: dict[str, list[Instance]] = {}
    for instance in on_host:
        by_project.setdefault(instance.project_id, []).append(instance)
    rows += [_sum(host, project, by_project[project]) for project in sorted(by_project)]
    return {"host": rows}


def _sum(host: str, project: str, found: list[Instance]) -> dict[str, Any]:
    flavors = [instance.flavor for instance in found]
    return _row(
        host,
        project,
        sum(flavor.vcpus for flavor in flavors),
        sum(flavor.memory_mb for flavor in flavors),
        sum(flavor.root_gb + flavor.ephemeral_gb for flavor in flavors),
    )


def _row(host: str, project: str, cpu: int, memory_mb: int, disk_gb: int) -> dict[str, Any]:
    return {"resource": {"host": host, "project": project, "cpu": cpu, "memory_mb": memory_mb, "disk_gb": disk_gb}}


def update(request: ApiRequest) -> dict[str, Any]:
    """PUT /os-hosts/{host}"""
    host, wanted = request.path["host"], request.body
    answer: dict[str, Any] = {"host": host}
    if "maintenance_mode" in wanted:
        answer["maintenance_mode"] = _maintain(request, host, begin=_is_on(wanted["maintenance_mode"]))
    if "status" in wanted:
        enabled = _is_on(wanted["status"])
        services.set_enabled(request.tx, host, "nova-compute", enabled=enabled)
        answer["status"] = "enabled" if enabled else "disabled"
    return answer


def _is_on(word: str) -> bool:
    return word.lower() == "enable"


def _maintain(request: ApiRequest, host: str, *, begin: bool) -> str:
    """New servers stay away while a host is maintained; its end leaves a host alone that is disabled otherwise."""
    daemon = services.get_by_host(request.tx, host, "nova-compute")
    if begin:
        services.set_enabled(request.tx, host, "nova-compute", enabled=False, reason=MAINTENANCE)
    elif daemon.disabled_reason == MAINTENANCE:
        services.set_enabled(request.tx, host, "nova-compute", enabled=True)
    return "on_maintenance" if begin else "off_maintenance"


def power(_request: ApiRequest) -> None:
    """GET /os-hosts/{host}/startup, /shutdown, /reboot"""
    raise NotSupported("The hypervisors of this cloud cannot change the power of a host.")


ROUTES = (
    Route(method="GET", path="/os-hosts", handler=index, policy=POLICY + "list"),
    Route(method="GET", path="/os-hosts/{host}", handler=show, policy=POLICY + "show"),
    Route(
        method="PUT",
        path="/os-hosts/{host}",
        handler=update,
        policy=POLICY + "manage",
        bodies=body(UPDATE),
        tx=Tx.WRITE,
    ),
    *(
        Route(method="GET", path=f"/os-hosts/{{host}}/{word}", handler=power, policy=POLICY + "manage", tx=Tx.NONE)
        for word in ("startup", "shutdown", "reboot")
    ),
)
