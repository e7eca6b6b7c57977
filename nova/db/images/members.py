# SPDX-License-Identifier: Apache-2.0
"""Projects with which an image is shared."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, update

from nova import errors
from nova.db.engine import Transaction
from nova.db.images import rows
from nova.db.models.image import ImageMemberRow

_t = rows.members


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One project and whether it took the offer: pending, accepted or rejected."""

    project_id: str
    status: str
    created_at: datetime.datetime | None
    updated_at: datetime.datetime | None


def of_image(tx: Transaction, image_id: str) -> tuple[Member, ...]:
    """All members, by project."""
    statement = (
        select(_t).join(rows.images, rows.images.c.id == _t.c.image_id).where(rows.images.c.uuid == image_id)
    ).order_by(_t.c.project_id)
    return tuple(
        Member(project_id=row.project_id, status=row.status, created_at=row.created_at, updated_at=row.updated_at)
        for row in tx.execute(statement)
    )


def add(tx: Transaction, image_id: str, project_id: str, *, most: int) -> None:
    """Offer the image to a project; AlreadyExists, or QuotaExceeded beyond *most* members."""
    key = select(rows.images.c.id).where(rows.images.c.uuid == image_id, rows.images.c.deleted == 0)
    number = tx.execute(key.with_for_update()).scalar_one()
    count = tx.execute(select(func.count()).where(_t.c.image_id == number)).scalar_one()
    if count >= most:
        raise errors.QuotaExceeded(f"An image may have at most {most} members.", resource="image_members")
    values = {"image_id": number, "project_id": project_id, "status": "pending"}
    with tx.unique("The image is shared with that project already.", resource="member"):
        tx.execute(insert(ImageMemberRow).values(**values, created_at=tx.now, updated_at=tx.now))


def set_status(tx: Transaction, image_id: str, project_id: str, status: str) -> None:
    """Accept, reject or leave open; NotFound for no member."""
    here = (_t.c.image_id == _number(image_id), _t.c.project_id == project_id)
    if not tx.execute(update(ImageMemberRow).where(*here).values(status=status, updated_at=tx.now)).rowcount:
        raise errors.NotFound.of("member", project_id)


def remove(tx: Transaction, image_id: str, project_id: str) -> None:
    """Share no longer; NotFound for no member."""
    here = (_t.c.image_id == _number(image_id), _t.c.project_id == project_id)
    if not tx.execute(delete(ImageMemberRow).where(*here)).rowcount:
        raise errors.NotFound.of("member", project_id)


def _number(image_id: str) -> object:
    return select(rows.images.c.id).where(rows.images.c.uuid == image_id).scalar_subquery()
