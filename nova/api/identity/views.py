# SPDX-License-Identifier: Apache-2.0
"""How users, projects, roles, endpoints and tokens look in the identity API v3, and the words they share with v2.0."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from nova.api.request import ApiRequest
from nova.domain.identity import Ec2Credential, Project, Role, User
from nova.identity.catalog import Endpoint, fill, names_for

Json = dict[str, Any]

DOMAIN: Json = {"id": "default", "name": "Default"}


def url(request: ApiRequest, *parts: str) -> str:
    """The address of something in v3."""
    return "/".join((f"{request.http.host_url}/v3", *parts))


def listed(request: ApiRequest, key: str, items: Iterable[Json]) -> Json:
    """A list with its links; lists of this API have one page."""
    own = url(request) + request.http.path_info.removeprefix("/v3")
    return {key: list(items), "links": {"next": None, "previous": None, "self": own}}


def moment(value: datetime.datetime) -> str:
    """A time with microseconds, as stored."""
    return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def user(request: ApiRequest, shown: User) -> Json:
    """A user; never a password or key."""
    view: Json = {
        "id": shown.id,
        "name": shown.name,
        "domain_id": DOMAIN["id"],
        "enabled": shown.enabled,
        "description": shown.description,
        "email": shown.email,
        "options": {},
        "password_expires_at": None,
        "links": {"self": url(request, "users", shown.id)},
    }
    if shown.default_project_id:
        view["default_project_id"] = shown.default_project_id
    return view


def project(request: ApiRequest, shown: Project) -> Json:
    """A project."""
    return {
        "id": shown.id,
        "name": shown.name,
        "domain_id": DOMAIN["id"],
        "parent_id": DOMAIN["id"],
        "is_domain": False,
        "enabled": shown.enabled,
        "description": shown.description,
        "tags": [],
        "options": {},
        "links": {"self": url(request, "projects", shown.id)},
    }


def role(request: ApiRequest, shown: Role) -> Json:
    """A role."""
    return {
        "id": shown.id,
        "name": shown.name,
        "domain_id": None,
        "description": None,
        "options": {},
        "links": {"self": url(request, "roles", shown.id)},
    }


def credential(request: ApiRequest, shown: Ec2Credential) -> Json:
    """A signing key with its secret: for its owner and administrators only."""
    return {
        "access": shown.access,
        "secret": shown.secret.reveal(),
        "user_id": shown.user_id,
        "tenant_id": shown.project_id,
        "trust_id": None,
        "links": {"self": url(request, "users", shown.user_id, "credentials", "OS-EC2", shown.access)},
    }


def endpoint_urls(endpoint: Endpoint, *, project_id: str, user_id: str) -> dict[str, str]:
    """URL by interface, filled in for a caller; without those that need a project that is not there."""
    names = names_for(project_id=project_id, user_id=user_id)
    filled = ((interface, fill(template, names)) for interface, template in endpoint.urls().items())
    return {interface: address for interface, address in filled if address is not None}


def catalog(request: ApiRequest, *, project_id: str, user_id: str) -> list[Json]:
    """The service catalog of v3."""
    services: dict[str, Json] = {}
    for endpoint in request.cloud.settings.endpoints:
        urls = endpoint_urls(endpoint, project_id=project_id, user_id=user_id)
        service = services.setdefault(
            endpoint.service_id,
            {"id": endpoint.service_id, "type": endpoint.type, "name": endpoint.name, "endpoints": []},
        )
        service["endpoints"].extend(
            {
                "id": endpoint.endpoint_id(interface),
                "interface": interface,
                "region": endpoint.region,
                "region_id": endpoint.region,
                "url": address,
            }
            for interface, address in urls.items()
        )
    return [service for service in services.values() if service["endpoints"]]
