# SPDX-License-Identifier: Apache-2.0
"""Tokens and projects of the identity API v2.0, for clients of the time when it was the only one."""

from __future__ import annotations

from typing import Any

from nova import errors
from nova.api.identity import views
from nova.api.identity.tokens_v3 import end_token, role_views, subject_of
from nova.api.parameter_types import closed
from nova.api.request import ApiRequest
from nova.api.routing import PUBLIC, Route, Tx, body
from nova.api.schema import Schema
from nova.domain.identity import Project, Token
from nova.identity import Caller, PasswordProof, Scope
from nova.secret import Secret

_TEXT: Schema = {"type": ["string", "null"], "maxLength": 255, "pattern": r"^[^\x00]*$"}
_PASSWORD = closed({"username": _TEXT, "userId": _TEXT, "password": {"type": "string", "maxLength": 65536}}, "password")
_AUTH = closed(
    {
        "auth": closed(
            {
                "passwordCredentials": _PASSWORD,
                "token": closed({"id": {"type": "string", "maxLength": 1024}}, "id"),
                "tenantName": _TEXT,
                "tenantId": _TEXT,
            }
        )
    },
    "auth",
)


def create(request: ApiRequest) -> dict[str, Any]:
    """POST /v2.0/tokens"""
    asked = request.body["auth"]
    if ("passwordCredentials" in asked) == ("token" in asked):
        raise errors.InvalidInput("Give either passwordCredentials or a token.", field="auth")
    token = _authenticate(request, asked)
    return access_view(request, request.cloud.identity.validate(token.value), token.value.reveal())


def _authenticate(request: ApiRequest, asked: dict[str, Any]) -> Token:
    scope = Scope(project_id=asked.get("tenantId") or "", project_name=asked.get("tenantName") or "")
    if "token" in asked:
        return request.cloud.identity.token_by_token(Secret(asked["token"]["id"]), scope=scope)
    given = asked["passwordCredentials"]
    proof = PasswordProof(
        password=Secret(given["password"]),
        user_id=given.get("userId") or "",
        user_name=given.get("username") or "",
    )
    source = request.context.remote_address or request.http.remote_addr or ""
    return request.cloud.identity.token_by_password(proof, scope=scope, source=source)


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /v2.0/tokens/{token}"""
    text = request.path["token"]
    caller = subject_of(request, text)
    belongs = request.query.get("belongsTo")
    if belongs and (caller.project is None or caller.project.id != belongs):
        raise errors.NotFound("The token could not be found.", resource="token")
    return access_view(request, caller, text)


def revoke(request: ApiRequest) -> None:
    """DELETE /v2.0/tokens/{token}"""
    end_token(request, request.path["token"])


def tenants(request: ApiRequest) -> dict[str, Any]:
    """GET /v2.0/tenants: the caller's own."""
    mine = request.cloud.identity.projects_of(request.context.user_id)
    return {"tenants": [_tenant(project) for project in mine], "tenants_links": []}


def _tenant(project: Project) -> dict[str, Any]:
    return {
        "id": project.id,
        "name": project.name,
        "description": project.description,
        "enabled": project.enabled,
    }


def access_view(request: ApiRequest, caller: Caller, token: str) -> dict[str, Any]:
    """A token as v2.0 shows it."""
    if caller.issued_at is None or caller.expires_at is None:
        raise errors.InternalError(detail="a caller without a token has no token to show")
    roles = role_views(request, caller.roles) if caller.project else []
    shown: dict[str, Any] = {
        "id": token,
        "issued_at": views.moment(caller.issued_at),
        "expires": views.moment(caller.expires_at).partition(".")[0] + "Z",
        "audit_ids": [caller.audit_id],
    }
    if caller.project:
        shown["tenant"] = _tenant(caller.project)
    return {
        "access": {
            "token": shown,
            "user": {
                "id": caller.user.id,
                "name": caller.user.name,
                "username": caller.user.name,
                "roles": [{"name": role["name"]} for role in roles],
                "roles_links": [],
            },
            "serviceCatalog": _catalog(request, caller) if caller.project else [],
            "metadata": {"is_admin": int(caller.is_admin), "roles": [role["id"] for role in roles]},
        }
    }


def _catalog(request: ApiRequest, caller: Caller) -> list[dict[str, Any]]:
    project_id = caller.project.id if caller.project else ""
    services: dict[str, dict[str, Any]] = {}
    for endpoint in request.cloud.settings.endpoints:
        urls = views.endpoint_urls(endpoint, project_id=project_id, user_id=caller.user.id)
        if not urls:
            continue
        service = services.setdefault(
            endpoint.service_id,
            {"type": endpoint.type, "name": endpoint.name, "endpoints": [], "endpoints_links": []},
        )
        named = {f"{interface}URL": address for interface, address in urls.items()}
        service["endpoints"].append({"id": endpoint.endpoint_id("public"), "region": endpoint.region, **named})
    return list(services.values())


_TOKEN = "/v2.0/tokens/{token}"  # noqa: S105 - a path

ROUTES = (
    Route(method="POST", path="/v2.0/tokens", handler=create, policy=PUBLIC, bodies=body(_AUTH), tx=Tx.NONE),
    Route(method="GET", path=_TOKEN, handler=show, policy="identity:validate_token", tx=Tx.NONE),
    Route(method="DELETE", path=_TOKEN, handler=revoke, policy="identity:revoke_token", success=204, tx=Tx.NONE),
    Route(method="GET", path="/v2.0/tenants", handler=tenants, policy="identity:list_own_projects", tx=Tx.NONE),
)
