# SPDX-License-Identifier: Apache-2.0
"""How images and members look in the image API v2.  Where the bytes are is never shown."""

from __future__ import annotations

import datetime
from typing import Any, cast

from nova.api.request import ApiRequest
from nova.domain.image import Image
from nova.image import ImageMember
from nova.image.protocol import ImageHost

Json = dict[str, Any]


def host(request: ApiRequest) -> ImageHost:
    """The image store behind this API; nova.cmd starts the API only over one of our own."""
    return cast(ImageHost, request.cloud.images)


def _moment(value: datetime.datetime | None) -> str | None:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value else None


def image(shown: Image) -> Json:
    """An image; its properties stand beside its attributes."""
    return {
        **shown.properties,
        "id": shown.id,
        "name": shown.name or None,
        "status": shown.status,
        "visibility": shown.visibility,
        "owner": shown.owner,
        "size": shown.size_bytes,
        "virtual_size": shown.virtual_size_bytes,
        "checksum": shown.checksum,
        "os_hash_algo": shown.hash_algo,
        "os_hash_value": shown.hash_value,
        "disk_format": shown.disk_format,
        "container_format": shown.container_format,
        "min_disk": shown.min_disk_gb,
        "min_ram": shown.min_ram_mb,
        "protected": shown.protected,
        "os_hidden": shown.hidden,
        "tags": list(shown.tags),
        "created_at": _moment(shown.created_at),
        "updated_at": _moment(shown.updated_at),
        "self": f"/v2/images/{shown.id}",
        "file": f"/v2/images/{shown.id}/file",
        "schema": "/v2/schemas/image",
    }


def member(shown: ImageMember) -> Json:
    """A project with which an image is shared."""
    return {
        "image_id": shown.image_id,
        "member_id": shown.project_id,
        "status": shown.status,
        "created_at": _moment(shown.created_at),
        "updated_at": _moment(shown.updated_at),
        "schema": "/v2/schemas/member",
    }
