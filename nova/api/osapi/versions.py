# SPDX-License-Identifier: Apache-2.0
"""Version documents of the compute API: what clients read first, so they are public and need no slash."""

from __future__ import annotations

from typing import Any

from nova.api.microversion import HIGHEST, LOWEST
from nova.api.request import Answer, ApiRequest
from nova.api.routing import PUBLIC, Route, Tx

_MEDIA = "application/vnd.openstack.compute+json;version="
_DOCUMENTATION = "https://docs.openstack.org/api-ref/compute/"
ENTRIES: tuple[dict[str, Any], ...] = (
    {
        "id": "v2.0",
        "status": "SUPPORTED",
        "version": "",
        "min_version": "",
        "updated": "2011-01-21T11:33:21Z",
        "path": "/v2",
        "media": f"{_MEDIA}2",
    },
    {
        "id": "v2.1",
        "status": "CURRENT",
        "version": str(HIGHEST),
        "min_version": str(LOWEST),
        "updated": "2013-07-23T11:33:21Z",
        "path": "/v2.1",
        "media": f"{_MEDIA}2.1",
    },
)
_HIDDEN = ("path", "media")


def _entry(row: dict[str, Any], base: str) -> dict[str, Any]:
    shown = {key: value for key, value in row.items() if key not in _HIDDEN}
    return {**shown, "links": [{"rel": "self", "href": f"{base}{row['path']}/"}]}


def _media_types(row: dict[str, Any]) -> list[dict[str, str]]:
    return [{"base": "application/json", "type": row["media"]}]


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /"""
    return {"versions": [_entry(row, request.links.base) for row in ENTRIES]}


def _document(row: dict[str, Any], base: str) -> dict[str, Any]:
    entry = _entry(row, base)
    entry["links"].append({"rel": "describedby", "type": "text/html", "href": _DOCUMENTATION})
    return {"version": {**entry, "media-types": _media_types(row)}}


def show_v2(request: ApiRequest) -> dict[str, Any]:
    """GET /v2/ and GET /v1.1/"""
    return _document(ENTRIES[0], request.links.base)


def show_v21(request: ApiRequest) -> dict[str, Any]:
    """GET /v2.1/"""
    return _document(ENTRIES[1], request.links.base)


def choices(request: ApiRequest) -> Answer:
    """Any other path without a version: 300, and where it may be."""
    path = request.path["path"]
    found = [
        {
            "id": row["id"],
            "status": row["status"],
            "links": [{"rel": "self", "href": f"{request.links.base}{row['path']}/{path}"}],
            "media-types": _media_types(row),
        }
        for row in ENTRIES
    ]
    return Answer(body={"choices": found}, status=300)


V2_ROUTES = (Route(method="GET", path="/", handler=show_v2, policy=PUBLIC, tx=Tx.NONE),)
V21_ROUTES = (Route(method="GET", path="/", handler=show_v21, policy=PUBLIC, tx=Tx.NONE),)
ROOT_ROUTES = (
    Route(method="GET", path="/", handler=index, policy=PUBLIC, tx=Tx.NONE),
    *(
        Route(method=method, path="/{path:.+}", handler=choices, policy=PUBLIC, tx=Tx.NONE, success=300, raw_body=True)
        for method in ("GET", "POST", "PUT", "DELETE")
    ),
)
