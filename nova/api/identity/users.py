# SPDX-License-Identifier: Apache-2.0
"""Users: administrators see and change all; others see themselves and change their password with the present one."""

from __future__ import annotations

from typing import Any

from nova import errors
from nova.api.identity import views
from nova.api.parameter_types import NAME, TEXT_OR_NULL, closed, query_bool
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx, body
from nova.api.schema import Schema
from nova.db.engine import Transaction
from nova.db.identity import projects, users
from nova.domain.identity import User
from nova.identity import PasswordProof, administration
from nova.secret import Secret

_PASSWORD: Schema = {"type": ["string", "null"], "maxLength": 65536}
_ID_OR_NULL: Schema = {"type": ["string", "null"], "maxLength": 64, "pattern": r"^[^\x00]*$"}
_CHANGEABLE: dict[str, Schema] = {
    "name": NAME,
    "password": _PASSWORD,
    "enabled": {"type": "boolean"},
    "email": TEXT_OR_NULL,
    "description": TEXT_OR_NULL,
    "default_project_id": _ID_OR_NULL,
    "options": {"type": "object", "maxProperties": 0},
}
_CREATE = closed({"user": closed({**_CHANGEABLE, "domain_id": {"enum": [views.DOMAIN["id"], None]}}, "name")}, "user")
_UPDATE = closed({"user": closed(_CHANGEABLE)}, "user")
_OWN_PASSWORD: Schema = {"type": "string", "maxLength": 65536}
_CHANGE = closed(
    {"user": closed({"password": _OWN_PASSWORD, "original_password": _OWN_PASSWORD}, "password", "original_password")},
    "user",
)


def ensure_self_or_admin(request: ApiRequest, user_id: str) -> None:
    """Forbidden for members who ask about others, whether these exist or not."""
    if user_id != request.context.user_id and not request.context.is_admin:
        raise errors.Forbidden


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /v3/users"""
    enabled = request.query.get("enabled")
    found = users.find(
        request.tx,
        name=request.query.get("name"),
        enabled=None if enabled is None else query_bool(enabled, field="enabled"),
    )
    if request.query.get("domain_id", views.DOMAIN["id"]) != views.DOMAIN["id"]:
        found = ()
    return views.listed(request, "users", [views.user(request, user) for user in found])


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /v3/users/{user_id}"""
    ensure_self_or_admin(request, request.path["user_id"])
    return {"user": views.user(request, users.get(request.tx, request.path["user_id"]))}


def create(request: ApiRequest) -> dict[str, Any]:
    """POST /v3/users"""
    wanted = request.body["user"]
    password = wanted.get("password")
    hashed = request.cloud.identity.hash_password(Secret(password)) if password else None

    def work(tx: Transaction) -> User:
        project_id = _existing_project(tx, wanted.get("default_project_id"))
        return administration.create_user(
            tx,
            wanted["name"],
            password_hash=hashed,
            email=wanted.get("email") or "",
            description=wanted.get("description") or "",
            default_project_id=project_id or "",
            enabled=wanted.get("enabled", True),
        )

    return {"user": views.user(request, request.cloud.db.run(work))}


def update(request: ApiRequest) -> dict[str, Any]:
    """PATCH /v3/users/{user_id}"""
    changes = request.body["user"]
    password = changes.get("password")
    hashed = request.cloud.identity.hash_password(Secret(password)) if password else None

    def work(tx: Transaction) -> User:
        user = users.get(tx, request.path["user_id"])
        if hashed:
            users.set_password(tx, user.id, hashed)
        return administration.modify_user(
            tx,
            user,
            name=changes.get("name", ""),
            enabled=changes.get("enabled"),
            email=_text(changes, "email"),
            description=_text(changes, "description"),
            default_project_id=_existing_project(tx, _text(changes, "default_project_id")),
        )

    return {"user": views.user(request, request.cloud.db.run(work))}


def _text(changes: dict[str, Any], key: str) -> str | None:
    """The new text; null empties it, absence leaves it."""
    return (changes[key] or "") if key in changes else None


def _existing_project(tx: Transaction, project_id: str | None) -> str | None:
    if not project_id:
        return project_id
    try:
        return projects.get(tx, project_id).id
    except errors.NotFound:
        raise errors.InvalidInput("There is no such project.", field="default_project_id") from None


def delete(request: ApiRequest) -> None:
    """DELETE /v3/users/{user_id}"""
    if request.path["user_id"] == request.context.user_id:
        raise errors.Conflict("You cannot remove yourself.")
    users.remove(request.tx, request.path["user_id"])


def change_password(request: ApiRequest) -> None:
    """POST /v3/users/{user_id}/password: for oneself, with the present password, which counts for the lock-out."""
    user_id, given = request.path["user_id"], request.body["user"]
    if user_id != request.context.user_id:
        raise errors.Forbidden
    identity = request.cloud.identity
    source = request.context.remote_address
    identity.verify_password(PasswordProof(password=Secret(given["original_password"]), user_id=user_id), source=source)
    hashed = identity.hash_password(Secret(given["password"]))
    request.cloud.db.run(lambda tx: users.set_password(tx, user_id, hashed))


def own_projects(request: ApiRequest) -> dict[str, Any]:
    """GET /v3/users/{user_id}/projects"""
    ensure_self_or_admin(request, request.path["user_id"])
    found = projects.of_user(request.tx, request.path["user_id"])
    return views.listed(request, "projects", [views.project(request, project) for project in found])


def no_groups(request: ApiRequest) -> dict[str, Any]:
    """GET /v3/users/{user_id}/groups: this store has none."""
    ensure_self_or_admin(request, request.path["user_id"])
    return views.listed(request, "groups", [])


def groups(request: ApiRequest) -> dict[str, Any]:
    """GET /v3/groups"""
    return views.listed(request, "groups", [])


_USERS, _USER = "/v3/users", "/v3/users/{user_id}"
_PASSWORD_PATH = f"{_USER}/password"

ROUTES = (
    Route(method="GET", path=_USERS, handler=index, policy="identity:list_users"),
    Route(
        method="POST",
        path=_USERS,
        handler=create,
        policy="identity:create_user",
        bodies=body(_CREATE),
        success=201,
        tx=Tx.NONE,
    ),
    Route(method="GET", path=_USER, handler=show, policy="identity:get_user"),
    Route(method="PATCH", path=_USER, handler=update, policy="identity:update_user", bodies=body(_UPDATE), tx=Tx.NONE),
    Route(method="DELETE", path=_USER, handler=delete, policy="identity:delete_user", success=204, tx=Tx.WRITE),
    Route(
        method="POST",
        path=_PASSWORD_PATH,
        handler=change_password,
        policy="identity:change_password",
        bodies=body(_CHANGE),
        success=204,
        tx=Tx.NONE,
    ),
    Route(method="GET", path=f"{_USER}/projects", handler=own_projects, policy="identity:list_own_projects"),
    Route(method="GET", path=f"{_USER}/groups", handler=no_groups, policy="identity:get_user"),
    Route(method="GET", path="/v3/groups", handler=groups, policy="identity:list_users", tx=Tx.NONE),
)
