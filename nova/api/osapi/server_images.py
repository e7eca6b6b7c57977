# SPDX-License-Identifier: Apache-2.0
"""Actions that make images of a server: createImage and createBackup."""

from __future__ import annotations

from nova.api.actions import create_image as actions
from nova.api.osapi.action_route import server_action
from nova.api.parameter_types import LOOSE_NAME, METADATA, NAME, closed, envelope, integer, to_int
from nova.api.request import Answer, ApiRequest
from nova.api.routing import Tx
from nova.api.schema import Schema
from nova.domain.image import Image

_BACKUP: dict[str, Schema] = {
    "name": NAME,
    "backup_type": {"type": "string", "maxLength": 255, "pattern": r"^[^\x00-\x1f\x7f]*$(?!\n)"},
    "rotation": integer(0),
    "metadata": METADATA,
}
_REQUIRED = ("name", "backup_type", "rotation")
CREATE_IMAGE = envelope("createImage", closed({"name": NAME, "metadata": METADATA}, "name"))
CREATE_IMAGE_LEGACY = envelope("createImage", closed({"name": LOOSE_NAME, "metadata": METADATA}, "name"))
CREATE_BACKUP = envelope("createBackup", closed(_BACKUP, *_REQUIRED))
CREATE_BACKUP_LEGACY = envelope("createBackup", closed({**_BACKUP, "name": LOOSE_NAME}, *_REQUIRED))


def create_image(request: ApiRequest) -> Answer:
    """createImage"""
    wanted = request.body
    image = actions.create_image(
        request.cloud,
        request.context,
        request.path["id"],
        name=wanted["name"].strip(),
        metadata=wanted.get("metadata"),
    )
    return _accepted(request, image)


def create_backup(request: ApiRequest) -> Answer:
    """createBackup"""
    wanted = request.body
    rotation = to_int(wanted["rotation"], field="rotation", minimum=0)
    image = actions.create_backup(
        request.cloud,
        request.context,
        request.path["id"],
        name=wanted["name"].strip(),
        backup_type=wanted["backup_type"],
        rotation=rotation,
        metadata=wanted.get("metadata"),
    )
    return _accepted(request, image) if rotation else Answer(body=None)


def _accepted(request: ApiRequest, image: Image) -> Answer:
    """Older clients look for the image where they looked for the server."""
    links = request.links
    place = links.own("images", image.id) if request.legacy else links.image(image.id)
    return Answer(body=None, headers=(("Location", place),))


ROUTES = (
    server_action(
        "createImage",
        create_image,
        CREATE_IMAGE,
        "servers:create_image",
        tx=Tx.NONE,
        legacy=CREATE_IMAGE_LEGACY,
    ),
    server_action(
        "createBackup",
        create_backup,
        CREATE_BACKUP,
        "os-create-backup",
        tx=Tx.NONE,
        legacy=CREATE_BACKUP_LEGACY,
    ),
)
