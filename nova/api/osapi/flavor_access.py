# SPDX-License-Identifier: Apache-2.0
"""Which projects may use a private flavor."""

from __future__ import annotations

from typing import Any

from nova.api.microversion import v
from nova.api.osapi.flavors import find
from nova.api.parameter_types import PROJECT_ID, closed, envelope
from nova.api.policies.compute import PREFIX
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx, body
from nova.db import flavors
from nova.errors import Conflict, NotFound

POLICY = PREFIX + "os-flavor-access"
_TENANT = closed({"tenant": PROJECT_ID}, "tenant")


def _listed(request: ApiRequest) -> dict[str, Any]:
    flavor_id = request.path["id"]
    projects = flavors.access_list(request.tx, flavor_id)
    return {"flavor_access": [{"flavor_id": flavor_id, "tenant_id": project} for project in projects]}


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /flavors/{id}/os-flavor-access"""
    if find(request).is_public:
        raise NotFound("A public flavor has no access list.", resource="flavor", id=request.path["id"])
    return _listed(request)


def add(request: ApiRequest) -> dict[str, Any]:
    """addTenantAccess"""
    flavor = find(request)
    if flavor.is_public and request.version >= v(7):
        raise Conflict("Everybody may use a public flavor.", resource="flavor", id=flavor.flavor_id)
    flavors.add_access(request.tx, flavor.flavor_id, request.body["tenant"])
    return _listed(request)


def remove(request: ApiRequest) -> dict[str, Any]:
    """removeTenantAccess"""
    flavors.remove_access(request.tx, find(request).flavor_id, request.body["tenant"])
    return _listed(request)


ROUTES = (
    Route(method="GET", path="/flavors/{id}/os-flavor-access", handler=index, policy=POLICY),
    Route(
        method="POST",
        path="/flavors/{id}/action",
        action="addTenantAccess",
        handler=add,
        policy=POLICY + ":add_tenant_access",
        bodies=body(envelope("addTenantAccess", _TENANT)),
        tx=Tx.WRITE,
    ),
    Route(
        method="POST",
        path="/flavors/{id}/action",
        action="removeTenantAccess",
        handler=remove,
        policy=POLICY + ":remove_tenant_access",
        bodies=body(envelope("removeTenantAccess", _TENANT)),
        tx=Tx.WRITE,
    ),
)
