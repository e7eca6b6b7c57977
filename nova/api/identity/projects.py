# SPDX-License-Identifier: Apache-2.0
"""Projects: administrators see and change all; members see those in which they have a role."""

from __future__ import annotations

from typing import Any

from nova import errors
from nova.api.identity import views
from nova.api.parameter_types import NAME, TEXT_OR_NULL, closed, query_bool
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx, body
from nova.api.schema import Schema
from nova.db.identity import projects
from nova.identity import administration

_CHANGEABLE: dict[str, Schema] = {
    "name": NAME,
    "description": TEXT_OR_NULL,
    "enabled": {"type": "boolean"},
    "tags": {"type": "array", "maxItems": 0},
    "options": {"type": "object", "maxProperties": 0},
}
_FIXED: dict[str, Schema] = {
    "domain_id": {"enum": [views.DOMAIN["id"], None]},
    "parent_id": {"enum": [views.DOMAIN["id"], None]},
    "is_domain": {"const": False},
}
_CREATE = closed({"project": closed({**_CHANGEABLE, **_FIXED}, "name")}, "project")
_UPDATE = closed({"project": closed(_CHANGEABLE)}, "project")


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /v3/projects"""
    enabled = request.query.get("enabled")
    found = projects.find(
        request.tx,
        name=request.query.get("name"),
        enabled=None if enabled is None else query_bool(enabled, field="enabled"),
    )
    if request.query.get("domain_id", views.DOMAIN["id"]) != views.DOMAIN["id"]:
        found = ()
    return views.listed(request, "projects", [views.project(request, project) for project in found])


def own(request: ApiRequest) -> dict[str, Any]:
    """GET /v3/auth/projects: those that a token may be had for."""
    mine = projects.of_user(request.tx, request.context.user_id)
    return views.listed(request, "projects", [views.project(request, project) for project in mine])


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /v3/projects/{project_id}: members are refused alike for projects of others and for those that are not there.

    Client programs take a 403 for "use the text as an id", which a member needs to share something with a project.
    """
    project_id = request.path["project_id"]
    if not request.context.is_admin:
        mine = projects.of_user(request.tx, request.context.user_id, enabled_only=False)
        if project_id not in {project.id for project in mine}:
            raise errors.Forbidden
    return {"project": views.project(request, projects.get(request.tx, project_id))}


def create(request: ApiRequest) -> dict[str, Any]:
    """POST /v3/projects"""
    wanted = request.body["project"]
    made = administration.create_project(
        request.tx,
        wanted["name"],
        description=wanted.get("description") or "",
        enabled=wanted.get("enabled", True),
    )
    return {"project": views.project(request, made)}


def update(request: ApiRequest) -> dict[str, Any]:
    """PATCH /v3/projects/{project_id}"""
    changes = request.body["project"]
    changed = administration.modify_project(
        request.tx,
        projects.get(request.tx, request.path["project_id"]),
        name=changes.get("name", ""),
        description=(changes["description"] or "") if "description" in changes else None,
        enabled=changes.get("enabled"),
    )
    return {"project": views.project(request, changed)}


def delete(request: ApiRequest) -> None:
    """DELETE /v3/projects/{project_id}"""
    projects.remove(request.tx, request.path["project_id"])


_ALL, _ONE = "/v3/projects", "/v3/projects/{project_id}"

ROUTES = (
    Route(method="GET", path=_ALL, handler=index, policy="identity:list_projects"),
    Route(
        method="POST",
        path=_ALL,
        handler=create,
        policy="identity:create_project",
        bodies=body(_CREATE),
        success=201,
        tx=Tx.WRITE,
    ),
    Route(method="GET", path="/v3/auth/projects", handler=own, policy="identity:list_own_projects"),
    Route(method="GET", path=_ONE, handler=show, policy="identity:get_project"),
    Route(
        method="PATCH",
        path=_ONE,
        handler=update,
        policy="identity:update_project",
        bodies=body(_UPDATE),
        tx=Tx.WRITE,
    ),
    Route(method="DELETE", path=_ONE, handler=delete, policy="identity:delete_project", success=204, tx=Tx.WRITE),
)
