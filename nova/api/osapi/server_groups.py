# SPDX-License-Identifier: Apache-2.0
"""/os-server-groups"""

from __future__ import annotations

from typing import Any

from nova.api.actions import server_groups as actions
from nova.api.actions.servers import scope_of
from nova.api.microversion import v
from nova.api.osapi.paging import offset_page
from nova.api.parameter_types import NAME, closed, envelope, query_bool
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx, body
from nova.api.schema import Schema
from nova.db import server_groups
from nova.domain.server_group import Policy, ServerGroup

POLICY = actions.POLICY
PATH = "/os-server-groups"


def _schema(*policies: Policy) -> Schema:
    one = {"type": "array", "minItems": 1, "maxItems": 1, "items": {"enum": [policy.value for policy in policies]}}
    return envelope("server_group", closed({"name": NAME, "policies": one}, "name", "policies"))


CREATE = _schema(Policy.AFFINITY, Policy.ANTI_AFFINITY)
CREATE_V15 = _schema(*Policy)


def view(request: ApiRequest, group: ServerGroup) -> dict[str, Any]:
    """One group."""
    shown: dict[str, Any] = {
        "id": group.uuid,
        "name": group.name,
        "policies": [group.policy.value],
        "members": list(group.members),
        "metadata": {},
    }
    if request.version >= v(13):
        shown |= {"project_id": group.project_id, "user_id": group.user_id}
    return shown


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /os-server-groups"""
    project: str | None = request.context.project_id
    if query_bool(request.query.get("all_projects"), field="all_projects"):
        request.cloud.policy.authorize(request.context, POLICY + "index:all_projects")
        project = None
    found = server_groups.find(request.tx, project)
    return {"server_groups": [view(request, group) for group in offset_page(request, found)]}


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /os-server-groups/{id}"""
    group = server_groups.get(request.tx, scope_of(request.context), request.path["id"])
    return {"server_group": view(request, group)}


def create(request: ApiRequest) -> dict[str, Any]:
    """POST /os-server-groups"""
    wanted = request.body["server_group"]
    group = actions.create(
        request.cloud,
        request.tx,
        request.context,
        name=wanted["name"].strip(),
        policy=Policy(wanted["policies"][0]),
    )
    return {"server_group": view(request, group)}


def delete(request: ApiRequest) -> None:
    """DELETE /os-server-groups/{id}"""
    actions.delete(request.cloud, request.tx, request.context, request.path["id"])


ROUTES = (
    Route(method="GET", path=PATH, handler=index, policy=POLICY + "index"),
    Route(method="GET", path=PATH + "/{id}", handler=show, policy=POLICY + "show"),
    Route(
        method="POST",
        path=PATH,
        handler=create,
        policy=POLICY + "create",
        bodies=body(CREATE, (v(15), CREATE_V15)),
        tx=Tx.WRITE,
    ),
    Route(method="DELETE", path=PATH + "/{id}", handler=delete, policy=POLICY + "delete", success=204, tx=Tx.WRITE),
)
