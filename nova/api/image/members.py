# SPDX-License-Identifier: Apache-2.0
"""Projects with which an image is shared; it is in their lists only after they accepted."""

from __future__ import annotations

from typing import Any

from nova import errors
from nova.api.image import views
from nova.api.parameter_types import closed
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx, body
from nova.api.schema import Schema

_PROJECT: Schema = {"type": "string", "minLength": 1, "maxLength": 64, "pattern": r"^[^\x00-\x1f]+$"}
_ADD = closed({"member": _PROJECT}, "member")
_SET = closed({"status": {"enum": ["pending", "accepted", "rejected"]}, "member": _PROJECT}, "status")
"""The SDK repeats the member of the URL in the body."""


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /v2/images/{image_id}/members"""
    found = views.host(request).members(request.context, request.path["image_id"])
    return {"members": [views.member(member) for member in found], "schema": "/v2/schemas/members"}


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /v2/images/{image_id}/members/{member_id}"""
    for member in views.host(request).members(request.context, request.path["image_id"]):
        if member.project_id == request.path["member_id"]:
            return views.member(member)
    raise errors.NotFound.of("member", request.path["member_id"])


def create(request: ApiRequest) -> dict[str, Any]:
    """POST /v2/images/{image_id}/members"""
    image_id, project_id = request.path["image_id"], request.body["member"]
    return views.member(views.host(request).add_member(request.context, image_id, project_id))


def update(request: ApiRequest) -> dict[str, Any]:
    """PUT /v2/images/{image_id}/members/{member_id}"""
    image_id, project_id = request.path["image_id"], request.path["member_id"]
    status = request.body["status"]
    return views.member(views.host(request).set_member_status(request.context, image_id, project_id, status))


def delete(request: ApiRequest) -> None:
    """DELETE /v2/images/{image_id}/members/{member_id}"""
    views.host(request).remove_member(request.context, request.path["image_id"], request.path["member_id"])


_ALL = "/v2/images/{image_id}/members"
_ONE = f"{_ALL}/{{member_id}}"
_SEE, _CHANGE = "image:get_members", "image:modify_members"

ROUTES = (
    Route(method="GET", path=_ALL, handler=index, policy=_SEE, tx=Tx.NONE),
    Route(method="GET", path=_ONE, handler=show, policy=_SEE, tx=Tx.NONE),
    Route(method="POST", path=_ALL, handler=create, policy=_CHANGE, bodies=body(_ADD), tx=Tx.NONE),
    Route(method="PUT", path=_ONE, handler=update, policy=_CHANGE, bodies=body(_SET), tx=Tx.NONE),
    Route(method="DELETE", path=_ONE, handler=delete, policy=_CHANGE, success=204, tx=Tx.NONE),
)
