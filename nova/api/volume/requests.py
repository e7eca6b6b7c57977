# SPDX-License-Identifier: Apache-2.0
"""The bodies of the volume API, and what is read from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nova.api.actions.create_volume import VolumeRequest
from nova.api.parameter_types import METADATA, TEXT_OR_NULL, closed, envelope, integer, to_bool, to_int
from nova.api.schema import Schema
from nova.errors import InvalidInput

NAME: Schema = {"type": ["string", "null"], "maxLength": 255, "pattern": r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$(?!\n)"}
METADATA_OR_NULL: Schema = {**METADATA, "type": ["object", "null"]}
_ID: Schema = {"type": ["string", "null"], "maxLength": 255}
_SIZE: Schema = {**integer(1), "type": ["integer", "string", "null"]}
_FLAG: Schema = {"enum": [True, False, None, "True", "False", "true", "false", "0", "1"]}

SOURCES = ("snapshot_id", "source_volid", "imageRef", "image_id", "backup_id", "source_replica", "consistencygroup_id")
"""What a volume could be made from elsewhere; here each must be empty."""

WORDS: dict[str, Schema] = {
    "name": NAME,
    "display_name": NAME,
    "description": TEXT_OR_NULL,
    "display_description": TEXT_OR_NULL,
}
_CREATE: dict[str, Schema] = {
    **WORDS,
    "size": _SIZE,
    "availability_zone": NAME,
    "volume_type": NAME,
    "metadata": METADATA_OR_NULL,
    "multiattach": _FLAG,
    **dict.fromkeys((*SOURCES, "group_id", "project_id", "user_id", "status", "attach_status"), _ID),
}
CREATE = envelope("volume", closed(_CREATE))
UPDATE = envelope("volume", closed({**WORDS, "metadata": METADATA_OR_NULL}))
METADATA_BODY = envelope("metadata", METADATA)
ITEM_BODY = envelope("meta", {**METADATA, "minProperties": 1, "maxProperties": 1})


def read_create(body: Mapping[str, Any]) -> VolumeRequest:
    """What a checked create body asks for; InvalidInput, naming the field, for what this cloud cannot do."""
    volume = body["volume"]
    for field in SOURCES:
        if volume.get(field):
            raise InvalidInput(f"Invalid input for {field}: volumes are made empty here.", field=field)
    if to_bool(volume.get("multiattach")):
        raise InvalidInput("Invalid input for multiattach: a volume has one server here.", field="multiattach")
    if volume.get("size") is None:
        raise InvalidInput("Invalid input for size: it is missing.", field="size")
    name, description = words(volume)
    return VolumeRequest(
        size_gb=to_int(volume["size"], field="size", minimum=1),
        name=name or "",
        description=description or "",
        availability_zone=volume.get("availability_zone") or "",
        volume_type=volume.get("volume_type") or "",
        metadata=volume.get("metadata") or {},
    )


def words(volume: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Name and description, in either spelling; None for one that is not given."""
    name = volume.get("name", volume.get("display_name"))
    description = volume.get("description", volume.get("display_description"))
    return name, description
