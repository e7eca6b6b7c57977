# SPDX-License-Identifier: Apache-2.0
"""How a volume is shown: by the first version, and by those after it."""

from __future__ import annotations

from typing import Any

from nova.api.osapi.times import plain
from nova.api.policies.volume import EXTENSION
from nova.api.request import ApiRequest
from nova.domain.states import VolumeStatus
from nova.domain.volume import Volume

HOST_RULE = EXTENSION + "volume_host_attribute"
ATTACHED = frozenset({VolumeStatus.IN_USE, VolumeStatus.DETACHING})


def is_attached(volume: Volume) -> bool:
    """Whether a server has it."""
    return bool(volume.instance_uuid) and volume.status in ATTACHED


def zone(request: ApiRequest, volume: Volume) -> str:
    """The zone of a volume; the default one where nobody asked for any."""
    return volume.availability_zone or request.cloud.settings.default_availability_zone


def v1_summary(request: ApiRequest, volume: Volume) -> dict[str, Any]:
    """All that the first version knows of a volume, in its lists too."""
    attachment = {
        "id": volume.id,
        "volume_id": volume.id,
        "server_id": volume.instance_uuid,
        "device": volume.mountpoint,
    }
    return {
        "id": volume.id,
        "status": str(volume.status),
        "size": volume.size_gb,
        "availability_zone": zone(request, volume),
        "created_at": plain(volume.created_at),
        "display_name": volume.display_name,
        "display_description": volume.display_description,
        "volume_type": volume.volume_type or "None",
        "snapshot_id": volume.snapshot_id or None,
        "source_volid": None,
        "bootable": "false",
        "metadata": volume.metadata,
        "attachments": [attachment] if is_attached(volume) else [{}],
        **_extras(request, volume),
    }


def summary(request: ApiRequest, volume: Volume) -> dict[str, Any]:
    """What lists without details show."""
    return {"id": volume.id, "name": volume.display_name, "links": request.links.both("volumes", volume.id)}


def detail(request: ApiRequest, volume: Volume) -> dict[str, Any]:
    """All of a volume."""
    return {
        **summary(request, volume),
        "description": volume.display_description or None,
        "status": str(volume.status),
        "size": volume.size_gb,
        "availability_zone": zone(request, volume),
        "created_at": plain(volume.created_at),
        "updated_at": plain(volume.updated_at),
        "volume_type": volume.volume_type or None,
        "snapshot_id": volume.snapshot_id or None,
        "source_volid": None,
        "consistencygroup_id": None,
        "replication_status": None,
        "bootable": "false",
        "encrypted": False,
        "multiattach": False,
        "user_id": volume.user_id,
        "metadata": volume.metadata,
        "attachments": [_attachment(volume)] if is_attached(volume) else [],
        "os-vol-tenant-attr:tenant_id": volume.project_id,
        **_extras(request, volume),
    }


def _attachment(volume: Volume) -> dict[str, Any]:
    return {
        "id": volume.id,
        "attachment_id": volume.id,
        "volume_id": volume.id,
        "server_id": volume.instance_uuid,
        "host_name": None,
        "device": volume.mountpoint,
        "attached_at": plain(volume.attached_at),
    }


def _extras(request: ApiRequest, volume: Volume) -> dict[str, Any]:
    """Why it failed, for its owner; where it is, for administrators."""
    extras: dict[str, Any] = {"fault": volume.fault} if volume.fault else {}
    if request.cloud.policy.allows(request.context, HOST_RULE):
        extras["os-vol-host-attr:host"] = volume.host or None
    return extras
