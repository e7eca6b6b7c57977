# SPDX-License-Identifier: Apache-2.0
"""The query string of a list of servers, read into one search; what a member may not filter by is left out."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

from nova.api.microversion import v
from nova.api.osapi import times
from nova.api.osapi.paging import Page
from nova.api.parameter_types import query_bool
from nova.api.policies.compute import PREFIX
from nova.api.request import ApiRequest
from nova.db.instances import SORT_KEYS, InstanceQuery
from nova.domain.states import PowerState
from nova.errors import Forbidden, InvalidInput

DELETED = "DELETED"
SOFT_DELETED = "SOFT_DELETED"
MAX_FILTER = 255
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

SORT_NAMES = {
    "id": "uuid",
    "name": "display_name",
    "created": "created_at",
    "updated": "updated_at",
    "tenant_id": "project_id",
    "image": "image_ref",
    "flavor": "instance_type_id",
    "accessIPv4": "access_ip_v4",
    "accessIPv6": "access_ip_v6",
    "description": "display_description",
}
"""Names that the API shows for columns that are called otherwise."""
EXACT = frozenset({"image_ref", "vm_state", "task_state", "uuid", "user_id", "host", "reservation_id"})
MATCHED = frozenset(
    {"node", "hostname", "display_name", "display_description", "key_name", "availability_zone", "root_device_name"}
    | {"access_ip_v4", "access_ip_v6", "locked_by"}
)
NUMBERS = frozenset({"instance_type_id", "launch_index", "memory_mb", "vcpus", "root_gb", "ephemeral_gb", "progress"})


def read(request: ApiRequest, page: Page, *, operation: str) -> InstanceQuery:
    """The search; *operation* is ``index`` or ``detail``."""
    query = InstanceQuery(
        project_id=_project(request, operation),
        name=_text(request, "name"),
        ip=_text(request, "ip"),
        ip6=_text(request, "ip6") if request.version >= v(5) or request.context.is_admin else "",
        status=_statuses(request),
        image=_last_segment(_text(request, "image")),
        flavor=_last_segment(_text(request, "flavor")),
        reservation_id=_text(request, "reservation_id"),
        changes_since=_changes_since(request),
        deleted=_deleted(request),
        soft_deleted=_soft_deleted(request),
        marker=_marker(page.marker),
        limit=page.limit,
        sort=_sort(request),
    )
    if request.cloud.policy.allows(request.context, PREFIX + "servers:allow_all_filters"):
        return _with_admin_filters(request, query)
    return query


def _text(request: ApiRequest, name: str) -> str:
    text: str = request.query.get(name, "")
    if len(text) > MAX_FILTER and name != "image":
        raise InvalidInput(f"Invalid input for {name}: it is longer than {MAX_FILTER} characters.", field=name)
    return text


def _last_segment(text: str) -> str:
    return text.rstrip("/").rpartition("/")[2]


def _marker(text: str) -> str:
    if text and not _UUID.fullmatch(text):
        raise InvalidInput(f"The marker {text[:64]} was not found.", field="marker")
    return text


def _project(request: ApiRequest, operation: str) -> str | None:
    """The project to list; None for all, which takes the right to see them."""
    text = request.query.get("all_tenants")
    if not query_bool(text, field="all_tenants"):
        return request.context.project_id
    request.cloud.policy.authorize(request.context, f"{PREFIX}servers:{operation}:get_all_tenants")
    return request.query.get("tenant_id") or request.query.get("project_id") or None


def _statuses(request: ApiRequest) -> tuple[str, ...]:
    words = tuple(word.upper() for word in request.query.getall("status"))
    if DELETED in words and not request.context.is_admin:
        raise Forbidden("Only administrators may list deleted servers.")
    return words


def _changes_since(request: ApiRequest) -> Any:
    text = request.query.get("changes-since")
    return times.parse(text, field="changes-since") if text else None


def _deleted(request: ApiRequest) -> bool | None:
    """What a member sees of deleted servers is decided by changes-since; an administrator may ask."""
    if DELETED in _statuses(request):
        return True
    if request.context.is_admin and "deleted" in request.query:
        return query_bool(request.query["deleted"], field="deleted")
    return None if request.query.get("changes-since") else False


def _soft_deleted(request: ApiRequest) -> bool | None:
    """Servers that can be restored are hidden, unless they are asked for by ``deleted`` or by their status."""
    if query_bool(request.query.get("deleted"), field="deleted"):
        return True
    shows = (
        SOFT_DELETED in _statuses(request) or bool(request.query.get("changes-since")) or "vm_state" in request.query
    )
    return None if shows else False


def _sort(request: ApiRequest) -> list[tuple[str, str]]:
    keys = request.query.getall("sort_key")
    directions = request.query.getall("sort_dir")
    if not keys:
        return [("created_at", _direction(directions[0] if directions else "desc"))]
    padded = directions + [directions[-1] if directions else "desc"] * (len(keys) - len(directions))
    pairs = zip(keys[:20], padded, strict=False)
    return [(_column(key), _direction(direction)) for key, direction in pairs]


def _column(name: str) -> str:
    column = SORT_NAMES.get(name, name)
    if column not in SORT_KEYS:
        raise InvalidInput(f"Servers cannot be sorted by {name[:64]}.", field="sort_key")
    return column


def _direction(text: str) -> str:
    if text.lower() not in ("asc", "desc"):
        raise InvalidInput("Invalid input for sort_dir: it must be asc or desc.", field="sort_dir")
    return text.lower()


def _with_admin_filters(request: ApiRequest, query: InstanceQuery) -> InstanceQuery:
    equal: dict[str, object] = {}
    matching: dict[str, str] = {}
    for name in set(request.query):
        if name in EXACT:
            equal[name] = _text(request, name)
        elif name in MATCHED and request.query[name]:
            matching[name] = _text(request, name)
        elif name in NUMBERS:
            equal[name] = _integer(request, name)
    if "locked" in request.query:
        equal["locked"] = query_bool(request.query["locked"], field="locked")
    if "power_state" in request.query:
        equal["power_state"] = _power_state(request)
    if equal.get("task_state") in ("", "None", "none"):
        equal["task_state"] = None
    return dataclasses.replace(
        query,
        equal=equal,
        matching=matching,
        metadata=_pairs(request, "metadata"),
        system_metadata=_pairs(request, "system_metadata"),
    )


def _integer(request: ApiRequest, name: str) -> int:
    text = request.query[name]
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidInput(f"Invalid input for {name}: it must be a number.", field=name)
    return int(text)


def _power_state(request: ApiRequest) -> int:
    number = _integer(request, "power_state")
    if number not in {state.value for state in PowerState}:
        raise InvalidInput("Invalid input for power_state: there is no such state.", field="power_state")
    return number


def _pairs(request: ApiRequest, name: str) -> dict[str, str]:
    """Metadata as JSON text: an object, or a list of them."""
    text = request.query.get(name)
    if not text:
        return {}
    try:
        found = json.loads(text[:4096])
    except (ValueError, RecursionError):
        found = None
    objects = found if isinstance(found, list) else [found]
    if not all(isinstance(each, dict) for each in objects) or len(objects) > 20:
        raise InvalidInput(f"Invalid input for {name}: it must be a JSON object of texts.", field=name)
    return {str(key)[:255]: str(value)[:255] for each in objects for key, value in each.items()}
