# SPDX-License-Identifier: Apache-2.0
"""/servers/{id}/metadata: what the owner noted about a server."""

from __future__ import annotations

from typing import Any

from nova.api.actions import server_metadata as actions
from nova.api.actions import servers
from nova.api.parameter_types import METADATA, envelope
from nova.api.policies.compute import PREFIX
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx, body
from nova.errors import InvalidInput, NotFound

POLICY = PREFIX + "server-metadata:"
ALL = envelope("metadata", METADATA)
ONE = envelope("meta", {**METADATA, "minProperties": 1, "maxProperties": 1})


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /servers/{id}/metadata"""
    return {"metadata": servers.load(request.tx, request.context, request.path["id"]).metadata}


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /servers/{id}/metadata/{key}"""
    metadata = servers.load(request.tx, request.context, request.path["id"]).metadata
    key = request.path["key"]
    if key not in metadata:
        raise NotFound("The server has no metadata item of this name.", resource="metadata", id=key)
    return {"meta": {key: metadata[key]}}


def create(request: ApiRequest) -> dict[str, Any]:
    """POST /servers/{id}/metadata"""
    items = request.body["metadata"]
    return {"metadata": actions.merge(request.cloud, request.tx, request.context, request.path["id"], items)}


def replace(request: ApiRequest) -> dict[str, Any]:
    """PUT /servers/{id}/metadata"""
    items = request.body["metadata"]
    return {"metadata": actions.replace(request.cloud, request.tx, request.context, request.path["id"], items)}


def update(request: ApiRequest) -> dict[str, Any]:
    """PUT /servers/{id}/metadata/{key}"""
    item = request.body["meta"]
    if set(item) != {request.path["key"]}:
        raise InvalidInput("The key in the body is not the key in the URL.", field="meta")
    actions.merge(request.cloud, request.tx, request.context, request.path["id"], item, rule=actions.UPDATE_RULE)
    return {"meta": item}


def delete(request: ApiRequest) -> None:
    """DELETE /servers/{id}/metadata/{key}"""
    actions.delete(request.cloud, request.tx, request.context, request.path["id"], request.path["key"])


_PATH, _ITEM = "/servers/{id}/metadata", "/servers/{id}/metadata/{key}"

ROUTES = (
    Route(method="GET", path=_PATH, handler=index, policy=POLICY + "index"),
    Route(method="GET", path=_ITEM, handler=show, policy=POLICY + "show"),
    Route(method="POST", path=_PATH, handler=create, policy=POLICY + "create", bodies=body(ALL), tx=Tx.WRITE),
    Route(method="PUT", path=_PATH, handler=replace, policy=POLICY + "update_all", bodies=body(ALL), tx=Tx.WRITE),
    Route(method="PUT", path=_ITEM, handler=update, policy=POLICY + "update", bodies=body(ONE), tx=Tx.WRITE),
    Route(method="DELETE", path=_ITEM, handler=delete, policy=POLICY + "delete", success=204, tx=Tx.WRITE),
)
