# SPDX-License-Identifier: Apache-2.0
"""/os-floating-ips-bulk: all floating addresses, for administrators: seen, added and removed by ranges."""

from __future__ import annotations

from typing import Any

from nova.api.actions import floating_ips as actions
from nova.api.parameter_types import LOOSE_NAME, closed, envelope
from nova.api.policies.compute import PREFIX
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx, body
from nova.api.schema import Schema
from nova.db import floating_ips
from nova.domain.network import FloatingIp
from nova.errors import NotFound

POLICY = PREFIX + "os-floating-ips-bulk:"
_RANGE: Schema = {"type": "string", "minLength": 1, "maxLength": 64}
_DEVICE: Schema = {"type": ["string", "null"], "maxLength": 15, "pattern": r"^[A-Za-z0-9_.\-]*$(?!\n)"}
CREATE = envelope(
    "floating_ips_bulk_create",
    closed({"ip_range": _RANGE, "pool": {**LOOSE_NAME, "type": ["string", "null"]}, "interface": _DEVICE}, "ip_range"),
)
DELETE = closed({"ip_range": _RANGE}, "ip_range")


def view(floating: FloatingIp) -> dict[str, Any]:
    """An address, where it is from and whose it is."""
    return {
        "address": floating.address,
        "pool": floating.pool,
        "interface": floating.interface or None,
        "project_id": floating.project_id or None,
        "instance_uuid": floating.instance_uuid or None,
        "fixed_ip": floating.fixed_address or None,
    }


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /os-floating-ips-bulk"""
    return {"floating_ip_info": [view(each) for each in floating_ips.find_all(request.tx)]}


def of_host(request: ApiRequest) -> dict[str, Any]:
    """GET /os-floating-ips-bulk/{host}"""
    found = floating_ips.find_all(request.tx, host=request.path["host"][:255])
    if not found:
        raise NotFound("The host carries no floating IP.", resource="floating_ip")
    return {"floating_ip_info": [view(each) for each in found]}


def create(request: ApiRequest) -> dict[str, Any]:
    """POST /os-floating-ips-bulk"""
    wanted, settings = request.body["floating_ips_bulk_create"], request.cloud.settings
    made = {
        "ip_range": wanted["ip_range"],
        "pool": (wanted.get("pool") or "").strip() or settings.default_floating_pool,
        "interface": wanted.get("interface") or settings.public_interface,
    }
    actions.create_range(request.cloud, request.tx, request.context, **made)
    return {"floating_ips_bulk_create": made}


def delete(request: ApiRequest) -> dict[str, Any]:
    """PUT /os-floating-ips-bulk/delete"""
    ip_range = request.body["ip_range"]
    actions.delete_range(request.cloud, request.tx, request.context, ip_range=ip_range)
    return {"floating_ips_bulk_delete": ip_range}


_ALL = "/os-floating-ips-bulk"

ROUTES = (
    Route(method="GET", path=_ALL, handler=index, policy=POLICY + "view"),
    Route(method="GET", path=_ALL + "/{host}", handler=of_host, policy=POLICY + "view"),
    Route(method="POST", path=_ALL, handler=create, policy=POLICY + "create", bodies=body(CREATE), tx=Tx.WRITE),
    Route(
        method="PUT",
        path=_ALL + "/delete",
        handler=delete,
        policy=POLICY + "delete",
        bodies=body(DELETE),
        tx=Tx.WRITE,
    ),
)
