# SPDX-License-Identifier: Apache-2.0
"""/servers/{id}/os-instance-actions: what was asked for on a server, and for administrators the steps it took."""

from __future__ import annotations

from typing import Any

from nova.api.actions import servers
from nova.api.microversion import v
from nova.api.osapi.times import plain
from nova.api.policies.compute import PREFIX
from nova.api.request import ApiRequest
from nova.api.routing import Route
from nova.db import operations
from nova.domain.instance import Operation, StepEvent
from nova.domain.states import OperationState
from nova.domain.transitions import Action

POLICY = PREFIX + "os-instance-actions"
FAILED = "Error"


def _server(request: ApiRequest) -> str:
    """The server's uuid; deleted servers count from 2.21 on."""
    deleted = request.version >= v(21)
    return servers.load(request.tx, request.context, request.path["id"], deleted=deleted).uuid


def _word(action: str) -> str:
    return Action(action).recorded_as if action in set(Action) else action


def _view(operation: Operation) -> dict[str, Any]:
    return {
        "action": _word(operation.action),
        "instance_uuid": operation.instance_uuid,
        "request_id": operation.request_id,
        "user_id": operation.user_id,
        "project_id": operation.project_id,
        "start_time": plain(operation.started_at),
        "message": FAILED if operation.state is OperationState.FAILED else None,
    }


def _event(step: StepEvent) -> dict[str, Any]:
    return {
        "event": step.name,
        "start_time": plain(step.started_at),
        "finish_time": plain(step.finished_at),
        "result": step.result or None,
        "traceback": step.traceback or None,
    }


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /servers/{id}/os-instance-actions"""
    limit = request.cloud.settings.max_limit
    found = operations.list_for_instance(request.tx, _server(request), limit=limit)
    return {"instanceActions": [_view(operation) for operation in found]}


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /servers/{id}/os-instance-actions/{request_id}"""
    operation = operations.get_by_request(request.tx, _server(request), request.path["request_id"])
    shown = _view(operation)
    if request.cloud.policy.allows(request.context, f"{POLICY}:events"):
        shown["events"] = [_event(step) for step in operations.events_of(request.tx, operation.id)]
    return {"instanceAction": shown}


ROUTES = (
    Route(method="GET", path="/servers/{id}/os-instance-actions", handler=index, policy=POLICY),
    Route(method="GET", path="/servers/{id}/os-instance-actions/{request_id}", handler=show, policy=POLICY),
)
