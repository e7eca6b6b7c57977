# SPDX-License-Identifier: Apache-2.0
"""/volumes/{id}/metadata and its items."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nova.api.actions import volumes as rules
from nova.api.policies.volume import PREFIX
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx, body
from nova.api.schema import Schema
from nova.api.volume.requests import ITEM_BODY, METADATA_BODY
from nova.errors import InvalidInput, NotFound

Items = Mapping[str, str]
READ, WRITE = PREFIX + "get", PREFIX + "update"
ALL = "/volumes/{id}/metadata"
ONE = "/volumes/{id}/metadata/{key}"


def _missing(key: str) -> NotFound:
    return NotFound.of("metadata item", key[:255])


def _change(request: ApiRequest, change: Callable[[Items], Items]) -> dict[str, str]:
    return rules.change_metadata(request.cloud, request.tx, request.context, request.path["id"], change)


def index(request: ApiRequest) -> dict[str, Any]:
    """GET …/metadata"""
    return {"metadata": rules.load(request.tx, request.context, request.path["id"]).metadata}


def merge(request: ApiRequest) -> dict[str, Any]:
    """POST …/metadata"""
    return {"metadata": _change(request, lambda before: {**before, **request.body["metadata"]})}


def replace(request: ApiRequest) -> dict[str, Any]:
    """PUT …/metadata"""
    return {"metadata": _change(request, lambda _: request.body["metadata"])}


def show(request: ApiRequest) -> dict[str, Any]:
    """GET …/metadata/{key}"""
    items, key = index(request)["metadata"], request.path["key"]
    if key not in items:
        raise _missing(key)
    return {"meta": {key: items[key]}}


def put(request: ApiRequest) -> dict[str, Any]:
    """PUT …/metadata/{key}"""
    item = request.body["meta"]
    if list(item) != [request.path["key"]]:
        raise InvalidInput("The key in the body is not the one in the URL.", field="meta")
    _change(request, lambda before: {**before, **item})
    return {"meta": item}


def delete(request: ApiRequest) -> None:
    """DELETE …/metadata/{key}"""
    key = request.path["key"]

    def without(before: Items) -> Items:
        if key not in before:
            raise _missing(key)
        return {name: value for name, value in before.items() if name != key}

    _change(request, without)


def _write(method: str, path: str, handler: Callable[[ApiRequest], Any], schema: Schema) -> Route:
    return Route(method=method, path=path, handler=handler, policy=WRITE, bodies=body(schema), tx=Tx.WRITE)


ROUTES = (
    Route(method="GET", path=ALL, handler=index, policy=READ),
    _write("POST", ALL, merge, METADATA_BODY),
    _write("PUT", ALL, replace, METADATA_BODY),
    Route(method="GET", path=ONE, handler=show, policy=READ),
    _write("PUT", ONE, put, ITEM_BODY),
    Route(method="DELETE", path=ONE, handler=delete, policy=WRITE, tx=Tx.WRITE),
)
