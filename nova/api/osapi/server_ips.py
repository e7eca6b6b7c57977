# SPDX-License-Identifier: Apache-2.0
"""/servers/{id}/ips: addresses by network."""

from __future__ import annotations

from typing import Any

from nova.api.actions import servers
from nova.api.osapi.server_view import addresses_of
from nova.api.policies.compute import PREFIX
from nova.api.request import ApiRequest
from nova.api.routing import Route
from nova.db import addresses
from nova.errors import NotFound


def _addresses(request: ApiRequest) -> dict[str, list[dict[str, Any]]]:
    uuid = servers.load(request.tx, request.context, request.path["id"]).uuid
    return addresses_of(addresses.nics_of(request.tx, [uuid]).get(uuid, ()), details=False)


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /servers/{id}/ips"""
    return {"addresses": _addresses(request)}


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /servers/{id}/ips/{label}"""
    found, label = _addresses(request), request.path["label"]
    if label not in found:
        raise NotFound("The server has no address in a network of this name.", resource="network", id=label)
    return {label: found[label]}


ROUTES = (
    Route(method="GET", path="/servers/{id}/ips", handler=index, policy=PREFIX + "ips:index"),
    Route(method="GET", path="/servers/{id}/ips/{label}", handler=show, policy=PREFIX + "ips:show"),
)
