# SPDX-License-Identifier: Apache-2.0
"""/flavors/{id}/os-extra_specs: what the scheduler and the drivers read of a flavor."""

from __future__ import annotations

from typing import Any

from nova.api.osapi.flavors import find
from nova.api.parameter_types import envelope
from nova.api.policies.compute import PREFIX
from nova.api.request import Answer, ApiRequest
from nova.api.routing import Route, Tx, body
from nova.api.schema import Schema
from nova.db import flavors
from nova.errors import InvalidInput, NotFound

POLICY = PREFIX + "os-flavor-extra-specs:"
SPECS: Schema = {
    "type": "object",
    "maxProperties": 128,
    "properties": {},
    "additionalProperties": False,
    "patternProperties": {
        r"^[a-zA-Z0-9\-_:. ]{1,255}$(?!\n)": {
            "type": ["string", "number"],
            "maxLength": 255,
            "pattern": r"^[^\x00-\x1f\x7f]*$(?!\n)",
        }
    },
}
ALL = envelope("extra_specs", SPECS)
ONE: Schema = {**SPECS, "minProperties": 1, "maxProperties": 1}


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /flavors/{id}/os-extra_specs"""
    return {"extra_specs": find(request).extra_specs}


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /flavors/{id}/os-extra_specs/{key}"""
    specs, key = find(request).extra_specs, request.path["key"]
    if key not in specs:
        raise NotFound("The flavor has no extra spec of this name.", resource="extra spec", id=key)
    return {key: specs[key]}


def create(request: ApiRequest) -> dict[str, Any]:
    """POST /flavors/{id}/os-extra_specs"""
    wanted = {key: str(value) for key, value in request.body["extra_specs"].items()}
    flavors.set_extra_specs(request.tx, request.path["id"], wanted)
    return {"extra_specs": wanted}


def update(request: ApiRequest) -> dict[str, Any]:
    """PUT /flavors/{id}/os-extra_specs/{key}"""
    if set(request.body) != {request.path["key"]}:
        raise InvalidInput("The key in the body is not the key in the URL.", field="extra_specs")
    wanted = {key: str(value) for key, value in request.body.items()}
    flavors.set_extra_specs(request.tx, request.path["id"], wanted)
    return wanted


def delete(request: ApiRequest) -> Answer:
    """DELETE /flavors/{id}/os-extra_specs/{key}"""
    flavors.delete_extra_spec(request.tx, request.path["id"], request.path["key"])
    return Answer()


_PATH, _ITEM = "/flavors/{id}/os-extra_specs", "/flavors/{id}/os-extra_specs/{key}"

ROUTES = (
    Route(method="GET", path=_PATH, handler=index, policy=POLICY + "index"),
    Route(method="GET", path=_ITEM, handler=show, policy=POLICY + "show"),
    Route(method="POST", path=_PATH, handler=create, policy=POLICY + "create", bodies=body(ALL), tx=Tx.WRITE),
    Route(method="PUT", path=_ITEM, handler=update, policy=POLICY + "update", bodies=body(ONE), tx=Tx.WRITE),
    Route(method="DELETE", path=_ITEM, handler=delete, policy=POLICY + "delete", tx=Tx.WRITE),
)
