# SPDX-License-Identifier: Apache-2.0
"""Roles, and who has them in which project."""

from __future__ import annotations

import uuid
from typing import Any

from nova import errors
from nova.api.identity import views
from nova.api.parameter_types import NAME, TEXT_OR_NULL, closed
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx, body
from nova.api.schema import Schema
from nova.db.identity import grants, projects, users
from nova.domain.identity import DEFAULT_ROLES, Role

_CHANGEABLE: dict[str, Schema] = {
    "name": NAME,
    "description": TEXT_OR_NULL,
    "options": {"type": "object", "maxProperties": 0},
}
_CREATE = closed({"role": closed({**_CHANGEABLE, "domain_id": {"type": "null"}}, "name")}, "role")
_UPDATE = closed({"role": closed(_CHANGEABLE)}, "role")


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /v3/roles"""
    found = grants.roles(request.tx, name=request.query.get("name"))
    return views.listed(request, "roles", [views.role(request, role) for role in found])


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /v3/roles/{role_id}"""
    return {"role": views.role(request, grants.role(request.tx, request.path["role_id"]))}


def create(request: ApiRequest) -> dict[str, Any]:
    """POST /v3/roles"""
    made = Role(id=uuid.uuid4().hex, name=request.body["role"]["name"])
    grants.create_role(request.tx, made)
    return {"role": views.role(request, made)}


def update(request: ApiRequest) -> dict[str, Any]:
    """PATCH /v3/roles/{role_id}: another name; the roles that the rules know keep theirs."""
    before = grants.role(request.tx, request.path["role_id"])
    name = request.body["role"].get("name", before.name)
    if name != before.name and before.name in DEFAULT_ROLES:
        raise errors.Forbidden(f"The role {before.name} is known to the rules by its name.")
    if name != before.name:
        grants.rename_role(request.tx, before.id, name)
    return {"role": views.role(request, grants.role(request.tx, before.id))}


def delete(request: ApiRequest) -> None:
    """DELETE /v3/roles/{role_id}"""
    grants.remove_role(request.tx, request.path["role_id"])


def _place(request: ApiRequest) -> tuple[str, str]:
    """The user and the project of the URL, both of which must be there."""
    user = users.get(request.tx, request.path["user_id"])
    project = projects.get(request.tx, request.path["project_id"])
    return user.id, project.id


def granted(request: ApiRequest) -> dict[str, Any]:
    """GET /v3/projects/{project_id}/users/{user_id}/roles"""
    user_id, project_id = _place(request)
    found = grants.find(request.tx, user_id=user_id, project_id=project_id)
    return views.listed(request, "roles", [views.role(request, grant.role) for grant in found])


def check(request: ApiRequest) -> None:
    """GET and HEAD …/roles/{role_id}: 204 where it is granted."""
    user_id, project_id = _place(request)
    found = grants.find(request.tx, user_id=user_id, project_id=project_id, role_id=request.path["role_id"])
    if not found:
        raise errors.NotFound("The user does not have this role there.", resource="role")


def grant(request: ApiRequest) -> None:
    """PUT …/roles/{role_id}"""
    user_id, project_id = _place(request)
    role = grants.role(request.tx, request.path["role_id"])
    grants.add(request.tx, user_id=user_id, project_id=project_id, role_id=role.id)


def revoke(request: ApiRequest) -> None:
    """DELETE …/roles/{role_id}"""
    user_id, project_id = _place(request)
    grants.remove(request.tx, user_id=user_id, project_id=project_id, role_id=request.path["role_id"])


def assignments(request: ApiRequest) -> dict[str, Any]:
    """GET /v3/role_assignments"""
    query = request.query
    found = grants.find(
        request.tx,
        user_id=query.get("user.id"),
        project_id=query.get("scope.project.id"),
        role_id=query.get("role.id"),
    )
    names = "include_names" in query and query["include_names"].lower() not in ("false", "0")
    shown = [_assignment(request, grant, names=names) for grant in found]
    return views.listed(request, "role_assignments", [] if "group.id" in query else shown)


def _assignment(request: ApiRequest, shown: grants.Grant, *, names: bool) -> dict[str, Any]:
    domain = {"domain": views.DOMAIN} if names else {}
    user: dict[str, Any] = {"id": shown.user_id, **({"name": shown.user_name} if names else {}), **domain}
    scope: dict[str, Any] = {"domain": {"id": views.DOMAIN["id"], **({"name": "Default"} if names else {})}}
    if shown.project_id:
        scope = {"project": {"id": shown.project_id, **({"name": shown.project_name} if names else {}), **domain}}
    role = {"id": shown.role.id, **({"name": shown.role.name} if names else {})}
    return {"user": user, "scope": scope, "role": role, "links": {"assignment": views.url(request, "role_assignments")}}


_GRANTED = "/v3/projects/{project_id}/users/{user_id}/roles"
_GRANT = f"{_GRANTED}/{{role_id}}"
_MANAGE = "identity:manage_grants"

ROUTES = (
    Route(method="GET", path="/v3/roles", handler=index, policy="identity:list_roles"),
    Route(
        method="POST",
        path="/v3/roles",
        handler=create,
        policy="identity:manage_roles",
        bodies=body(_CREATE),
        success=201,
        tx=Tx.WRITE,
    ),
    Route(method="GET", path="/v3/roles/{role_id}", handler=show, policy="identity:list_roles"),
    Route(
        method="PATCH",
        path="/v3/roles/{role_id}",
        handler=update,
        policy="identity:manage_roles",
        bodies=body(_UPDATE),
        tx=Tx.WRITE,
    ),
    Route(
        method="DELETE",
        path="/v3/roles/{role_id}",
        handler=delete,
        policy="identity:manage_roles",
        success=204,
        tx=Tx.WRITE,
    ),
    Route(method="GET", path=_GRANTED, handler=granted, policy="identity:list_grants"),
    Route(method="GET", path=_GRANT, handler=check, policy="identity:list_grants", success=204),
    Route(method="PUT", path=_GRANT, handler=grant, policy=_MANAGE, success=204, tx=Tx.WRITE, body_optional=True),
    Route(method="DELETE", path=_GRANT, handler=revoke, policy=_MANAGE, success=204, tx=Tx.WRITE),
    Route(method="GET", path="/v3/role_assignments", handler=assignments, policy="identity:list_grants"),
)
