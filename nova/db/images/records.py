# SPDX-License-Identifier: Apache-2.0
"""One image's description: read, made, changed, deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from sqlalchemy import delete, insert, select
from sqlalchemy import update as update_statement

from nova import errors
from nova.db.engine import Transaction
from nova.db.images import rows
from nova.db.models.image import ImageMemberRow, ImageNumberRow, ImagePropertyRow, ImageRow, ImageTagRow
from nova.domain.image import Image

_t = rows.images


class Changes(TypedDict, total=False):
    """Columns that may change, by name."""

    name: str
    visibility: str
    disk_format: str | None
    container_format: str | None
    min_disk: int
    min_ram: int
    protected: bool
    hidden: bool
    status: str


def get(tx: Transaction, image_id: str, *, viewer: str | None) -> Image:
    """An image that *viewer* (a project; None: an administrator) may see; NotFound."""
    statement = select(_t).where(_t.c.uuid == image_id, _t.c.deleted == 0, rows.visible_to(viewer))
    row = tx.execute(statement).one_or_none()
    if row is None:
        raise errors.NotFound.of("image", image_id)
    return rows.load(tx, [row])[0]


def create(tx: Transaction, image: Image) -> None:
    """Add an image without bytes; AlreadyExists for an id that is or was in use."""
    with tx.unique(f"The image id {image.id} is or was in use.", resource="image", id=image.id):
        tx.execute(insert(ImageNumberRow).values(uuid=image.id))
    values = {
        "uuid": image.id,
        "name": image.name,
        "status": image.status,
        "visibility": image.visibility,
        "owner": image.owner,
        "disk_format": image.disk_format,
        "container_format": image.container_format,
        "min_disk": image.min_disk_gb,
        "min_ram": image.min_ram_mb,
        "protected": image.protected,
        "hidden": image.hidden,
        "created_at": tx.now,
        "updated_at": tx.now,
    }
    number = tx.execute(insert(ImageRow).values(values)).inserted_primary_key
    key = number[0] if number else 0
    _insert_properties(tx, key, image.properties)
    _insert_tags(tx, key, image.tags)


def update(tx: Transaction, image_id: str, changes: Changes, *, only_in: Iterable[str] = ()) -> None:
    """Change columns; with *only_in* only in these states, else InvalidState."""
    statement = update_statement(ImageRow).where(_t.c.uuid == image_id, _t.c.deleted == 0)
    states = tuple(only_in)
    if states:
        statement = statement.where(_t.c.status.in_(states))
    if not tx.execute(statement.values(**changes, updated_at=tx.now)).rowcount:
        raise errors.InvalidState("The image is not in a state that allows this.", resource="image", id=image_id)


def lock(tx: Transaction, image_id: str) -> None:
    """Keep others from changing the image until this transaction ends; NotFound where it is gone."""
    _key(tx, image_id)


def set_properties(tx: Transaction, image_id: str, properties: Mapping[str, str]) -> None:
    """Replace all properties."""
    key = _key(tx, image_id)
    tx.execute(delete(ImagePropertyRow).where(rows.properties.c.image_id == key))
    _insert_properties(tx, key, properties)


def set_tags(tx: Transaction, image_id: str, tags: Iterable[str]) -> None:
    """Replace all tags."""
    key = _key(tx, image_id)
    tx.execute(delete(ImageTagRow).where(rows.tags.c.image_id == key))
    _insert_tags(tx, key, tags)


def mark_deleted(tx: Transaction, image_id: str) -> None:
    """Let an unprotected image be gone: its upload stops, its claim on quota ends; NotFound or Forbidden.

    Its number stays, so that the id is never used again.
    """
    here = (_t.c.uuid == image_id, _t.c.deleted == 0)
    row = tx.execute(select(_t.c.id, _t.c.protected).where(*here).with_for_update()).one_or_none()
    if row is None:
        raise errors.NotFound.of("image", image_id)
    if row.protected:
        raise errors.Forbidden("The image is protected and cannot be deleted.", resource="image", id=image_id)
    for table in (ImageMemberRow, ImagePropertyRow, ImageTagRow):
        tx.execute(delete(table).where(table.__table__.c.image_id == row.id))
    gone: dict[str, Any] = {"deleted": row.id, "deleted_at": tx.now, "updated_at": tx.now, "status": "deleted"}
    tx.execute(update_statement(ImageRow).where(*here).values(**gone, upload_id=None, reserved_bytes=0))


def _key(tx: Transaction, image_id: str) -> int:
    key = tx.execute(select(_t.c.id).where(_t.c.uuid == image_id, _t.c.deleted == 0).with_for_update()).scalar()
    if key is None:
        raise errors.NotFound.of("image", image_id)
    return int(key)


def _insert_properties(tx: Transaction, key: int, properties: Mapping[str, str]) -> None:
    values = [{"image_id": key, "name": name, "value": value} for name, value in properties.items()]
    if values:
        tx.execute(insert(ImagePropertyRow), values)


def _insert_tags(tx: Transaction, key: int, tags: Iterable[str]) -> None:
    values = [{"image_id": key, "value": tag} for tag in dict.fromkeys(tags)]
    if values:
        tx.execute(insert(ImageTagRow), values)
