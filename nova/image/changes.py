# SPDX-License-Identifier: Apache-2.0
"""Changes to a description, checked and written in one transaction."""

from __future__ import annotations

from collections.abc import Collection

from nova import errors
from nova.context import RequestContext
from nova.db import images
from nova.db.engine import Transaction
from nova.domain.image import Image
from nova.image import rules
from nova.image.protocol import ImageUpdate


def apply_changes(
    tx: Transaction,
    context: RequestContext,
    image: Image,
    changes: ImageUpdate,
    *,
    extra_formats: Collection[str] = (),
) -> Image:
    """Write *changes* to *image*, which the caller owns and nobody else can change now; the image as it is then."""
    disk_format = changes.disk_format or image.disk_format
    container_format = changes.container_format or image.container_format
    if (disk_format, container_format) != (image.disk_format, image.container_format) and image.status != "queued":
        raise errors.Forbidden("The formats of an image with data cannot be changed.", field="disk_format")
    rules.check_formats(disk_format, container_format, extra_formats=extra_formats)
    if changes.visibility is not None and changes.visibility != image.visibility:
        rules.check_visibility(context, changes.visibility)
    rules.check_text(changes.name or "", "name")
    min_disk = image.min_disk_gb if changes.min_disk_gb is None else changes.min_disk_gb
    min_ram = image.min_ram_mb if changes.min_ram_mb is None else changes.min_ram_mb
    rules.check_sizes(min_disk, min_ram)
    columns: images.Changes = {
        "name": image.name if changes.name is None else changes.name,
        "visibility": changes.visibility or image.visibility,
        "disk_format": disk_format,
        "container_format": container_format,
        "min_disk": min_disk,
        "min_ram": min_ram,
        "protected": image.protected if changes.protected is None else changes.protected,
        "hidden": image.hidden if changes.hidden is None else changes.hidden,
    }
    images.update(tx, image.id, columns)
    _change_nested(tx, image, changes)
    return images.get(tx, image.id, viewer=None)


def _change_nested(tx: Transaction, image: Image, changes: ImageUpdate) -> None:
    tags = [*(image.tags if changes.tags is None else changes.tags), *changes.add_tags]
    wanted_tags = rules.checked_tags(tag for tag in tags if tag not in changes.remove_tags)
    if wanted_tags != image.tags:
        images.set_tags(tx, image.id, wanted_tags)
    if changes.set_properties or changes.remove_properties:
        kept = {name: value for name, value in image.properties.items() if name not in changes.remove_properties}
        wanted = {**kept, **changes.set_properties}
        rules.check_properties(wanted)
        images.set_properties(tx, image.id, wanted)
