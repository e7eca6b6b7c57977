# SPDX-License-Identifier: Apache-2.0
"""The schemas that clients fetch to know what an image is, and the ways to import one."""

from __future__ import annotations

from typing import Any

from nova.api.image.images import ATTRIBUTES, IMPORT_METHODS
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx
from nova.errors import NotFound

Json = dict[str, Any]

_TEXT: Json = {"type": "string"}
_TEXT_OR_NULL: Json = {"type": ["null", "string"]}
_NUMBER_OR_NULL: Json = {"type": ["null", "integer"]}


def _fixed(kind: Json) -> Json:
    return {**kind, "readOnly": True}


_IMAGE: Json = {
    "name": "image",
    "properties": {
        **{name: {**schema, "description": name} for name, schema in ATTRIBUTES.items()},
        "id": {
            **_TEXT,
            "pattern": "^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$",
        },
        "owner": _TEXT_OR_NULL,
        **{name: _fixed(_TEXT) for name in ("status", "created_at", "updated_at", "self", "file", "schema")},
        **{name: _fixed(_TEXT_OR_NULL) for name in ("checksum", "os_hash_algo", "os_hash_value")},
        **{name: _fixed(_NUMBER_OR_NULL) for name in ("size", "virtual_size")},
    },
    "additionalProperties": {"type": "string"},
    "links": [
        {"rel": "self", "href": "{self}"},
        {"rel": "enclosure", "href": "{file}"},
        {"rel": "describedby", "href": "{schema}"},
    ],
}
_MEMBER: Json = {
    "name": "member",
    "properties": {
        **dict.fromkeys(("member_id", "image_id", "created_at", "updated_at", "schema"), _TEXT),
        "status": {"enum": ["pending", "accepted", "rejected"]},
    },
}


def _list_of(key: str, item: Json) -> Json:
    return {
        "name": key,
        "properties": {
            key: {"type": "array", "items": item},
            **dict.fromkeys(("first", "next", "schema"), _TEXT),
        },
        "links": [{"rel": "first", "href": "{first}"}, {"rel": "next", "href": "{next}"}],
    }


_SCHEMAS = {
    "image": _IMAGE,
    "images": _list_of("images", _IMAGE),
    "member": _MEMBER,
    "members": _list_of("members", _MEMBER),
}


def show(request: ApiRequest) -> Json:
    """GET /v2/schemas/{name}"""
    name = request.path["name"]
    if name not in _SCHEMAS:
        raise NotFound.of("schema", name)
    return _SCHEMAS[name]


def import_methods(_request: ApiRequest) -> Json:
    """GET /v2/info/import"""
    described = {"description": "Ways to import an image.", "type": "array", "value": [IMPORT_METHODS[1]]}
    return {"import-methods": described}


ROUTES = (
    Route(method="GET", path="/v2/schemas/{name}", handler=show, policy="image:get_image", tx=Tx.NONE),
    Route(method="GET", path="/v2/info/import", handler=import_methods, policy="image:get_image", tx=Tx.NONE),
)
