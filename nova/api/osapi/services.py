# SPDX-License-Identifier: Apache-2.0
"""/os-services: the daemons of the cloud; administrators enable, disable and remove them."""

from __future__ import annotations

from typing import Any

from nova.api.microversion import v
from nova.api.osapi.availability_zones import zone_of
from nova.api.osapi.times import plain
from nova.api.parameter_types import BOOLEAN, HOSTNAME, closed, to_bool
from nova.api.policies.compute import PREFIX
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx, body
from nova.api.schema import Schema
from nova.db import aggregates, services
from nova.domain.host import Service
from nova.errors import NotFound

POLICY = PREFIX + "os-services:"
_BINARY: Schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[a-zA-Z0-9\-_.]+$(?!\n)"}
_REASON: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "pattern": r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$",
}
NAMED = closed({"host": HOSTNAME, "binary": _BINARY}, "host", "binary")
REASONED = closed(
    {"host": HOSTNAME, "binary": _BINARY, "disabled_reason": _REASON}, "host", "binary", "disabled_reason"
)
FORCED = closed({"host": HOSTNAME, "binary": _BINARY, "forced_down": BOOLEAN}, "host", "binary")


def _view(request: ApiRequest, daemon: Service, zones: dict[str, str]) -> dict[str, Any]:
    up = daemon.is_up(request.tx.now, down_time_s=request.cloud.silence_s())
    shown: dict[str, Any] = {
        "id": daemon.id,
        "binary": daemon.binary,
        "host": daemon.host,
        "zone": zone_of(request, daemon, zones),
        "status": _status(daemon),
        "state": "up" if up else "down",
        "updated_at": plain(daemon.updated_at),
        "disabled_reason": daemon.disabled_reason or None,
    }
    if request.version >= v(11):
        shown["forced_down"] = daemon.forced_down
    return shown


def _status(daemon: Service) -> str:
    return "disabled" if daemon.disabled else "enabled"


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /os-services"""
    zones = aggregates.zones_of_hosts(request.tx)
    found = services.find(
        request.tx, host=request.query.get("host", "")[:255], binary=request.query.get("binary", "")[:255]
    )
    return {"services": [_view(request, daemon, zones) for daemon in found]}


def _set(request: ApiRequest, *, enabled: bool, reason: str = "") -> dict[str, Any]:
    named = request.body
    daemon = services.set_enabled(request.tx, named["host"], named["binary"], enabled=enabled, reason=reason)
    return {"service": {"host": daemon.host, "binary": daemon.binary, "status": _status(daemon)}}


def enable(request: ApiRequest) -> dict[str, Any]:
    """PUT /os-services/enable"""
    return _set(request, enabled=True)


def disable(request: ApiRequest) -> dict[str, Any]:
    """PUT /os-services/disable"""
    return _set(request, enabled=False)


def disable_with_reason(request: ApiRequest) -> dict[str, Any]:
    """PUT /os-services/disable-log-reason"""
    reason = request.body["disabled_reason"].strip()
    answer = _set(request, enabled=False, reason=reason)
    return {"service": {**answer["service"], "disabled_reason": reason}}


def force_down(request: ApiRequest) -> dict[str, Any]:
    """PUT /os-services/force-down"""
    down = to_bool(request.body.get("forced_down", False))
    daemon = services.set_forced_down(request.tx, request.body["host"], request.body["binary"], forced_down=down)
    return {"service": {"host": daemon.host, "binary": daemon.binary, "forced_down": daemon.forced_down}}


def delete(request: ApiRequest) -> None:
    """DELETE /os-services/{id}"""
    services.remove(request.tx, number_in(request.path["id"], what="service"))


def number_in(text: str, *, what: str) -> int:
    """The number of a row in a URL; text that is none is not found, as clients that look names up expect."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFound.of(what, text[:64])
    return int(text)


def _put(word: str, handler: Any, schema: Schema, since: Any = v(1)) -> Route:
    return Route(
        method="PUT",
        path=f"/os-services/{word}",
        handler=handler,
        policy=POLICY + "update",
        bodies=body(schema),
        tx=Tx.WRITE,
        since=since,
    )


ROUTES = (
    Route(method="GET", path="/os-services", handler=index, policy=POLICY + "list"),
    _put("enable", enable, NAMED),
    _put("disable", disable, NAMED),
    _put("disable-log-reason", disable_with_reason, REASONED),
    _put("force-down", force_down, FORCED, since=v(11)),
    Route(
        method="DELETE",
        path="/os-services/{id}",
        handler=delete,
        policy=POLICY + "delete",
        success=204,
        tx=Tx.WRITE,
    ),
)
