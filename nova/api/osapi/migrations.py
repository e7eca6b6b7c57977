# SPDX-License-Identifier: Apache-2.0
"""/os-migrations and /servers/{id}/migrations: moves between hosts, for administrators."""

from __future__ import annotations

import dataclasses
from typing import Any

from nova.api.actions import live_migrate, servers
from nova.api.microversion import v
from nova.api.osapi.times import plain
from nova.api.parameter_types import NULL, envelope, query_bool
from nova.api.policies.compute import PREFIX
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx, body
from nova.db import moves
from nova.domain.move import Move, MoveKind, MoveStatus

INDEX = PREFIX + "os-migrations:index"
SERVER_RULE = PREFIX + "servers:migrations:"
FILTERS = ("host", "status", "instance_uuid", "source_compute", "migration_type")
UNDER_WAY = frozenset(
    {MoveStatus.ACCEPTED, MoveStatus.PREPARING, MoveStatus.RUNNING, MoveStatus.PRE_MIGRATING, MoveStatus.MIGRATING}
)
FORCE = envelope("force_complete", NULL)


def _view(request: ApiRequest, move: Move) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": move.id,
        "instance_uuid": move.instance_uuid,
        "status": move.status.value,
        "source_compute": move.source_host,
        "source_node": move.source_node or move.source_host,
        "dest_compute": move.dest_host or None,
        "dest_node": move.dest_node or None,
        "dest_host": move.dest_address or None,
        "old_instance_type_id": move.old_flavor.id,
        "new_instance_type_id": move.new_flavor.id,
        "created_at": plain(move.created_at),
        "updated_at": plain(move.updated_at),
    }
    if request.version >= v(23):
        shown["migration_type"] = move.kind.value
        if move.kind is MoveKind.LIVE and move.status in UNDER_WAY:
            shown["links"] = request.links.both("servers", move.instance_uuid, "migrations", str(move.id))
    return shown


def _server_view(move: Move) -> dict[str, Any]:
    return {
        "id": move.id,
        "server_uuid": move.instance_uuid,
        "status": move.status.value,
        "source_compute": move.source_host,
        "source_node": move.source_node or move.source_host,
        "dest_compute": move.dest_host or None,
        "dest_node": move.dest_node or None,
        "dest_host": move.dest_address or None,
        "created_at": plain(move.created_at),
        "updated_at": plain(move.updated_at),
        **{f"{name}_bytes": amount for name, amount in dataclasses.asdict(move.progress).items()},
    }


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /os-migrations"""
    wanted: dict[str, Any] = {name: request.query[name][:255] for name in FILTERS if request.query.get(name)}
    if "hidden" in request.query:
        wanted["hidden"] = query_bool(request.query["hidden"], field="hidden")
    found = moves.find(request.tx, wanted, limit=request.cloud.settings.max_limit)
    return {"migrations": [_view(request, move) for move in found]}


def server_index(request: ApiRequest) -> dict[str, Any]:
    """GET /servers/{id}/migrations: live ones that are under way"""
    instance = servers.load(request.tx, request.context, request.path["id"])
    wanted = {"instance_uuid": instance.uuid, "migration_type": MoveKind.LIVE.value}
    found = moves.find(request.tx, wanted, limit=request.cloud.settings.max_limit)
    return {"migrations": [_server_view(move) for move in found if move.status in UNDER_WAY]}


def server_show(request: ApiRequest) -> dict[str, Any]:
    """GET /servers/{id}/migrations/{migration_id}"""
    _, move = live_migrate.running(
        request.tx, request.context, request.path["id"], request.path["migration_id"], under_way=UNDER_WAY
    )
    return {"migration": _server_view(move)}


def force_complete(request: ApiRequest) -> None:
    """POST /servers/{id}/migrations/{migration_id}/action"""
    path = request.path
    live_migrate.force_complete(request.cloud, request.tx, request.context, path["id"], path["migration_id"])


def abort(request: ApiRequest) -> None:
    """DELETE /servers/{id}/migrations/{migration_id}"""
    path = request.path
    live_migrate.abort(request.cloud, request.tx, request.context, path["id"], path["migration_id"])


ONE = "/servers/{id}/migrations/{migration_id}"
ROUTES = (
    Route(method="GET", path="/os-migrations", handler=index, policy=INDEX),
    Route(
        method="GET",
        path="/servers/{id}/migrations",
        handler=server_index,
        policy=SERVER_RULE + "index",
        since=v(23),
    ),
    Route(method="GET", path=ONE, handler=server_show, policy=SERVER_RULE + "show", since=v(23)),
    Route(
        method="POST",
        path=f"{ONE}/action",
        action="force_complete",
        handler=force_complete,
        policy=SERVER_RULE + "force_complete",
        bodies=body(FORCE),
        success=202,
        tx=Tx.WRITE,
        since=v(22),
    ),
    Route(
        method="DELETE",
        path=ONE,
        handler=abort,
        policy=SERVER_RULE + "delete",
        success=202,
        tx=Tx.WRITE,
        since=v(24),
    ),
)
