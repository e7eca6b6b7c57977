# SPDX-License-Identifier: Apache-2.0
"""Version documents of the image API, public."""

from __future__ import annotations

from typing import Any

from nova.api.request import Answer, ApiRequest
from nova.api.routing import PUBLIC, Route, Tx

_NUMBERS = ("2.9", "2.7", "2.6", "2.5", "2.4", "2.3", "2.2", "2.1", "2.0")


def _documents(request: ApiRequest) -> dict[str, Any]:
    base = f"{request.http.host_url}/v2/"
    return {
        "versions": [
            {
                "id": f"v{number}",
                "status": "CURRENT" if number == _NUMBERS[0] else "SUPPORTED",
                "links": [{"rel": "self", "href": base}],
            }
            for number in _NUMBERS
        ]
    }


def index(request: ApiRequest) -> Answer:
    """GET /"""
    return Answer(body=_documents(request), status=300)


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /versions and GET /v2"""
    return _documents(request)


ROUTES = (
    Route(method="GET", path="/", handler=index, policy=PUBLIC, tx=Tx.NONE, success=300),
    Route(method="GET", path="/versions", handler=show, policy=PUBLIC, tx=Tx.NONE),
    Route(method="GET", path="/v2", handler=show, policy=PUBLIC, tx=Tx.NONE),
)
