# SPDX-License-Identifier: Apache-2.0
"""What a description may say, and who may say it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from nova import errors
from nova.context import RequestContext
from nova.domain.image import Image
from nova.image.protocol import NewImage
from nova.virt.images.inspector import DISK_FORMATS

CONTAINER_FORMATS = ("bare", "ami", "aki", "ari", "ovf", "ova", "docker", "compressed")
VISIBILITIES = ("public", "community", "shared", "private")
MAX_PROPERTIES = 128
MAX_TAGS = 128
BASE_ATTRIBUTES = frozenset(
    {
        *("id", "name", "status", "visibility", "owner", "size", "virtual_size", "checksum", "os_hash_algo"),
        *("os_hash_value", "disk_format", "container_format", "min_disk", "min_ram", "protected", "os_hidden", "tags"),
        *("created_at", "updated_at", "deleted", "deleted_at", "self", "file", "schema", "direct_url", "locations"),
        *("location", "stores", "is_public", "upload_id", "properties"),
    }
)
"""Names that no property may have: they are the service's own, in this version of the API or another."""

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def ensure_owner(context: RequestContext, image: Image) -> None:
    """Forbidden for those who see the image and do not own it."""
    if not context.is_admin and (not context.project_id or image.owner != context.project_id):
        raise errors.Forbidden("You do not own this image.", resource="image", id=image.id)


def check_visibility(context: RequestContext, visibility: str) -> None:
    """Only administrators publish: a public image is in everybody's list under a name that people trust."""
    if visibility not in VISIBILITIES:
        raise errors.InvalidInput(f"The visibility is one of {', '.join(VISIBILITIES)}.", field="visibility")
    if visibility == "public" and not context.is_admin:
        raise errors.Forbidden("Only administrators may make an image public.", rule="publicize_image")


def check_formats(
    disk_format: str | None, container_format: str | None, *, extra_formats: Collection[str] = ()
) -> None:
    """InvalidInput for formats that are not taken; *extra_formats* are, beside the usual ones."""
    taken = (*DISK_FORMATS, *sorted(extra_formats))
    if disk_format is not None and disk_format not in taken:
        raise errors.InvalidInput(f"The disk format is one of {', '.join(taken)}.", field="disk_format")
    if container_format is not None and container_format not in CONTAINER_FORMATS:
        raise errors.InvalidInput(
            f"The container format is one of {', '.join(CONTAINER_FORMATS)}.", field="container_format"
        )
    kinds = {"ami", "aki", "ari"}
    pair = {disk_format, container_format}
    if disk_format and container_format and pair & kinds and len(pair) > 1 and container_format in kinds:
        raise errors.InvalidInput("Disk format and container format do not go together.", field="container_format")


def check_properties(properties: Mapping[str, str]) -> None:
    """InvalidInput for names that are not free or not text, QuotaExceeded for too many."""
    if len(properties) > MAX_PROPERTIES:
        raise errors.QuotaExceeded(f"An image may have at most {MAX_PROPERTIES} properties.", resource="properties")
    for name, value in properties.items():
        if not 1 <= len(name) <= 255 or _CONTROL.search(name) or name != name.strip():
            raise errors.InvalidInput("The name of a property has 1 to 255 printable characters.", field=name[:60])
        if name in BASE_ATTRIBUTES:
            raise errors.Forbidden(f"The attribute {name} is set by the service and cannot be changed.", field=name)
        if len(value) > 65535 or _CONTROL.search(value):
            raise errors.InvalidInput(f"The value of the property {name} is too long or no text.", field=name)


def checked_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """The tags, each once; InvalidInput for one that is none, QuotaExceeded for too many."""
    found = tuple(dict.fromkeys(tags))
    if len(found) > MAX_TAGS:
        raise errors.QuotaExceeded(f"An image may have at most {MAX_TAGS} tags.", resource="tags")
    if any(not 1 <= len(tag) <= 255 or _CONTROL.search(tag) for tag in found):
        raise errors.InvalidInput("A tag has 1 to 255 printable characters.", field="tags")
    return found


def check_new(context: RequestContext, new: NewImage, *, extra_formats: Collection[str] = ()) -> None:
    """All that a new description must fulfil."""
    if new.id and not _ID.fullmatch(new.id):
        raise errors.InvalidInput("The id of an image is a UUID in lower case.", field="id")
    if new.owner and new.owner != context.project_id and not context.is_admin:
        raise errors.Forbidden("Only administrators make images for other projects.", field="owner")
    check_text(new.name, "name")
    check_visibility(context, new.visibility)
    check_formats(new.disk_format, new.container_format, extra_formats=extra_formats)
    check_properties(new.properties)
    check_sizes(new.min_disk_gb, new.min_ram_mb)


def check_text(text: str, field: str) -> None:
    """InvalidInput for names that are too long or have control characters."""
    if len(text) > 255 or _CONTROL.search(text):
        raise errors.InvalidInput(f"The {field} has at most 255 printable characters.", field=field)


def check_sizes(min_disk_gb: int, min_ram_mb: int) -> None:
    """InvalidInput for what no flavor can have."""
    for field, value in (("min_disk", min_disk_gb), ("min_ram", min_ram_mb)):
        if not 0 <= value <= 2**31 - 1:
            raise errors.InvalidInput(f"The value of {field} is from 0 to {2**31 - 1}.", field=field)
