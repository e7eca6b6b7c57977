# SPDX-License-Identifier: Apache-2.0
"""rebuild: make a server anew."""

from __future__ import annotations

import dataclasses
from typing import Any

from nova.api.actions.rebuild import RebuildRequest
from nova.api.actions.rebuild import rebuild as rebuild_server
from nova.api.microversion import v
from nova.api.osapi import server_create, server_view
from nova.api.osapi.action_route import server_action
from nova.api.osapi.server_schema import DISK_CONFIG, FILES
from nova.api.parameter_types import (
    ADMIN_PASSWORD,
    BOOLEAN,
    IMAGE_REF,
    IPV4,
    IPV6,
    LOOSE_NAME,
    METADATA,
    NAME,
    TEXT_OR_NULL,
    closed,
    envelope,
    to_bool,
)
from nova.api.request import Answer, ApiRequest
from nova.api.routing import Tx
from nova.api.schema import Schema
from nova.db.instances import InstanceChanges
from nova.domain.instance import InjectedFile
from nova.secret import Secret

_REBUILD: dict[str, Schema] = {
    "imageRef": {**IMAGE_REF, "minLength": 1},
    "name": NAME,
    "adminPass": {**ADMIN_PASSWORD, "minLength": 1},
    "metadata": METADATA,
    "personality": FILES,
    "preserve_ephemeral": BOOLEAN,
    "OS-DCF:diskConfig": DISK_CONFIG,
    "accessIPv4": IPV4,
    "accessIPv6": IPV6,
}
_ADDRESS_OR_NONE: Schema = {"type": ["string", "null"], "maxLength": 45}
REBUILD = envelope("rebuild", closed(_REBUILD, "imageRef"))
REBUILD_V19 = envelope("rebuild", closed({**_REBUILD, "description": TEXT_OR_NULL}, "imageRef"))
REBUILD_LEGACY = envelope(
    "rebuild",
    closed(
        {
            **_REBUILD,
            "name": LOOSE_NAME,
            "accessIPv4": _ADDRESS_OR_NONE,
            "accessIPv6": _ADDRESS_OR_NONE,
            "adminPass": {**ADMIN_PASSWORD, "type": ["string", "null"]},
        },
        "imageRef",
    ),
)


def rebuild(request: ApiRequest) -> Answer:
    """rebuild"""
    instance, password = rebuild_server(request.cloud, request.context, request.path["id"], _read(request))
    with request.cloud.db.transaction(write=False) as tx:
        (shown,) = server_view.full(dataclasses.replace(request, transaction=tx), [instance], details=False)
    if request.cloud.settings.enable_instance_password:
        shown["adminPass"] = password.reveal()
    location = request.links.own("servers", instance.uuid)
    return Answer(body={"server": shown}, headers=(("Location", location),))


def _read(request: ApiRequest) -> RebuildRequest:
    wanted: dict[str, Any] = request.body
    files = tuple(InjectedFile(path=f["path"], contents=f["contents"]) for f in wanted.get("personality") or ())
    password = wanted.get("adminPass")
    return RebuildRequest(
        image_id=server_create.last_segment(wanted["imageRef"]),
        changes=_changes(wanted),
        metadata=wanted.get("metadata"),
        files=files,
        admin_password=Secret(password) if password else None,
        auto_disk_config=server_create.disk_config(wanted),
        keep_ephemeral=to_bool(wanted.get("preserve_ephemeral", False)),
    )


def _changes(wanted: dict[str, Any]) -> InstanceChanges:
    changes: InstanceChanges = {}
    if "name" in wanted:
        changes["display_name"] = wanted["name"].strip()
    if "description" in wanted:
        changes["display_description"] = wanted["description"] or ""
    if "accessIPv4" in wanted:
        changes["access_ip_v4"] = server_create.address(wanted, "accessIPv4", version=4)
    if "accessIPv6" in wanted:
        changes["access_ip_v6"] = server_create.address(wanted, "accessIPv6", version=6)
    return changes


ROUTES = (
    server_action(
        "rebuild",
        rebuild,
        REBUILD,
        "servers:rebuild",
        tx=Tx.NONE,
        later=((v(19), REBUILD_V19),),
        legacy=REBUILD_LEGACY,
    ),
)
