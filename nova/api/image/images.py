# SPDX-License-Identifier: Apache-2.0
"""Descriptions of images: made, shown, removed, tagged, taken out of use."""

from __future__ import annotations

from typing import Any

from nova import errors
from nova.api.image import views
from nova.api.request import Answer, ApiRequest
from nova.api.routing import Route, Tx, body
from nova.api.schema import Schema
from nova.image import ImageUpdate, NewImage
from nova.image.rules import CONTAINER_FORMATS, VISIBILITIES
from nova.virt.images.inspector import DISK_FORMATS, EXTRA_FORMATS

_TEXT_OR_NULL: Schema = {"type": ["string", "null"], "maxLength": 255}
ATTRIBUTES: dict[str, Schema] = {
    "name": _TEXT_OR_NULL,
    "visibility": {"enum": list(VISIBILITIES)},
    "disk_format": {"enum": [*DISK_FORMATS, *EXTRA_FORMATS, None]},
    "container_format": {"enum": [*CONTAINER_FORMATS, None]},
    "min_disk": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
    "min_ram": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
    "protected": {"type": "boolean"},
    "os_hidden": {"type": "boolean"},
    "tags": {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 255}, "maxItems": 128},
}
"""What a client may set, and how."""
_CREATE: Schema = {
    "type": "object",
    "properties": {**ATTRIBUTES, "id": {"type": "string", "maxLength": 36}, "owner": _TEXT_OR_NULL},
    "additionalProperties": {"type": "string", "maxLength": 65535},
    "maxProperties": 200,
}
IMPORT_METHODS = ("OpenStack-image-import-methods", "glance-direct")


def create(request: ApiRequest) -> Answer:
    """POST /v2/images"""
    given: dict[str, Any] = request.body
    known = set(_CREATE["properties"])
    made = views.host(request).create(
        request.context,
        NewImage(
            id=given.get("id", ""),
            name=given.get("name") or "",
            visibility=given.get("visibility", "shared"),
            disk_format=given.get("disk_format"),
            container_format=given.get("container_format"),
            min_disk_gb=given.get("min_disk", 0),
            min_ram_mb=given.get("min_ram", 0),
            protected=given.get("protected", False),
            hidden=given.get("os_hidden", False),
            tags=tuple(given.get("tags", ())),
            properties={key: value for key, value in given.items() if key not in known},
            owner=given.get("owner") or "",
        ),
    )
    place = f"{request.http.host_url}/v2/images/{made.id}"
    return Answer(body=views.image(made), headers=(("Location", place), IMPORT_METHODS))


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /v2/images/{image_id}"""
    return views.image(views.host(request).get(request.context, request.path["image_id"]))


def delete(request: ApiRequest) -> None:
    """DELETE /v2/images/{image_id}"""
    views.host(request).delete(request.context, request.path["image_id"])


def add_tag(request: ApiRequest) -> None:
    """PUT /v2/images/{image_id}/tags/{tag}"""
    changes = ImageUpdate(add_tags=(request.path["tag"],))
    views.host(request).update(request.context, request.path["image_id"], changes)


def remove_tag(request: ApiRequest) -> None:
    """DELETE /v2/images/{image_id}/tags/{tag}"""
    image_id, tag = request.path["image_id"], request.path["tag"]
    if tag not in views.host(request).get(request.context, image_id).tags:
        raise errors.NotFound.of("tag", tag)
    views.host(request).update(request.context, image_id, ImageUpdate(remove_tags=(tag,)))


def deactivate(request: ApiRequest) -> None:
    """POST /v2/images/{image_id}/actions/deactivate"""
    views.host(request).set_active(request.context, request.path["image_id"], active=False)


def reactivate(request: ApiRequest) -> None:
    """POST /v2/images/{image_id}/actions/reactivate"""
    views.host(request).set_active(request.context, request.path["image_id"], active=True)


_ALL, _ONE = "/v2/images", "/v2/images/{image_id}"
_MODIFY = "image:modify_image"
_RULE = "image:deactivate"


def _action(name: str, handler: Any) -> Route:
    path = f"{_ONE}/actions/{name}"
    return Route(method="POST", path=path, handler=handler, policy=_RULE, success=204, tx=Tx.NONE, body_optional=True)


ROUTES = (
    Route(
        method="POST",
        path=_ALL,
        handler=create,
        policy="image:add_image",
        bodies=body(_CREATE),
        success=201,
        tx=Tx.NONE,
    ),
    Route(method="GET", path=_ONE, handler=show, policy="image:get_image", tx=Tx.NONE),
    Route(method="DELETE", path=_ONE, handler=delete, policy="image:delete_image", success=204, tx=Tx.NONE),
    Route(
        method="PUT",
        path=f"{_ONE}/tags/{{tag}}",
        handler=add_tag,
        policy=_MODIFY,
        success=204,
        tx=Tx.NONE,
        raw_body=True,
    ),
    Route(method="DELETE", path=f"{_ONE}/tags/{{tag}}", handler=remove_tag, policy=_MODIFY, success=204, tx=Tx.NONE),
    _action("deactivate", deactivate),
    _action("reactivate", reactivate),
)
