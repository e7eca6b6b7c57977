# SPDX-License-Identifier: Apache-2.0
"""/os-volumes and /os-snapshots: the volume API's resources at the compute API's address, with keys of its own."""

from __future__ import annotations

from typing import Any

from nova.api.actions import volumes as rules
from nova.api.actions.create_volume import create as create_volume
from nova.api.actions.delete_volume import delete as delete_volume
from nova.api.osapi.paging import marker_page
from nova.api.osapi.times import plain
from nova.api.policies.volume import PROXY
from nova.api.request import Answer, ApiRequest
from nova.api.routing import Route, Tx, body
from nova.api.volume import snapshots
from nova.api.volume.requests import CREATE, read_create
from nova.api.volume.views import is_attached, zone
from nova.api.volume.volumes import find
from nova.domain.volume import Volume


def view(request: ApiRequest, volume: Volume) -> dict[str, Any]:
    """One volume."""
    attachment = {
        "id": volume.id,
        "volumeId": volume.id,
        "serverId": volume.instance_uuid,
        "device": volume.mountpoint,
    }
    return {
        "id": volume.id,
        "status": str(volume.status),
        "size": volume.size_gb,
        "availabilityZone": zone(request, volume),
        "createdAt": plain(volume.created_at),
        "displayName": volume.display_name,
        "displayDescription": volume.display_description,
        "volumeType": volume.volume_type or None,
        "snapshotId": volume.snapshot_id or None,
        "metadata": volume.metadata,
        "attachments": [attachment] if is_attached(volume) else [{}],
    }


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /os-volumes and /os-volumes/detail"""
    return {"volumes": [view(request, volume) for volume in find(request, marker_page(request))]}


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /os-volumes/{id}"""
    return {"volume": view(request, rules.load(request.tx, request.context, request.path["id"]))}


def create(request: ApiRequest) -> Answer:
    """POST /os-volumes"""
    made = create_volume(request.cloud, request.tx, request.context, read_create(request.body))
    location = ("Location", request.links.own("os-volumes", made.id))
    return Answer(body={"volume": view(request, made)}, headers=(location,))


def delete(request: ApiRequest) -> None:
    """DELETE /os-volumes/{id}"""
    delete_volume(request.cloud, request.tx, request.context, request.path["id"])


ROUTES = (
    Route(method="GET", path="/os-volumes", handler=index, policy=PROXY),
    Route(method="GET", path="/os-volumes/detail", handler=index, policy=PROXY),
    Route(
        method="POST", path="/os-volumes", handler=create, policy=PROXY, bodies=body(CREATE), success=200, tx=Tx.WRITE
    ),
    Route(method="GET", path="/os-volumes/{id}", handler=show, policy=PROXY),
    Route(method="DELETE", path="/os-volumes/{id}", handler=delete, policy=PROXY, success=202, tx=Tx.WRITE),
    *snapshots.routes("/os-snapshots"),
)
