# SPDX-License-Identifier: Apache-2.0
"""/os-floating-ips, /os-floating-ip-pools and the actions of servers that use them."""

from __future__ import annotations

from typing import Any

from nova.api.actions import floating_ips as actions
from nova.api.osapi.services import number_in
from nova.api.parameter_types import IPV4, LOOSE_NAME, closed, envelope
from nova.api.policies.compute import PREFIX
from nova.api.request import Answer, ApiRequest
from nova.api.routing import Route, Tx, body
from nova.api.schema import Schema
from nova.db import floating_ips
from nova.domain.network import FloatingIp
from nova.errors import NoCapacity, NotFound

POLICY = PREFIX + "os-floating-ips:"
_POOL: Schema = {**LOOSE_NAME, "type": ["string", "null"]}
ALLOCATE: Schema = {**closed({"pool": _POOL}), "type": ["object", "null"]}
ADD = envelope(
    "addFloatingIp",
    closed({"address": IPV4, "fixed_address": {"type": ["string", "null"], "format": "ipv4"}}, "address"),
)
REMOVE = envelope("removeFloatingIp", closed({"address": IPV4}, "address"))


def view(floating: FloatingIp) -> dict[str, Any]:
    """An address, and where it leads to."""
    return {
        "id": floating.id,
        "ip": floating.address,
        "pool": floating.pool,
        "fixed_ip": floating.fixed_address or None,
        "instance_id": floating.instance_uuid or None,
    }


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /os-floating-ips"""
    return {"floating_ips": [view(each) for each in actions.visible(request.tx, request.context)]}


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /os-floating-ips/{id}"""
    found = _named(request)
    if found.project_id != request.context.project_id and not request.context.is_admin:
        raise NotFound.of("floating IP", found.id)
    return {"floating_ip": view(found)}


def allocate(request: ApiRequest) -> dict[str, Any]:
    """POST /os-floating-ips"""
    pool = ((request.body or {}).get("pool") or "").strip()
    try:
        made = actions.allocate(request.cloud, request.tx, request.context, pool=pool)
    except NoCapacity as error:
        raise NotFound(error.message, resource="floating_ip") from error
    return {"floating_ip": view(made)}


def release(request: ApiRequest) -> Answer:
    """DELETE /os-floating-ips/{id}"""
    actions.release(request.cloud, request.tx, request.context, _named(request))
    return Answer()


def pools(request: ApiRequest) -> dict[str, Any]:
    """GET /os-floating-ip-pools"""
    return {"floating_ip_pools": [{"name": name} for name in floating_ips.pools(request.tx)]}


def add_to_server(request: ApiRequest) -> None:
    """addFloatingIp"""
    uuid, wanted = request.path["id"], request.body
    fixed = wanted.get("fixed_address") or ""
    actions.associate(request.cloud, request.tx, request.context, uuid, address=wanted["address"], fixed_address=fixed)


def remove_from_server(request: ApiRequest) -> None:
    """removeFloatingIp"""
    address = request.body["address"]
    actions.disassociate_from_server(request.cloud, request.tx, request.context, request.path["id"], address=address)


def _named(request: ApiRequest) -> FloatingIp:
    return floating_ips.get_by_id(request.tx, number_in(request.path["id"], what="floating IP"))


_ONE = "/os-floating-ips/{id}"

ROUTES = (
    Route(method="GET", path="/os-floating-ips", handler=index, policy=POLICY + "view"),
    Route(
        method="POST",
        path="/os-floating-ips",
        handler=allocate,
        policy=POLICY + "allocate",
        bodies=body(ALLOCATE),
        body_optional=True,
        tx=Tx.WRITE,
    ),
    Route(method="GET", path=_ONE, handler=show, policy=POLICY + "view"),
    Route(method="DELETE", path=_ONE, handler=release, policy=POLICY + "release", success=202, tx=Tx.WRITE),
    Route(method="GET", path="/os-floating-ip-pools", handler=pools, policy=POLICY + "pools"),
    *(
        Route(
            method="POST",
            path="/servers/{id}/action",
            action=name,
            handler=handler,
            policy=POLICY + "associate",
            bodies=body(schema),
            success=202,
            tx=Tx.WRITE,
        )
        for name, handler, schema in (
            ("addFloatingIp", add_to_server, ADD),
            ("removeFloatingIp", remove_from_server, REMOVE),
        )
    ),
)
