# SPDX-License-Identifier: Apache-2.0
"""Servers: create, list, show, update, delete."""

from __future__ import annotations

from typing import Any

from nova.api.actions import servers as actions
from nova.api.actions.boot import boot
from nova.api.actions.delete import delete as delete_server
from nova.api.microversion import v
from nova.api.osapi import server_create, server_query, server_schema, server_view
from nova.api.osapi.paging import marker_page, next_link
from nova.api.parameter_types import to_bool
from nova.api.policies.compute import PREFIX
from nova.api.request import Answer, ApiRequest
from nova.api.routing import Route, Tx, body
from nova.db import instances
from nova.db.instances import InstanceChanges

POLICY = PREFIX + "servers:"


def create(request: ApiRequest) -> Answer:
    """POST /servers"""
    made, password = boot(request.cloud, request.context, server_create.read(request))
    first = made[0]
    if to_bool(request.body["server"].get("return_reservation_id", False)):
        return Answer(body={"reservation_id": first.reservation_id})
    groups = request.body["server"].get("security_groups") or [{"name": "default"}]
    shown: dict[str, Any] = {
        "id": first.uuid,
        "links": request.links.both("servers", first.uuid),
        "OS-DCF:diskConfig": "AUTO" if first.auto_disk_config else "MANUAL",
        "security_groups": [{"name": name} for name in dict.fromkeys(group["name"] for group in groups)],
    }
    if request.cloud.settings.enable_instance_password:
        shown["adminPass"] = password.reveal()
    return Answer(body={"server": shown}, headers=(("Location", request.links.own("servers", first.uuid)),))


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /servers"""
    return _list(request, "index")


def detail(request: ApiRequest) -> dict[str, Any]:
    """GET /servers/detail"""
    return _list(request, "detail")


def _list(request: ApiRequest, operation: str) -> dict[str, Any]:
    page = marker_page(request)
    found = instances.find(request.tx, server_query.read(request, page, operation=operation))
    if operation == "detail":
        shown = server_view.full(request, found)
    else:
        shown = [server_view.brief(request, instance) for instance in found]
    answer: dict[str, Any] = {"servers": shown}
    path = "servers/detail" if operation == "detail" else "servers"
    if links := next_link(request, path, page, count=len(found), last=found[-1].uuid if found else ""):
        answer["servers_links"] = links
    return answer


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /servers/{id}"""
    instance = actions.load(request.tx, request.context, request.path["id"])
    actions.authorize(request.cloud, request.context, POLICY + "show", instance)
    return {"server": server_view.full(request, [instance])[0]}


def update(request: ApiRequest) -> dict[str, Any]:
    """PUT /servers/{id}"""
    instance = actions.load(request.tx, request.context, request.path["id"])
    actions.authorize(request.cloud, request.context, POLICY + "update", instance)
    changed = instances.update(request.tx, instance.uuid, _changes(request.body["server"]))
    return {"server": server_view.full(request, [changed], details=False)[0]}


def _changes(server: dict[str, Any]) -> InstanceChanges:
    changes: InstanceChanges = {}
    if "name" in server:
        changes["display_name"] = server["name"].strip()
    if "description" in server:
        changes["display_description"] = server["description"] or ""
    if "accessIPv4" in server:
        changes["access_ip_v4"] = server_create.address(server, "accessIPv4", version=4)
    if "accessIPv6" in server:
        changes["access_ip_v6"] = server_create.address(server, "accessIPv6", version=6)
    if (automatic := server_create.disk_config(server)) is not None:
        changes["auto_disk_config"] = automatic
    return changes


def delete(request: ApiRequest) -> None:
    """DELETE /servers/{id}"""
    delete_server(request.cloud, request.tx, request.context, request.path["id"])


_CREATE_BODIES = body(server_schema.CREATE, (v(19), server_schema.CREATE_V19), (v(32), server_schema.CREATE_V32))

ROUTES = (
    *(
        Route(
            method="POST",
            path=path,
            handler=create,
            policy=POLICY + "create",
            bodies=_CREATE_BODIES,
            legacy_body=server_schema.CREATE_LEGACY,
            success=202,
            tx=Tx.NONE,
        )
        for path in ("/servers", "/os-volumes_boot", "/os-create-server-ext")
    ),
    Route(method="GET", path="/servers", handler=index, policy=POLICY + "index"),
    Route(method="GET", path="/servers/detail", handler=detail, policy=POLICY + "detail"),
    Route(method="GET", path="/servers/{id}", handler=show, policy=POLICY + "show"),
    Route(
        method="PUT",
        path="/servers/{id}",
        handler=update,
        policy=POLICY + "update",
        bodies=body(server_schema.UPDATE, (v(19), server_schema.UPDATE_V19)),
        legacy_body=server_schema.UPDATE_LEGACY,
        tx=Tx.WRITE,
    ),
    Route(method="DELETE", path="/servers/{id}", handler=delete, policy=POLICY + "delete", success=204, tx=Tx.WRITE),
)
