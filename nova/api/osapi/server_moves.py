# SPDX-License-Identifier: Apache-2.0
"""POST /servers/{id}/action, where a server goes to another host or gets another flavor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nova.api.actions import evacuate as evacuation
from nova.api.actions import live_migrate as live
from nova.api.actions import resize as resizing
from nova.api.microversion import Microversion, v
from nova.api.osapi import move_schema
from nova.api.osapi.server_create import last_segment
from nova.api.parameter_types import to_bool
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx, body
from nova.api.schema import Schema
from nova.secret import Secret


def resize(request: ApiRequest) -> None:
    """resize"""
    flavor_id = last_segment(str(request.body["flavorRef"]))
    resizing.resize(request.cloud, request.tx, request.context, request.path["id"], flavor_id=flavor_id)


def confirm(request: ApiRequest) -> None:
    """confirmResize"""
    resizing.confirm(request.cloud, request.tx, request.context, request.path["id"])


def revert(request: ApiRequest) -> None:
    """revertResize"""
    resizing.revert(request.cloud, request.tx, request.context, request.path["id"])


def migrate(request: ApiRequest) -> None:
    """migrate"""
    resizing.migrate(request.cloud, request.tx, request.context, request.path["id"])


def live_migrate(request: ApiRequest) -> None:
    """os-migrateLive"""
    copies = request.body["block_migration"]
    wanted = live.LiveMigration(
        host=request.body["host"] or "",
        block_migration=None if copies == "auto" else to_bool(copies),
        unchecked=to_bool(request.body.get("force", False)),
    )
    live.live_migrate(request.cloud, request.tx, request.context, request.path["id"], wanted)


def evacuate(request: ApiRequest) -> dict[str, Any] | None:
    """evacuate"""
    shared, password = request.body.get("onSharedStorage"), request.body.get("adminPass")
    wanted = evacuation.Evacuation(
        host=request.body.get("host") or "",
        shared_storage=None if shared is None else to_bool(shared),
        admin_password=Secret(password) if password else None,
        unchecked=to_bool(request.body.get("force", False)),
    )
    made = evacuation.evacuate(request.cloud, request.context, request.path["id"], wanted)
    if request.version >= v(14):
        return None
    return {"adminPass": made.reveal()} if request.cloud.settings.enable_instance_password else {}


def _action(
    name: str,
    handler: Callable[[ApiRequest], Any],
    policy: str,
    bodies: tuple[tuple[Microversion, Schema], ...],
    *,
    success: int = 202,
    tx: Tx = Tx.WRITE,
) -> Route:
    return Route(
        method="POST",
        path="/servers/{id}/action",
        action=name,
        handler=handler,
        policy=policy,
        bodies=bodies,
        success=success,
        tx=tx,
    )


ROUTES = (
    _action("resize", resize, resizing.RESIZE_RULE, body(move_schema.RESIZE)),
    _action("confirmResize", confirm, resizing.CONFIRM_RULE, body(move_schema.CONFIRM), success=204),
    _action("revertResize", revert, resizing.REVERT_RULE, body(move_schema.REVERT)),
    _action("migrate", migrate, resizing.MIGRATE_RULE, body(move_schema.MIGRATE)),
    _action(
        "os-migrateLive",
        live_migrate,
        live.RULE,
        body(move_schema.LIVE, (v(25), move_schema.LIVE_V25), (v(30), move_schema.LIVE_V30)),
    ),
    _action(
        "evacuate",
        evacuate,
        evacuation.RULE,
        body(move_schema.EVACUATE, (v(14), move_schema.EVACUATE_V14), (v(29), move_schema.EVACUATE_V29)),
        success=200,
        tx=Tx.NONE,
    ),
)
