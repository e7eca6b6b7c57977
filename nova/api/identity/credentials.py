# SPDX-License-Identifier: Apache-2.0
"""Signing keys for the EC2 API.  A key is for one project and never carries more than the token that makes it: only a
token for that very project, got by password, makes one, and its user must be more than a reader there."""

from __future__ import annotations

from typing import Any

from nova import errors
from nova.api.identity import views
from nova.api.identity.users import ensure_self_or_admin
from nova.api.parameter_types import closed
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx, body
from nova.db.engine import Transaction
from nova.db.identity import credentials, projects, users
from nova.domain.identity import Ec2Credential, Project
from nova.identity import administration
from nova.identity.caller import DERIVED_METHODS

_CREATE = closed({"tenant_id": {"type": "string", "maxLength": 64, "pattern": r"^[^\x00]+$"}}, "tenant_id")
_LOOKING_ON = frozenset({"reader"})


def create(request: ApiRequest) -> dict[str, Any]:
    """POST /v3/users/{user_id}/credentials/OS-EC2"""
    user_id, project_id = request.path["user_id"], request.body["tenant_id"]
    ensure_self_or_admin(request, user_id)
    _ensure_full_rights(request, user_id, project_id)

    def work(tx: Transaction) -> Ec2Credential:
        project = _project(tx, project_id)
        return administration.create_credential(tx, users.get(tx, user_id), project)

    return {"credential": views.credential(request, request.cloud.db.run(work))}


def _project(tx: Transaction, project_id: str) -> Project:
    try:
        return projects.get(tx, project_id)
    except errors.NotFound:
        raise errors.InvalidInput("There is no such project.", field="tenant_id") from None


def _ensure_full_rights(request: ApiRequest, user_id: str, project_id: str) -> None:
    token = request.context.auth_token
    if token is None or DERIVED_METHODS & set(request.cloud.identity.validate(token).methods):
        raise errors.Forbidden("A token that was made with a key makes no other keys.")
    if request.context.is_admin and user_id != request.context.user_id:
        return
    if project_id != request.context.project_id:
        raise errors.Forbidden("A key for a project is made with a token for that project.")
    if set(request.context.roles) <= _LOOKING_ON:
        raise errors.Forbidden("Your roles in this project do not allow to make keys.")


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /v3/users/{user_id}/credentials/OS-EC2"""
    ensure_self_or_admin(request, request.path["user_id"])
    found = credentials.of_user(request.tx, request.path["user_id"])
    return views.listed(request, "credentials", [views.credential(request, each) for each in found])


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /v3/users/{user_id}/credentials/OS-EC2/{access}"""
    ensure_self_or_admin(request, request.path["user_id"])
    found = credentials.by_access(request.tx, request.path["access"])
    if found is None or found.user_id != request.path["user_id"]:
        raise errors.NotFound("The credential could not be found.", resource="credential")
    return {"credential": views.credential(request, found)}


def delete(request: ApiRequest) -> None:
    """DELETE /v3/users/{user_id}/credentials/OS-EC2/{access}"""
    ensure_self_or_admin(request, request.path["user_id"])
    credentials.remove(request.tx, access=request.path["access"], user_id=request.path["user_id"])


_ALL = "/v3/users/{user_id}/credentials/OS-EC2"
_ONE = f"{_ALL}/{{access}}"
_RULE = "identity:ec2_credentials"

ROUTES = (
    Route(method="POST", path=_ALL, handler=create, policy=_RULE, bodies=body(_CREATE), success=201, tx=Tx.NONE),
    Route(method="GET", path=_ALL, handler=index, policy=_RULE),
    Route(method="GET", path=_ONE, handler=show, policy=_RULE),
    Route(method="DELETE", path=_ONE, handler=delete, policy=_RULE, success=204, tx=Tx.WRITE),
)
