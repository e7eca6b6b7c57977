# SPDX-License-Identifier: Apache-2.0
"""POST /volumes/{id}/action: what administrators may do to a volume, and what nobody may do here.

Attachments and their storage credentials belong to the compute service alone: it would not know when somebody took a
volume from a running server behind its back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from nova.api.actions import volumes as rules
from nova.api.actions.delete_volume import delete
from nova.api.parameter_types import NULL, closed, envelope
from nova.api.policies.volume import EXTENSION
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx, body
from nova.api.schema import Schema
from nova.db import volumes
from nova.domain.states import VolumeStatus
from nova.errors import Forbidden

RESET_RULE = EXTENSION + "volume_admin_actions:reset_status"
FORCE_RULE = EXTENSION + "volume_admin_actions:force_delete"
CONNECTION_RULE = EXTENSION + "volume_actions:connection"
STATUSES = [
    *("creating", "available", "deleting", "error", "error_deleting", "attaching", "in-use", "detaching"),
]
CONNECTIONS = (
    *("os-attach", "os-detach", "os-force_detach", "os-reserve", "os-unreserve", "os-begin_detaching"),
    *("os-roll_detaching", "os-initialize_connection", "os-terminate_connection"),
)


def reset_status(request: ApiRequest) -> None:
    """os-reset_status"""
    volume = rules.load(request.tx, request.context, request.path["id"])
    rules.authorize(request.cloud, request.context, RESET_RULE, volume)
    volumes.reset_status(request.tx, volume.id, VolumeStatus(request.body["status"]))


def force_delete(request: ApiRequest) -> None:
    """os-force_delete"""
    delete(request.cloud, request.tx, request.context, request.path["id"], force=True)


def refuse(request: ApiRequest) -> NoReturn:
    """What only the compute service does, and not through this API."""
    rules.load(request.tx, request.context, request.path["id"])
    raise Forbidden("Volumes are attached and detached through the compute API, and by nobody else.")


def _action(name: str, handler: Callable[[ApiRequest], Any], inner: Schema, policy: str) -> Route:
    return Route(
        method="POST",
        path="/volumes/{id}/action",
        action=name,
        handler=handler,
        policy=policy,
        bodies=body(envelope(name, inner)),
        success=202,
        tx=Tx.WRITE,
    )


ROUTES = (
    _action("os-reset_status", reset_status, closed({"status": {"enum": STATUSES}}, "status"), RESET_RULE),
    _action("os-force_delete", force_delete, NULL, FORCE_RULE),
    *(_action(name, refuse, {}, CONNECTION_RULE) for name in CONNECTIONS),
)
