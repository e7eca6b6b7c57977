# SPDX-License-Identifier: Apache-2.0
"""What reaches into a running server: changePassword, trigger_crash_dump, and GET /servers/{id}/diagnostics."""

from __future__ import annotations

import dataclasses

from nova.api.actions import inside
from nova.api.microversion import v
from nova.api.osapi.action_route import server_action
from nova.api.parameter_types import ADMIN_PASSWORD, NULL, closed, envelope
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx
from nova.secret import Secret

CHANGE_PASSWORD = envelope("changePassword", closed({"adminPass": ADMIN_PASSWORD}, "adminPass"))
TRIGGER_CRASH_DUMP = envelope("trigger_crash_dump", NULL)


def change_password(request: ApiRequest) -> None:
    """changePassword"""
    password = Secret(request.body["adminPass"])
    inside.change_password(request.cloud, request.context, request.path["id"], password=password)


def trigger_crash_dump(request: ApiRequest) -> None:
    """trigger_crash_dump"""
    inside.trigger_crash_dump(request.cloud, request.tx, request.context, request.path["id"])


def diagnostics(request: ApiRequest) -> dict[str, int]:
    """GET /servers/{id}/diagnostics"""
    return inside.diagnostics(request.cloud, request.context, request.path["id"])


_CRASH_DUMP = server_action("trigger_crash_dump", trigger_crash_dump, TRIGGER_CRASH_DUMP, "servers:trigger_crash_dump")
ROUTES = (
    server_action("changePassword", change_password, CHANGE_PASSWORD, "os-admin-password", tx=Tx.NONE),
    dataclasses.replace(_CRASH_DUMP, since=v(17)),
    Route(
        method="GET",
        path="/servers/{id}/diagnostics",
        handler=diagnostics,
        policy=inside.DIAGNOSTICS_RULE,
        tx=Tx.NONE,
    ),
)
