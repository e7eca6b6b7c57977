# SPDX-License-Identifier: Apache-2.0
"""/os-hypervisors: compute nodes with what they have and what is claimed on them."""

from __future__ import annotations

import json
from typing import Any

from nova.api.microversion import v
from nova.api.osapi.paging import after_marker, marker_page, next_link
from nova.api.osapi.services import number_in
from nova.api.policies.compute import PREFIX
from nova.api.request import ApiRequest
from nova.api.routing import Route
from nova.db import compute_nodes, instances, services
from nova.db.instances import InstanceQuery
from nova.domain.host import ComputeNode, Service
from nova.errors import NotFound

POLICY = PREFIX + "os-hypervisors"
Daemons = dict[int, Service]


def _daemons(request: ApiRequest) -> Daemons:
    return {daemon.id: daemon for daemon in services.find(request.tx, binary="nova-compute")}


def _brief(request: ApiRequest, node: ComputeNode, daemons: Daemons) -> dict[str, Any]:
    daemon = daemons.get(node.service_id)
    down_time_s = request.cloud.silence_s()
    up = daemon is not None and daemon.is_up(request.tx.now, down_time_s=down_time_s)
    return {
        "id": node.id,
        "hypervisor_hostname": node.node,
        "state": "up" if up else "down",
        "status": "disabled" if daemon is None or daemon.disabled else "enabled",
    }


def _full(request: ApiRequest, node: ComputeNode, daemons: Daemons) -> dict[str, Any]:
    daemon = daemons.get(node.service_id)
    return {
        **_brief(request, node, daemons),
        "vcpus": node.vcpus,
        "vcpus_used": node.vcpus_used,
        "memory_mb": node.memory_mb,
        "memory_mb_used": node.memory_mb_used,
        "local_gb": node.disk_gb,
        "local_gb_used": node.disk_gb_used,
        "free_ram_mb": node.memory_mb - node.memory_mb_used,
        "free_disk_gb": node.disk_gb - node.disk_gb_used,
        "disk_available_least": node.disk_available_gb,
        "current_workload": 0,
        "running_vms": node.running_vms,
        "hypervisor_type": node.hypervisor_type,
        "hypervisor_version": node.hypervisor_version,
        "host_ip": node.host_ip or None,
        "cpu_info": _cpu_info(request, node),
        "service": {
            "id": node.service_id,
            "host": node.host,
            "disabled_reason": (daemon.disabled_reason or None) if daemon else None,
        },
    }


def _cpu_info(request: ApiRequest, node: ComputeNode) -> Any:
    """JSON text, and from 2.28 on an object."""
    if request.version < v(28):
        return node.cpu_info
    try:
        found = json.loads(node.cpu_info)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _list(request: ApiRequest, path: str, shape: Any) -> dict[str, Any]:
    daemons, found = _daemons(request), compute_nodes.find(request.tx)
    if request.version < v(33):
        return {"hypervisors": [shape(request, node, daemons) for node in found]}
    page = marker_page(request)
    found = after_marker(found, page, lambda node: node.id)
    answer: dict[str, Any] = {"hypervisors": [shape(request, node, daemons) for node in found]}
    if links := next_link(request, path, page, count=len(found), last=str(found[-1].id) if found else ""):
        answer["hypervisors_links"] = links
    return answer


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /os-hypervisors"""
    return _list(request, "os-hypervisors", _brief)


def detail(request: ApiRequest) -> dict[str, Any]:
    """GET /os-hypervisors/detail"""
    return _list(request, "os-hypervisors/detail", _full)


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /os-hypervisors/{id}"""
    node = compute_nodes.get(request.tx, number_in(request.path["id"], what="hypervisor"))
    return {"hypervisor": _full(request, node, _daemons(request))}


def _matching(request: ApiRequest) -> list[ComputeNode]:
    pattern = request.path["id"]
    found = compute_nodes.find(request.tx, pattern=pattern[:255])
    if not found:
        raise NotFound(f"No hypervisor's name has {pattern[:64]} in it.", resource="hypervisor", id=pattern[:64])
    return found


def search(request: ApiRequest) -> dict[str, Any]:
    """GET /os-hypervisors/{pattern}/search"""
    daemons = _daemons(request)
    return {"hypervisors": [_brief(request, node, daemons) for node in _matching(request)]}


def servers(request: ApiRequest) -> dict[str, Any]:
    """GET /os-hypervisors/{pattern}/servers"""
    daemons, nodes = _daemons(request), _matching(request)
    by_host: dict[str, list[dict[str, str]]] = {}
    wanted = InstanceQuery(equal={"host": [node.host for node in nodes]})
    for instance in instances.find(request.tx, wanted):
        by_host.setdefault(instance.host, []).append({"name": instance.name, "uuid": instance.uuid})
    shown = []
    for node in nodes:
        row = _brief(request, node, daemons)
        shown.append({**row, "servers": by_host[node.host]} if node.host in by_host else row)
    return {"hypervisors": shown}


def statistics(request: ApiRequest) -> dict[str, Any]:
    """GET /os-hypervisors/statistics"""
    sums = compute_nodes.statistics(request.tx)
    more = {
        "free_ram_mb": sums["memory_mb"] - sums["memory_mb_used"],
        "free_disk_gb": sums["local_gb"] - sums["local_gb_used"],
        "current_workload": 0,
    }
    return {"hypervisor_statistics": {**sums, **more}}


ROUTES = tuple(
    Route(method="GET", path=f"/os-hypervisors{path}", handler=handler, policy=POLICY)
    for path, handler in (
        ("", index),
        ("/detail", detail),
        ("/statistics", statistics),
        ("/{id}", show),
        ("/{id}/search", search),
        ("/{id}/servers", servers),
    )
)
