# SPDX-License-Identifier: Apache-2.0
"""PATCH /v2/images/{image_id}: the JSON patch dialect of the image API.  All is checked before one change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nova import errors
from nova.api import body as json_body
from nova.api.image import views
from nova.api.image.images import ATTRIBUTES
from nova.api.refusal import Refusal
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx
from nova.api.schema import Validator
from nova.domain.image import Image
from nova.image import ImageUpdate
from nova.image.rules import BASE_ATTRIBUTES

MAX_CHANGES = 255
_MEDIA_TYPES = ("application/openstack-images-v2.1-json-patch", "application/openstack-images-v2.0-json-patch")
_OPERATIONS = ("add", "replace", "remove")
_VALIDATORS = {name: Validator(schema) for name, schema in ATTRIBUTES.items()}
_FIELDS = {"min_disk": "min_disk_gb", "min_ram": "min_ram_mb", "os_hidden": "hidden"}


@dataclass(frozen=True, slots=True)
class _Change:
    operation: str
    name: str
    value: Any


def update(request: ApiRequest) -> dict[str, Any]:
    """PATCH /v2/images/{image_id}"""
    image_id = request.path["image_id"]
    changes = list(_changes(_parsed(request)))
    image = views.host(request).get(request.context, image_id)
    return views.image(views.host(request).update(request.context, image_id, _composed(changes, image)))


def _parsed(request: ApiRequest) -> list[Any]:
    kind = request.http.environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if kind not in _MEDIA_TYPES:
        raise Refusal(415, f"The body of a PATCH has the content type {_MEDIA_TYPES[0]}.")
    rows = json_body.parse(request.http.body_file.read())
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise errors.InvalidInput("The body is a list of objects, each with op, path and value.")
    if len(rows) > MAX_CHANGES:
        raise errors.TooLarge(f"A PATCH has at most {MAX_CHANGES} changes.")
    return rows


def _changes(rows: list[dict[str, Any]]) -> Iterator[_Change]:
    for row in rows:
        operation, path = row.get("op"), row.get("path")
        if operation is None:
            operation = next((word for word in _OPERATIONS if word in row), None)
            path = row.get(operation) if operation else None
        if operation not in _OPERATIONS or not isinstance(path, str):
            raise errors.InvalidInput("Each change has op (add, replace or remove) and path.", field="op")
        if operation != "remove" and "value" not in row:
            raise errors.InvalidInput("The change has no value.", field="value")
        yield _Change(operation, _name_of(path), row.get("value"))


def _name_of(path: str) -> str:
    """The attribute or property that a JSON pointer of one step names."""
    steps = path.split("/")
    if path.startswith("/locations"):
        raise errors.Forbidden("Where the data of an image is cannot be seen or changed.", field="locations")
    if len(steps) != 2 or steps[0] or not steps[1]:
        raise errors.InvalidInput("A path is a slash and the name of an attribute or property.", field="path")
    return steps[1].replace("~1", "/").replace("~0", "~")


def _composed(changes: list[_Change], image: Image) -> ImageUpdate:
    fields: dict[str, Any] = {}
    properties = dict(image.properties)
    for change in changes:
        if change.name in ATTRIBUTES:
            if change.operation == "remove":
                raise errors.Forbidden(f"The attribute {change.name} cannot be removed.", field=change.name)
            fields[_FIELDS.get(change.name, change.name)] = _checked(change)
        elif change.name in BASE_ATTRIBUTES:
            raise errors.Forbidden(f"The attribute {change.name} is read-only.", field=change.name)
        else:
            _change_property(properties, change)
    changed = {name: value for name, value in properties.items() if image.properties.get(name) != value}
    removed = tuple(name for name in image.properties if name not in properties)
    return ImageUpdate(**fields, set_properties=changed, remove_properties=removed)


def _checked(change: _Change) -> Any:
    _VALIDATORS[change.name].check(change.value, what=change.name)
    if change.name == "tags":
        return tuple(change.value)
    return "" if change.name == "name" and change.value is None else change.value


def _change_property(properties: dict[str, str], change: _Change) -> None:
    if change.operation != "add" and change.name not in properties:
        raise errors.Conflict(f"The image has no property {change.name[:60]}.", field=change.name[:60])
    if change.operation == "remove":
        del properties[change.name]
    elif isinstance(change.value, str):
        properties[change.name] = change.value
    else:
        raise errors.InvalidInput("The value of a property is a string.", field=change.name[:60])


ROUTES = (
    Route(
        method="PATCH",
        path="/v2/images/{image_id}",
        handler=update,
        policy="image:modify_image",
        tx=Tx.NONE,
        raw_body=True,
    ),
)
