# SPDX-License-Identifier: Apache-2.0
"""Between our words for images and those of the image API v2: rows in, queries and patches out.  No I/O."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from nova import errors
from nova.domain.image import Image
from nova.image.protocol import ImageFilters, ImageMember, ImageUpdate, Page
from nova.image.rules import BASE_ATTRIBUTES


def image_of(row: Any) -> Image:
    """The image that the service describes; Unavailable for an answer that is no image."""
    if not isinstance(row, dict) or not isinstance(row.get("id"), str):
        raise errors.Unavailable("The image service sent an answer that is no image.")
    properties = {name: value for name, value in row.items() if name not in BASE_ATTRIBUTES and isinstance(value, str)}
    return Image(
        id=row["id"],
        name=row.get("name") or "",
        status=row.get("status", "unknown"),
        visibility=row.get("visibility", "private"),
        owner=row.get("owner") or "",
        size_bytes=row.get("size"),
        virtual_size_bytes=row.get("virtual_size"),
        checksum=row.get("checksum"),
        hash_algo=row.get("os_hash_algo"),
        hash_value=row.get("os_hash_value"),
        disk_format=row.get("disk_format"),
        container_format=row.get("container_format"),
        min_disk_gb=row.get("min_disk") or 0,
        min_ram_mb=row.get("min_ram") or 0,
        protected=bool(row.get("protected")),
        hidden=bool(row.get("os_hidden")),
        tags=tuple(row.get("tags") or ()),
        properties=properties,
        created_at=_moment(row.get("created_at")),
        updated_at=_moment(row.get("updated_at")),
    )


def _moment(text: Any) -> datetime.datetime | None:
    try:
        return datetime.datetime.fromisoformat(text).astimezone(datetime.UTC).replace(tzinfo=None)
    except (TypeError, ValueError):
        return None


def rows_of(answer: Any) -> list[Any]:
    rows = answer.get("images") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise errors.Unavailable("The image service sent an answer that is no list of images.")
    return rows


def member_of(row: Mapping[str, Any]) -> ImageMember:
    return ImageMember(
        image_id=str(row.get("image_id", "")),
        project_id=str(row.get("member_id", "")),
        status=str(row.get("status", "pending")),
        created_at=_moment(row.get("created_at")),
        updated_at=_moment(row.get("updated_at")),
    )


def query_of(filters: ImageFilters) -> Iterator[tuple[str, str]]:
    several = (
        ("id", filters.ids),
        ("name", filters.names),
        ("status", filters.statuses),
        ("disk_format", filters.disk_formats),
        ("container_format", filters.container_formats),
    )
    for name, values in several:
        if values is not None:
            yield name, "in:" + ",".join('"' + value.replace('"', '""') + '"' for value in values)
    single = {
        "visibility": filters.visibility,
        "owner": filters.owner,
        "size_min": filters.size_min,
        "size_max": filters.size_max,
        "min_ram": filters.min_ram_mb,
        "min_disk": filters.min_disk_gb,
        "checksum": filters.checksum,
        "os_hash_value": filters.hash_value,
        **filters.properties,
    }
    yield from ((name, str(value)) for name, value in single.items() if value is not None)
    yield from (("tag", tag) for tag in filters.tags)
    if filters.protected is not None:
        yield "protected", str(filters.protected).lower()
    if filters.hidden:
        yield "os_hidden", "true"
    if filters.member_status != "accepted":
        yield "member_status", filters.member_status
    if filters.changed_since is not None:
        yield "updated_at", f"gte:{filters.changed_since.isoformat(timespec='seconds')}Z"


def order_of(page: Page) -> Iterator[tuple[str, str]]:
    yield "sort", ",".join(f"{key}:{'asc' if ascending else 'desc'}" for key, ascending in page.sort)


def patch_of(image: Image, changes: ImageUpdate) -> Iterator[dict[str, Any]]:
    attributes = {
        "name": changes.name,
        "visibility": changes.visibility,
        "disk_format": changes.disk_format,
        "container_format": changes.container_format,
        "min_disk": changes.min_disk_gb,
        "min_ram": changes.min_ram_mb,
        "protected": changes.protected,
        "os_hidden": changes.hidden,
        "tags": _tags(image, changes),
    }
    for name, value in attributes.items():
        if value is not None:
            yield {"op": "replace", "path": f"/{name}", "value": value}
    for name in changes.remove_properties:
        if name in image.properties and name not in changes.set_properties:
            yield {"op": "remove", "path": _pointer(name)}
    for name, value in changes.set_properties.items():
        yield {"op": "replace" if name in image.properties else "add", "path": _pointer(name), "value": value}


def _tags(image: Image, changes: ImageUpdate) -> list[str] | None:
    if changes.tags is None and not changes.add_tags and not changes.remove_tags:
        return None
    kept = [*(image.tags if changes.tags is None else changes.tags), *changes.add_tags]
    return list(dict.fromkeys(tag for tag in kept if tag not in changes.remove_tags))


def _pointer(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")
