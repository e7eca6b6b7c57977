# SPDX-License-Identifier: Apache-2.0
"""/snapshots: this cloud makes none yet, so the list is empty, and making one is refused with 501."""

from __future__ import annotations

from typing import Any, NoReturn

from nova.api.policies.volume import PREFIX
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx
from nova.errors import NotFound, NotSupported

READ = PREFIX + "get_snapshots"


def index(_request: ApiRequest) -> dict[str, Any]:
    """GET /snapshots"""
    return {"snapshots": []}


def show(request: ApiRequest) -> NoReturn:
    """GET and DELETE /snapshots/{id}"""
    raise NotFound.of("snapshot", request.path["id"][:64])


def create(_request: ApiRequest) -> NoReturn:
    """POST /snapshots"""
    raise NotSupported("Snapshots of volumes are not supported by this cloud.")


def routes(prefix: str = "") -> tuple[Route, ...]:
    """The rows, their paths beginning with *prefix* (``/os-snapshots`` in the compute API)."""
    base = prefix or "/snapshots"
    return (
        Route(method="GET", path=base, handler=index, policy=READ, tx=Tx.NONE),
        Route(method="GET", path=f"{base}/detail", handler=index, policy=READ, tx=Tx.NONE),
        Route(method="POST", path=base, handler=create, policy=PREFIX + "create_snapshot", tx=Tx.NONE, raw_body=True),
        Route(method="GET", path=f"{base}/{{id}}", handler=show, policy=READ, tx=Tx.NONE),
        Route(method="DELETE", path=f"{base}/{{id}}", handler=show, policy=PREFIX + "create_snapshot", tx=Tx.NONE),
    )
