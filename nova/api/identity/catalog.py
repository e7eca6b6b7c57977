# SPDX-License-Identifier: Apache-2.0
"""Services, endpoints, regions and the one domain: read-only, since they come from the configuration."""

from __future__ import annotations

from typing import Any

from nova import errors
from nova.api.identity import views
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx
from nova.identity.catalog import Endpoint

Json = dict[str, Any]


def catalog(request: ApiRequest) -> Json:
    """GET /v3/auth/catalog"""
    context = request.context
    if not context.project_id:
        raise errors.Forbidden("The catalog is for tokens with a project.")
    found = views.catalog(request, project_id=context.project_id, user_id=context.user_id)
    return views.listed(request, "catalog", found)


def _services(request: ApiRequest) -> dict[str, Json]:
    return {
        endpoint.service_id: {
            "id": endpoint.service_id,
            "type": endpoint.type,
            "name": endpoint.name,
            "enabled": True,
            "description": "",
            "links": {"self": views.url(request, "services", endpoint.service_id)},
        }
        for endpoint in request.cloud.settings.endpoints
    }


def services(request: ApiRequest) -> Json:
    """GET /v3/services"""
    kind, name = request.query.get("type"), request.query.get("name")
    found = [
        service
        for service in _services(request).values()
        if kind in (None, service["type"]) and name in (None, service["name"])
    ]
    return views.listed(request, "services", found)


def service(request: ApiRequest) -> Json:
    """GET /v3/services/{service_id}"""
    return {"service": _one(_services(request), "service", request.path["service_id"])}


def _endpoint(request: ApiRequest, shown: Endpoint, interface: str, template: str) -> Json:
    endpoint_id = shown.endpoint_id(interface)
    return {
        "id": endpoint_id,
        "interface": interface,
        "service_id": shown.service_id,
        "region": shown.region,
        "region_id": shown.region,
        "url": template,
        "enabled": True,
        "links": {"self": views.url(request, "endpoints", endpoint_id)},
    }


def _endpoints(request: ApiRequest) -> dict[str, Json]:
    rows = [
        _endpoint(request, endpoint, interface, template)
        for endpoint in request.cloud.settings.endpoints
        for interface, template in endpoint.urls().items()
    ]
    return {row["id"]: row for row in rows}


def endpoints(request: ApiRequest) -> Json:
    """GET /v3/endpoints: the templates as they are written"""
    wanted = {key: request.query[key] for key in ("interface", "service_id", "region_id") if key in request.query}
    found = [row for row in _endpoints(request).values() if all(row[key] == value for key, value in wanted.items())]
    return views.listed(request, "endpoints", found)


def endpoint(request: ApiRequest) -> Json:
    """GET /v3/endpoints/{endpoint_id}"""
    return {"endpoint": _one(_endpoints(request), "endpoint", request.path["endpoint_id"])}


def _regions(request: ApiRequest) -> dict[str, Json]:
    return {
        name: {
            "id": name,
            "description": "",
            "parent_region_id": None,
            "links": {"self": views.url(request, "regions", name)},
        }
        for name in sorted({endpoint.region for endpoint in request.cloud.settings.endpoints})
    }


def regions(request: ApiRequest) -> Json:
    """GET /v3/regions"""
    return views.listed(request, "regions", _regions(request).values())


def region(request: ApiRequest) -> Json:
    """GET /v3/regions/{region_id}"""
    return {"region": _one(_regions(request), "region", request.path["region_id"])}


def _one(rows: dict[str, Json], what: str, key: str) -> Json:
    if key not in rows:
        raise errors.NotFound.of(what, key)
    return rows[key]


def _domain(request: ApiRequest) -> Json:
    return {
        **views.DOMAIN,
        "enabled": True,
        "description": "The domain of all users and projects of this cloud.",
        "tags": [],
        "options": {},
        "links": {"self": views.url(request, "domains", views.DOMAIN["id"])},
    }


def domains(request: ApiRequest) -> Json:
    """GET /v3/domains"""
    shown = _domain(request)
    fits = request.query.get("name", shown["name"]) == shown["name"]
    return views.listed(request, "domains", [shown] if fits else [])


def domain(request: ApiRequest) -> Json:
    """GET /v3/domains/{domain_id}"""
    return {"domain": _one({views.DOMAIN["id"]: _domain(request)}, "domain", request.path["domain_id"])}


_ADMIN = "identity:list_endpoints"

ROUTES = (
    Route(method="GET", path="/v3/auth/catalog", handler=catalog, policy="identity:get_catalog", tx=Tx.NONE),
    Route(method="GET", path="/v3/services", handler=services, policy=_ADMIN, tx=Tx.NONE),
    Route(method="GET", path="/v3/services/{service_id}", handler=service, policy=_ADMIN, tx=Tx.NONE),
    Route(method="GET", path="/v3/endpoints", handler=endpoints, policy=_ADMIN, tx=Tx.NONE),
    Route(method="GET", path="/v3/endpoints/{endpoint_id}", handler=endpoint, policy=_ADMIN, tx=Tx.NONE),
    Route(method="GET", path="/v3/regions", handler=regions, policy=_ADMIN, tx=Tx.NONE),
    Route(method="GET", path="/v3/regions/{region_id}", handler=region, policy=_ADMIN, tx=Tx.NONE),
    Route(method="GET", path="/v3/domains", handler=domains, policy="identity:get_domain", tx=Tx.NONE),
    Route(method="GET", path="/v3/auth/domains", handler=domains, policy="identity:get_domain", tx=Tx.NONE),
    Route(method="GET", path="/v3/domains/{domain_id}", handler=domain, policy="identity:get_domain", tx=Tx.NONE),
)
