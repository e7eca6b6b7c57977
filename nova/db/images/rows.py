# SPDX-License-Identifier: Apache-2.0
"""From rows to images, and who sees which row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, exists, or_, select, true

from nova.db.engine import Transaction
from nova.db.models.image import ImageMemberRow, ImagePropertyRow, ImageRow, ImageTagRow
from nova.domain.image import Image

images = ImageRow.__table__
properties = ImagePropertyRow.__table__
tags = ImageTagRow.__table__
members = ImageMemberRow.__table__


def visible_to(viewer: str | None) -> ColumnElement[bool]:
    """The condition for an image that *viewer* (a project; None: an administrator) may know of by its id."""
    if viewer is None:
        return true()
    return or_(
        images.c.visibility.in_(("public", "community")),
        images.c.owner == viewer,
        images.c.visibility.in_(("shared",)) & is_member(viewer),
    )


def is_member(project_id: str, status: str | None = None) -> ColumnElement[bool]:
    """The condition for an image that is shared with *project_id*."""
    same = (members.c.image_id == images.c.id) & (members.c.project_id == project_id)
    if status is not None:
        same = same & (members.c.status == status)
    return exists(select(members.c.image_id).where(same))


def load(tx: Transaction, rows: Sequence[Row[Any]]) -> tuple[Image, ...]:
    """The images of *rows*, with properties and tags: two statements more, however many they are."""
    ids = [row.id for row in rows]
    if not ids:
        return ()
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for row in tx.execute(select(properties).where(properties.c.image_id.in_(ids))):
        found[row.image_id][row.name] = row.value
    tagged: dict[int, list[str]] = defaultdict(list)
    for row in tx.execute(select(tags).where(tags.c.image_id.in_(ids)).order_by(tags.c.value)):
        tagged[row.image_id].append(row.value)
    return tuple(_image(row, found[row.id], tagged[row.id]) for row in rows)


def _image(row: Row[Any], found: dict[str, str], tagged: list[str]) -> Image:
    return Image(
        id=row.uuid,
        name=row.name or "",
        status=row.status,
        visibility=row.visibility,
        owner=row.owner,
        size_bytes=row.size,
        virtual_size_bytes=row.virtual_size,
        checksum=row.checksum,
        hash_algo=row.hash_algo,
        hash_value=row.hash_value,
        disk_format=row.disk_format,
        container_format=row.container_format,
        min_disk_gb=row.min_disk,
        min_ram_mb=row.min_ram,
        protected=row.protected,
        hidden=row.hidden,
        tags=tuple(tagged),
        properties=found,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
