# SPDX-License-Identifier: Apache-2.0
"""/servers/{id}/os-server-password: what the guest made as a password, encrypted with the key of its user."""

from __future__ import annotations

from typing import Any

from nova.api.actions import server_password, servers
from nova.api.policies.compute import PREFIX
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx

PATH = "/servers/{id}/os-server-password"
SHOW_RULE = PREFIX + "os-server-password:show"
CLEAR_RULE = PREFIX + "os-server-password:clear"


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /servers/{id}/os-server-password"""
    instance = servers.load(request.tx, request.context, request.path["id"])
    servers.authorize(request.cloud, request.context, SHOW_RULE, instance)
    return {"password": server_password.read(request.tx, instance.uuid).decode()}


def clear(request: ApiRequest) -> None:
    """DELETE /servers/{id}/os-server-password"""
    instance = servers.load(request.tx, request.context, request.path["id"])
    servers.authorize(request.cloud, request.context, CLEAR_RULE, instance)
    server_password.clear(request.tx, instance.uuid)


ROUTES = (
    Route(method="GET", path=PATH, handler=show, policy=SHOW_RULE),
    Route(method="DELETE", path=PATH, handler=clear, policy=CLEAR_RULE, success=204, tx=Tx.WRITE),
)
