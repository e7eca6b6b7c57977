# SPDX-License-Identifier: Apache-2.0
"""Version documents of the volume API; public, since clients read them before anything else."""

from __future__ import annotations

from typing import Any

from nova.api.request import Answer, ApiRequest
from nova.api.routing import PUBLIC, Handler, Route, Tx
from nova.api.volume.microversion import VERSION

ENTRIES: dict[str, dict[str, str]] = {
    "v1": {"id": "v1.0", "status": "DEPRECATED", "version": "", "min_version": "", "updated": "2012-04-04T00:00:00Z"},
    "v2": {"id": "v2.0", "status": "DEPRECATED", "version": "", "min_version": "", "updated": "2014-06-28T12:20:21Z"},
    "v3": {
        "id": "v3.0",
        "status": "CURRENT",
        "version": VERSION,
        "min_version": VERSION,
        "updated": "2016-02-08T12:20:21Z",
    },
}


def _document(request: ApiRequest, name: str) -> dict[str, Any]:
    kind = f"application/vnd.openstack.volume+json;version={name[1:]}"
    return {
        **ENTRIES[name],
        "links": [{"rel": "self", "href": f"{request.http.host_url}/{name}/"}],
        "media-types": [{"base": "application/json", "type": kind}],
    }


def index(request: ApiRequest) -> Answer:
    """GET / of the port"""
    return Answer(body={"versions": [_document(request, name) for name in ENTRIES]}, status=300)


def shower(name: str) -> Handler:
    """GET / of one version."""

    def show(request: ApiRequest) -> dict[str, Any]:
        return {"versions": [_document(request, name)]}

    return show


def routes(name: str) -> tuple[Route, ...]:
    """The document of one version."""
    return (Route(method="GET", path="/", handler=shower(name), policy=PUBLIC, tx=Tx.NONE),)


ROOT_ROUTES = (Route(method="GET", path="/", handler=index, policy=PUBLIC, tx=Tx.NONE, success=300),)
