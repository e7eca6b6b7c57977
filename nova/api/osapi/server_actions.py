# SPDX-License-Identifier: Apache-2.0
"""POST /servers/{id}/action: one row for each action."""

from __future__ import annotations

from typing import Any

from nova.api.actions.console_output import console_output
from nova.api.actions.delete import force_delete as force_delete_server
from nova.api.actions.delete import restore as restore_server
from nova.api.actions.lock import lock as lock_server
from nova.api.actions.lock import unlock as unlock_server
from nova.api.actions.power import start as start_server
from nova.api.actions.power import stop as stop_server
from nova.api.actions.reboot import reboot as reboot_server
from nova.api.actions.rescue import rescue as rescue_server
from nova.api.actions.rescue import unrescue as unrescue_server
from nova.api.actions.suspend import pause as pause_server
from nova.api.actions.suspend import resume as resume_server
from nova.api.actions.suspend import suspend as suspend_server
from nova.api.actions.suspend import unpause as unpause_server
from nova.api.osapi import server_schema
from nova.api.osapi.action_route import server_action as _action
from nova.api.osapi.server_create import last_segment
from nova.api.request import ApiRequest
from nova.api.routing import Tx
from nova.secret import Secret


def reboot(request: ApiRequest) -> None:
    """reboot"""
    hard = request.body["type"].upper() == "HARD"
    reboot_server(request.cloud, request.tx, request.context, request.path["id"], hard=hard)


def start(request: ApiRequest) -> None:
    """os-start"""
    start_server(request.cloud, request.tx, request.context, request.path["id"])


def stop(request: ApiRequest) -> None:
    """os-stop"""
    stop_server(request.cloud, request.tx, request.context, request.path["id"])


def pause(request: ApiRequest) -> None:
    """pause"""
    pause_server(request.cloud, request.tx, request.context, request.path["id"])


def unpause(request: ApiRequest) -> None:
    """unpause"""
    unpause_server(request.cloud, request.tx, request.context, request.path["id"])


def suspend(request: ApiRequest) -> None:
    """suspend"""
    suspend_server(request.cloud, request.tx, request.context, request.path["id"])


def resume(request: ApiRequest) -> None:
    """resume"""
    resume_server(request.cloud, request.tx, request.context, request.path["id"])


def rescue(request: ApiRequest) -> dict[str, Any]:
    """rescue"""
    wanted = request.body or {}
    password = rescue_server(
        request.cloud,
        request.context,
        request.path["id"],
        image_id=last_segment(wanted.get("rescue_image_ref", "")),
        admin_password=Secret(wanted["adminPass"]) if wanted.get("adminPass") else None,
    )
    return {"adminPass": password.reveal()} if request.cloud.settings.enable_instance_password else {}


def unrescue(request: ApiRequest) -> None:
    """unrescue"""
    unrescue_server(request.cloud, request.tx, request.context, request.path["id"])


def lock(request: ApiRequest) -> None:
    """lock"""
    lock_server(request.cloud, request.tx, request.context, request.path["id"])


def unlock(request: ApiRequest) -> None:
    """unlock"""
    unlock_server(request.cloud, request.tx, request.context, request.path["id"])


def force_delete(request: ApiRequest) -> None:
    """forceDelete"""
    force_delete_server(request.cloud, request.tx, request.context, request.path["id"])


def restore(request: ApiRequest) -> None:
    """restore"""
    restore_server(request.cloud, request.tx, request.context, request.path["id"])


def get_console_output(request: ApiRequest) -> dict[str, Any]:
    """os-getConsoleOutput"""
    length = (request.body or {}).get("length")
    lines = None if length is None else int(length)
    return {"output": console_output(request.cloud, request.context, request.path["id"], lines=lines)}


ROUTES = (
    _action("reboot", reboot, server_schema.REBOOT, "servers:reboot"),
    _action("os-start", start, server_schema.START, "servers:start"),
    _action("os-stop", stop, server_schema.STOP, "servers:stop"),
    _action("pause", pause, server_schema.PAUSE, "os-pause-server:pause"),
    _action("unpause", unpause, server_schema.UNPAUSE, "os-pause-server:unpause"),
    _action("suspend", suspend, server_schema.SUSPEND, "os-suspend-server:suspend"),
    _action("resume", resume, server_schema.RESUME, "os-suspend-server:resume"),
    _action("rescue", rescue, server_schema.RESCUE, "os-rescue", success=200, tx=Tx.NONE),
    _action("unrescue", unrescue, server_schema.UNRESCUE, "os-unrescue"),
    _action("lock", lock, server_schema.LOCK, "os-lock-server:lock"),
    _action("unlock", unlock, server_schema.UNLOCK, "os-lock-server:unlock"),
    _action("forceDelete", force_delete, server_schema.FORCE_DELETE, "os-deferred-delete:force"),
    _action("restore", restore, server_schema.RESTORE, "os-deferred-delete:restore"),
    _action(
        "os-getConsoleOutput",
        get_console_output,
        server_schema.CONSOLE_OUTPUT,
        "os-console-output",
        success=200,
        tx=Tx.NONE,
    ),
)
