# SPDX-License-Identifier: Apache-2.0
"""Tokens of the identity API v3: get one by password or by another token, look at one, end one."""

from __future__ import annotations

from typing import Any

from nova import errors
from nova.api.identity import views
from nova.api.parameter_types import closed
from nova.api.request import Answer, ApiRequest
from nova.api.routing import PUBLIC, Route, Tx, body
from nova.api.schema import Schema
from nova.db.identity import grants
from nova.domain.identity import Token
from nova.identity import Caller, PasswordProof, Scope
from nova.secret import Secret, same_secret

_TEXT: Schema = {"type": "string", "maxLength": 255, "pattern": r"^[^\x00]*$"}
_DOMAIN = closed({"id": _TEXT, "name": _TEXT})
_USER = closed(
    {"id": _TEXT, "name": _TEXT, "domain": _DOMAIN, "password": {"type": "string", "maxLength": 65536}}, "password"
)
_SCOPE: Schema = {
    "anyOf": [
        {"const": "unscoped"},
        closed({"unscoped": {"type": "object"}}, "unscoped"),
        closed({"project": closed({"id": _TEXT, "name": _TEXT, "domain": _DOMAIN}, at_least=1)}, "project"),
        closed({"domain": closed({"id": _TEXT, "name": _TEXT}, at_least=1)}, "domain"),
    ]
}
_METHODS: Schema = {
    "type": "array",
    "items": {"enum": ["password", "token"]},
    "minItems": 1,
    "maxItems": 2,
    "uniqueItems": True,
}
_IDENTITY = closed(
    {
        "methods": _METHODS,
        "password": closed({"user": _USER}, "user"),
        "token": closed({"id": {"type": "string", "maxLength": 1024}}, "id"),
    },
    "methods",
)
_AUTH = closed({"auth": closed({"identity": _IDENTITY, "scope": _SCOPE}, "identity")}, "auth")

SUBJECT = "X-Subject-Token"


def create(request: ApiRequest) -> Answer:
    """POST /v3/auth/tokens"""
    asked = request.body["auth"]
    scope, domain = _scope_of(asked.get("scope"))
    token = _authenticate(request, asked["identity"], scope)
    caller = request.cloud.identity.validate(token.value)
    if domain and not caller.is_admin:
        request.cloud.identity.revoke(token.value)
        raise errors.Unauthenticated
    shown = token_view(request, caller, catalog=_wants_catalog(request), domain=domain)
    return Answer(body=shown, status=201, headers=((SUBJECT, token.value.reveal()), ("Vary", "X-Auth-Token")))


def _authenticate(request: ApiRequest, asked: dict[str, Any], scope: Scope) -> Token:
    identity, methods = request.cloud.identity, asked["methods"]
    for method in methods:
        if method not in asked:
            raise errors.InvalidInput(
                f"The method {method} needs its own part of the body.", field=f"identity.{method}"
            )
    source = request.context.remote_address or request.http.remote_addr or ""
    if methods == ["password"]:
        return identity.token_by_password(_proof(asked["password"]["user"]), scope=scope, source=source)
    first = Secret(asked["token"]["id"])
    if "password" in methods:
        proven = identity.verify_password(_proof(asked["password"]["user"]), source=source)
        if identity.validate(first).user.id != proven.user.id:
            raise errors.Unauthenticated
    return identity.token_by_token(first, scope=scope)


def _proof(user: dict[str, Any]) -> PasswordProof:
    """Who is meant; a user of a domain that is not there is an unknown user."""
    if bool(user.get("id")) == bool(user.get("name")):
        raise errors.InvalidInput("A user is named by its id, or by its name and domain.", field="user")
    known = _is_default(user.get("domain"))
    return PasswordProof(
        password=Secret(user["password"]),
        user_id=user.get("id", ""),
        user_name=user.get("name", "") if known else "\x01",
    )


def _is_default(domain: dict[str, str] | None) -> bool:
    wanted = domain or {}
    return wanted.get("id", "default") == "default" and wanted.get("name", "default").lower() == "default"


def _scope_of(scope: Any) -> tuple[Scope, bool]:
    """The project that is asked for, and whether it is the domain."""
    if not scope:
        return Scope(), False
    if scope == "unscoped" or "unscoped" in scope:
        return Scope(unscoped=True), False
    if "domain" in scope:
        if not _is_default(scope["domain"]):
            raise errors.Unauthenticated
        return Scope(unscoped=True), True
    project = scope["project"]
    if not _is_default(project.get("domain")) or not (project.get("id") or project.get("name")):
        raise errors.Unauthenticated
    return Scope(project_id=project.get("id", ""), project_name=project.get("name", "")), False


def subject_of(request: ApiRequest, text: str) -> Caller:
    """The holder of the token *text*: one's own, or for services and administrators anybody's; else NotFound."""
    subject = Secret(text)
    own = request.context.auth_token
    is_own = own is not None and same_secret(own.reveal(), text)
    if not is_own and not request.cloud.policy.allows(request.context, "identity_service"):
        raise errors.Forbidden
    try:
        return request.cloud.identity.validate(subject)
    except errors.Unauthenticated:
        raise errors.NotFound("The token could not be found.", resource="token") from None


def show(request: ApiRequest) -> Answer:
    """GET and HEAD /v3/auth/tokens"""
    text = request.http.headers.get(SUBJECT, "")
    shown = token_view(request, subject_of(request, text), catalog=_wants_catalog(request))
    return Answer(body=shown, headers=((SUBJECT, text), ("Vary", "X-Auth-Token")))


def revoke(request: ApiRequest) -> None:
    """DELETE /v3/auth/tokens"""
    end_token(request, request.http.headers.get(SUBJECT, ""))


def end_token(request: ApiRequest, text: str) -> None:
    """End a token of the caller's own, or as an administrator anybody's."""
    caller = subject_of(request, text)
    if caller.user.id != request.context.user_id and not request.context.is_admin:
        raise errors.Forbidden
    request.cloud.identity.revoke(Secret(text))


def _wants_catalog(request: ApiRequest) -> bool:
    return "nocatalog" not in request.query


def role_views(request: ApiRequest, names: tuple[str, ...]) -> list[dict[str, str]]:
    """The roles with their ids; one that is implied has its name for an id."""
    known = {role.name: role.id for role in request.cloud.db.run(grants.roles, write=False)}
    return [{"id": known.get(name, name), "name": name} for name in names]


def token_view(request: ApiRequest, caller: Caller, *, catalog: bool, domain: bool = False) -> dict[str, Any]:
    """A token as v3 shows it."""
    if caller.issued_at is None or caller.expires_at is None:
        raise errors.InternalError(detail="a caller without a token has no token to show")
    user = caller.user
    view: dict[str, Any] = {
        "methods": list(caller.methods),
        "user": {"id": user.id, "name": user.name, "domain": views.DOMAIN, "password_expires_at": None},
        "audit_ids": [caller.audit_id],
        "issued_at": views.moment(caller.issued_at),
        "expires_at": views.moment(caller.expires_at),
    }
    if domain:
        view["domain"] = views.DOMAIN
    if caller.project:
        view["project"] = {"id": caller.project.id, "name": caller.project.name, "domain": views.DOMAIN}
        view["is_domain"] = False
    if caller.project or domain:
        view["roles"] = role_views(request, caller.roles)
        if catalog:
            project_id = caller.project.id if caller.project else ""
            view["catalog"] = views.catalog(request, project_id=project_id, user_id=user.id)
    return {"token": view}


_PATH = "/v3/auth/tokens"

ROUTES = (
    Route(method="POST", path=_PATH, handler=create, policy=PUBLIC, bodies=body(_AUTH), success=201, tx=Tx.NONE),
    Route(method="GET", path=_PATH, handler=show, policy="identity:validate_token", tx=Tx.NONE),
    Route(method="DELETE", path=_PATH, handler=revoke, policy="identity:revoke_token", success=204, tx=Tx.NONE),
)
