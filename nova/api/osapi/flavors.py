# SPDX-License-Identifier: Apache-2.0
"""Flavors: list, show, create, delete.  There is no route that changes one."""

from __future__ import annotations

import uuid
from typing import Any

from nova.api.actions.servers import scope_of
from nova.api.osapi.paging import marker_page, next_link
from nova.api.parameter_types import BOOLEAN, NAME, closed, envelope, integer, query_bool, to_bool, to_int
from nova.api.policies.compute import PREFIX
from nova.api.request import Answer, ApiRequest
from nova.api.routing import Route, Tx, body
from nova.api.schema import Schema
from nova.db import flavors
from nova.domain.flavor import Flavor
from nova.errors import InvalidInput

SHOW_RULE = PREFIX + "flavors"
MANAGE_RULE = PREFIX + "os-flavor-manage:"
SORT_NAMES = {"id": "flavorid", "ram": "memory_mb", "disk": "root_gb", "OS-FLV-EXT-DATA:ephemeral": "ephemeral_gb"}

_ID: Schema = {
    "type": ["string", "integer", "null"],
    "minLength": 1,
    "maxLength": 255,
    "minimum": 0,
    "pattern": r"^(?! )[a-zA-Z0-9. _\-]+(?<! )$(?!\n)",
}
_RXTX: Schema = {
    "type": ["number", "string", "null"],
    "pattern": r"^[0-9]{1,9}(\.[0-9]{1,9})?$(?!\n)",
    "exclusiveMinimum": 0,
    "maximum": 3.40282e38,
}
CREATE = envelope(
    "flavor",
    closed(
        {
            "name": NAME,
            "id": _ID,
            "ram": integer(1),
            "vcpus": integer(1),
            "disk": integer(0),
            "OS-FLV-EXT-DATA:ephemeral": integer(0),
            "swap": integer(0),
            "rxtx_factor": _RXTX,
            "os-flavor-access:is_public": BOOLEAN,
        },
        *("name", "ram", "vcpus", "disk"),
    ),
)


def view(request: ApiRequest, flavor: Flavor) -> dict[str, Any]:
    """All of a flavor but its extra specs."""
    return {
        **brief(request, flavor),
        "ram": flavor.memory_mb,
        "disk": flavor.root_gb,
        "vcpus": flavor.vcpus,
        "swap": flavor.swap_mb or "",
        "OS-FLV-EXT-DATA:ephemeral": flavor.ephemeral_gb,
        "OS-FLV-DISABLED:disabled": flavor.disabled,
        "os-flavor-access:is_public": flavor.is_public,
        "rxtx_factor": flavor.rxtx_factor,
    }


def brief(request: ApiRequest, flavor: Flavor) -> dict[str, Any]:
    """id, name and links."""
    return {"id": flavor.flavor_id, "name": flavor.name, "links": request.links.both("flavors", flavor.flavor_id)}


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /flavors"""
    return _list(request, "flavors", brief)


def detail(request: ApiRequest) -> dict[str, Any]:
    """GET /flavors/detail"""
    return _list(request, "flavors/detail", view)


def _list(request: ApiRequest, path: str, shape: Any) -> dict[str, Any]:
    page = marker_page(request)
    is_public, project = _visibility(request)
    key = request.query.get("sort_key", "flavorid")
    found = flavors.find(
        request.tx,
        project_id=project,
        is_public=is_public,
        min_memory_mb=_minimum(request, "minRam"),
        min_root_gb=_minimum(request, "minDisk"),
        with_disabled=request.context.is_admin,
        sort=(SORT_NAMES.get(key, key), request.query.get("sort_dir", "asc").lower()),
        marker=page.marker,
        limit=page.limit,
    )
    answer: dict[str, Any] = {"flavors": [shape(request, flavor) for flavor in found]}
    if links := next_link(request, path, page, count=len(found), last=found[-1].flavor_id if found else ""):
        answer["flavors_links"] = links
    return answer


def _visibility(request: ApiRequest) -> tuple[bool | None, str | None]:
    """(public or private ones only, the project that must be able to use them)."""
    if not request.context.is_admin:
        return None, request.context.project_id
    text = request.query.get("is_public")
    if text is None:
        return True, None
    if text.lower() == "none":
        return None, None
    return query_bool(text, field="is_public"), None


def _minimum(request: ApiRequest, name: str) -> int:
    text = request.query.get(name, "0")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidInput(f"Invalid input for {name}: it must be a number.", field=name)
    return int(text)


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /flavors/{id}"""
    return {"flavor": view(request, find(request))}


def find(request: ApiRequest) -> Flavor:
    """The flavor in the URL; NotFound also for a private one that the caller's project may not use."""
    return flavors.get_by_flavor_id(request.tx, request.path["id"], project_id=scope_of(request.context))


def create(request: ApiRequest) -> dict[str, Any]:
    """POST /flavors"""
    wanted = request.body["flavor"]
    flavor = flavors.create(
        request.tx,
        Flavor(
            flavor_id=str(uuid.uuid4()) if wanted.get("id") is None else str(wanted["id"]),
            name=wanted["name"].strip(),
            memory_mb=to_int(wanted["ram"], field="ram", minimum=1),
            vcpus=to_int(wanted["vcpus"], field="vcpus", minimum=1),
            root_gb=to_int(wanted["disk"], field="disk", minimum=0),
            ephemeral_gb=to_int(wanted.get("OS-FLV-EXT-DATA:ephemeral", 0), field="ephemeral", minimum=0),
            swap_mb=to_int(wanted.get("swap", 0), field="swap", minimum=0),
            rxtx_factor=_factor(wanted.get("rxtx_factor")),
            is_public=to_bool(wanted.get("os-flavor-access:is_public", True)),
        ),
    )
    return {"flavor": view(request, flavor)}


def _factor(value: Any) -> float:
    factor = 1.0 if value is None else float(value)
    if factor <= 0:
        raise InvalidInput("Invalid input for rxtx_factor: it must be more than 0.", field="rxtx_factor")
    return factor


def delete(request: ApiRequest) -> Answer:
    """DELETE /flavors/{id}"""
    flavors.remove(request.tx, request.path["id"])
    return Answer()


ROUTES = (
    Route(method="GET", path="/flavors", handler=index, policy=SHOW_RULE),
    Route(method="GET", path="/flavors/detail", handler=detail, policy=SHOW_RULE),
    Route(method="GET", path="/flavors/{id}", handler=show, policy=SHOW_RULE),
    Route(
        method="POST",
        path="/flavors",
        handler=create,
        policy=MANAGE_RULE + "create",
        bodies=body(CREATE),
        tx=Tx.WRITE,
    ),
    Route(
        method="DELETE", path="/flavors/{id}", handler=delete, policy=MANAGE_RULE + "delete", success=202, tx=Tx.WRITE
    ),
)
