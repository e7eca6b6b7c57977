# SPDX-License-Identifier: Apache-2.0
"""/servers/{id}/os-volume_attachments: the volumes of a server."""

from __future__ import annotations

from typing import Any, NoReturn

from nova.api.actions import servers
from nova.api.actions.attach_volume import attach
from nova.api.actions.detach_volume import detach
from nova.api.osapi.paging import offset_page
from nova.api.parameter_types import UUID, closed, envelope
from nova.api.policies.volume import ATTACHMENTS
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx, body
from nova.api.schema import Schema
from nova.db import block_devices
from nova.domain.block_device import BlockDevice
from nova.errors import Conflict

ALL = "/servers/{id}/os-volume_attachments"
ONE = "/servers/{id}/os-volume_attachments/{volume_id}"
_DEVICE: Schema = {"type": ["string", "null"], "maxLength": 64}
CREATE = envelope("volumeAttachment", closed({"volumeId": UUID, "device": _DEVICE}, "volumeId"))
UPDATE = envelope("volumeAttachment", closed({"volumeId": UUID}, "volumeId"))


def view(device: BlockDevice) -> dict[str, Any]:
    """One attachment; its id is the volume's."""
    return {
        "id": device.volume_id,
        "volumeId": device.volume_id,
        "serverId": device.instance_uuid,
        "device": device.device_name or None,
    }


def index(request: ApiRequest) -> dict[str, Any]:
    """GET …/os-volume_attachments"""
    instance = servers.load(request.tx, request.context, request.path["id"])
    found = [device for device in block_devices.for_instance(request.tx, instance.uuid) if device.volume_id]
    return {"volumeAttachments": [view(device) for device in offset_page(request, found)]}


def show(request: ApiRequest) -> dict[str, Any]:
    """GET …/os-volume_attachments/{volume_id}"""
    return {"volumeAttachment": view(_device(request))}


def create(request: ApiRequest) -> dict[str, Any]:
    """POST …/os-volume_attachments"""
    wanted = request.body["volumeAttachment"]
    made = attach(
        request.cloud,
        request.tx,
        request.context,
        request.path["id"],
        volume_id=wanted["volumeId"].lower(),
        device=wanted.get("device") or "",
    )
    return {"volumeAttachment": view(made)}


def update(request: ApiRequest) -> NoReturn:
    """PUT …/os-volume_attachments/{volume_id}"""
    _device(request)
    raise Conflict("A server's volume is exchanged only as a step of a migration of the volume; there is none.")


def delete(request: ApiRequest) -> None:
    """DELETE …/os-volume_attachments/{volume_id}"""
    detach(request.cloud, request.tx, request.context, request.path["id"], volume_id=request.path["volume_id"])


def _device(request: ApiRequest) -> BlockDevice:
    instance = servers.load(request.tx, request.context, request.path["id"])
    return block_devices.for_volume(request.tx, request.path["volume_id"][:36], instance_uuid=instance.uuid)


ROUTES = (
    Route(method="GET", path=ALL, handler=index, policy=ATTACHMENTS + "index"),
    Route(method="GET", path=ONE, handler=show, policy=ATTACHMENTS + "show"),
    Route(method="POST", path=ALL, handler=create, policy=ATTACHMENTS + "create", bodies=body(CREATE), tx=Tx.WRITE),
    Route(
        method="PUT",
        path=ONE,
        handler=update,
        policy=ATTACHMENTS + "update",
        bodies=body(UPDATE),
        success=202,
        tx=Tx.WRITE,
    ),
    Route(method="DELETE", path=ONE, handler=delete, policy=ATTACHMENTS + "delete", success=202, tx=Tx.WRITE),
)
