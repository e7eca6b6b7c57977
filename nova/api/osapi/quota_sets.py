# SPDX-License-Identifier: Apache-2.0
"""/os-quota-sets and /os-quota-class-sets: limits of projects, of users in them, and of all others."""

from __future__ import annotations

from typing import Any

from nova.api.parameter_types import BOOLEAN, closed, envelope, to_bool, to_int
from nova.api.policies.compute import PREFIX
from nova.api.request import Answer, ApiRequest
from nova.api.routing import Route, Tx, body
from nova.api.schema import Schema
from nova.db import quota_limits, quotas
from nova.domain.quota import DEFAULT_QUOTAS, UNLIMITED
from nova.errors import InvalidInput

POLICY = PREFIX + "os-quota-sets:"
CLASS_POLICY = PREFIX + "os-quota-class-sets:"
MAX_LIMIT = 2**31 - 1
_LIMIT: Schema = {
    "type": ["integer", "string"],
    "pattern": r"^(-1|[0-9]{1,10})$(?!\n)",
    "minimum": -1,
    "maximum": MAX_LIMIT,
}
_LIMITS: dict[str, Schema] = dict.fromkeys(DEFAULT_QUOTAS, _LIMIT)
_ANY_ID: Schema = {"type": "string", "maxLength": 255}
UPDATE = envelope("quota_set", closed({**_LIMITS, "force": BOOLEAN, "tenant_id": _ANY_ID, "id": _ANY_ID}))
UPDATE_CLASS = envelope("quota_class_set", closed({**_LIMITS, "class_name": _ANY_ID, "id": _ANY_ID}))


def _defaults(request: ApiRequest) -> dict[str, int]:
    return request.cloud.settings.default_quotas


def _limits(request: ApiRequest) -> dict[str, int]:
    user = request.query.get("user_id", "")
    return quota_limits.effective(request.tx, request.path["id"], user_id=user, defaults=_defaults(request))


def _allow_others(request: ApiRequest) -> None:
    if request.path["id"] != request.context.project_id:
        request.cloud.policy.authorize(request.context, POLICY + "show_others", {"project_id": request.path["id"]})


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /os-quota-sets/{project}"""
    _allow_others(request)
    return {"quota_set": {"id": request.path["id"], **_limits(request)}}


def defaults(request: ApiRequest) -> dict[str, Any]:
    """GET /os-quota-sets/{project}/defaults"""
    limits = {**_defaults(request), **quota_limits.class_limits(request.tx)}
    return {"quota_set": {"id": request.path["id"], **limits}}


def detail(request: ApiRequest) -> dict[str, Any]:
    """GET /os-quota-sets/{project}/detail"""
    user = request.query.get("user_id", "")
    found = quotas.usages(request.tx, request.path["id"], user_id=user, defaults=_defaults(request))
    rows = {name: {"in_use": each.in_use, "limit": each.limit, "reserved": 0} for name, each in found.items()}
    return {"quota_set": {"id": request.path["id"], **rows}}


def update(request: ApiRequest) -> dict[str, Any]:
    """PUT /os-quota-sets/{project}"""
    wanted = dict(request.body["quota_set"])
    force, user = to_bool(wanted.pop("force", False)), request.query.get("user_id", "")
    limits = _read_limits(wanted)
    found = quotas.usages(request.tx, request.path["id"], user_id=user, defaults=_defaults(request))
    project = quota_limits.effective(request.tx, request.path["id"], defaults=_defaults(request))
    for name, limit in limits.items():
        if user and project[name] != UNLIMITED and (limit == UNLIMITED or limit > project[name]):
            raise InvalidInput(f"The user's {name} cannot be more than the project's, {project[name]}.", field=name)
        if not force and limit != UNLIMITED and limit < found[name].in_use:
            raise InvalidInput(f"{found[name].in_use} of {name} are in use already.", field=name)
    quota_limits.set_limits(request.tx, request.path["id"], limits, user_id=user)
    return {"quota_set": _limits(request)}


def _read_limits(wanted: dict[str, Any]) -> dict[str, int]:
    return {
        name: to_int(value, field=name, minimum=UNLIMITED, maximum=MAX_LIMIT)
        for name, value in wanted.items()
        if name in DEFAULT_QUOTAS
    }


def delete(request: ApiRequest) -> Answer:
    """DELETE /os-quota-sets/{project}"""
    quota_limits.delete_limits(request.tx, request.path["id"], user_id=request.query.get("user_id", ""))
    return Answer()


def show_class(request: ApiRequest) -> dict[str, Any]:
    """GET /os-quota-class-sets/{class}"""
    limits = {**_defaults(request), **quota_limits.class_limits(request.tx, request.path["id"])}
    return {"quota_class_set": {"id": request.path["id"], **limits}}


def update_class(request: ApiRequest) -> dict[str, Any]:
    """PUT /os-quota-class-sets/{class}"""
    name = request.path["id"]
    quota_limits.set_class_limits(request.tx, name, _read_limits(request.body["quota_class_set"]))
    return {"quota_class_set": {**_defaults(request), **quota_limits.class_limits(request.tx, name)}}


_SET, _CLASS = "/os-quota-sets/{id}", "/os-quota-class-sets/{id}"

ROUTES = (
    Route(method="GET", path=_SET, handler=show, policy=POLICY + "show"),
    Route(method="GET", path=_SET + "/defaults", handler=defaults, policy=POLICY + "defaults"),
    Route(method="GET", path=_SET + "/detail", handler=detail, policy=POLICY + "detail"),
    Route(method="PUT", path=_SET, handler=update, policy=POLICY + "update", bodies=body(UPDATE), tx=Tx.WRITE),
    Route(method="DELETE", path=_SET, handler=delete, policy=POLICY + "delete", success=202, tx=Tx.WRITE),
    Route(method="GET", path=_CLASS, handler=show_class, policy=CLASS_POLICY + "show"),
    Route(
        method="PUT",
        path=_CLASS,
        handler=update_class,
        policy=CLASS_POLICY + "update",
        bodies=body(UPDATE_CLASS),
        tx=Tx.WRITE,
    ),
)
