# SPDX-License-Identifier: Apache-2.0
"""Version documents of the identity API; public, since clients read them before they have a token."""

from __future__ import annotations

from typing import Any

from nova.api.request import Answer, ApiRequest
from nova.api.routing import PUBLIC, Route, Tx

_VERSIONS = (("v3", "v3.14", "stable", "2020-04-07T00:00:00Z"), ("v2.0", "v2.0", "deprecated", "2014-04-17T00:00:00Z"))


def _document(request: ApiRequest, path: str) -> dict[str, Any]:
    _, version, status, updated = next(row for row in _VERSIONS if row[0] == path)
    kind = f"application/vnd.openstack.identity-{path}+json"
    return {
        "id": version,
        "status": status,
        "updated": updated,
        "links": [{"rel": "self", "href": f"{request.http.host_url}/{path}/"}],
        "media-types": [{"base": "application/json", "type": kind}],
    }


def index(request: ApiRequest) -> Answer:
    """GET /"""
    return Answer(body={"versions": {"values": [_document(request, row[0]) for row in _VERSIONS]}}, status=300)


def show_v3(request: ApiRequest) -> dict[str, Any]:
    """GET /v3"""
    return {"version": _document(request, "v3")}


def show_v2(request: ApiRequest) -> dict[str, Any]:
    """GET /v2.0"""
    return {"version": _document(request, "v2.0")}


ROUTES = (
    Route(method="GET", path="/", handler=index, policy=PUBLIC, tx=Tx.NONE, success=300),
    Route(method="GET", path="/v3", handler=show_v3, policy=PUBLIC, tx=Tx.NONE),
    Route(method="GET", path="/v2.0", handler=show_v2, policy=PUBLIC, tx=Tx.NONE),
)
