# SPDX-License-Identifier: Apache-2.0
"""Bytes on their way into the store, as the database sees them: who uploads, what is claimed of the owner's quota.

A claim first writes the owner's row, so that claims of one project come one after another and the sum that is then
compared with the limit is right, in any number of processes.  Bytes in flight count as soon as they are claimed.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select, update

from nova import errors
from nova.db.engine import Transaction
from nova.db.images import rows
from nova.db.models.image import ImageRow, ImageStoreOwnerRow

_t = rows.images
_owners = ImageStoreOwnerRow.__table__

CLAIM_STEP_BYTES = 64 * 1024**2
_NO_LIMIT = 2**62

RECEIVING = ("saving", "uploading", "importing")
"""States in which one upload owns the image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreLimits:
    """What one project may keep; None is no limit."""

    images: int | None = None
    total_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What is known of bytes that arrived whole."""

    size_bytes: int
    virtual_size_bytes: int | None
    checksum: str
    hash_algo: str
    hash_value: str


def claim_image(tx: Transaction, owner: str, limits: StoreLimits) -> None:
    """Raise QuotaExceeded unless *owner* may have one more image; holds others of the same owner until the commit."""
    _take_turn(tx, owner)
    if limits.images is None:
        return
    count = tx.execute(select(func.count()).where(_t.c.owner == owner, _t.c.deleted == 0)).scalar_one()
    if count >= limits.images:
        raise errors.QuotaExceeded(f"The project has {count} images and may not have more.", resource="images")


def begin(
    tx: Transaction, image_id: str, *, upload_id: str, status: str, bytes_expected: int, limits: StoreLimits
) -> None:
    """Make *upload_id* the one upload of a queued image, with a claim on *bytes_expected*.

    :raises errors.InvalidState: the image is not queued
    :raises errors.QuotaExceeded: there is no room for that much
    """
    owner = _owner(tx, image_id)
    _take_turn(tx, owner)
    _ensure_room(tx, owner, more=bytes_expected, limits=limits)
    here = (_t.c.uuid == image_id, _t.c.deleted == 0, _t.c.status == "queued")
    values: dict[str, Any] = {"status": status, "upload_id": upload_id, "reserved_bytes": bytes_expected}
    if not tx.execute(update(ImageRow).where(*here).values(**values, touched_at=tx.now)).rowcount:
        raise errors.InvalidState("The image has data already, or is being uploaded.", resource="image", id=image_id)


def go_on(tx: Transaction, image_id: str, *, upload_id: str, bytes_needed: int, limits: StoreLimits) -> int:
    """A sign of life of an upload that needs *bytes_needed* in all; how many it has claimed now.

    More than needed is claimed where there is room, so that not every chunk has to ask.

    :raises errors.InvalidState: the image was deleted, or the upload was taken for dead
    :raises errors.QuotaExceeded: there is no room for that much
    """
    row = tx.execute(select(_t.c.owner, _t.c.reserved_bytes).where(*_mine(image_id, upload_id))).one_or_none()
    claimed = row.reserved_bytes if row else 0
    if row is not None and bytes_needed > claimed:
        _take_turn(tx, row.owner)
        room = _ensure_room(tx, row.owner, more=bytes_needed - claimed, limits=limits)
        claimed = min(bytes_needed + CLAIM_STEP_BYTES, claimed + room)
    values = {"touched_at": tx.now, "reserved_bytes": claimed}
    _ensure_mine(tx.execute(update(ImageRow).where(*_mine(image_id, upload_id)).values(values)).rowcount, image_id)
    return int(claimed)


def finish(tx: Transaction, image_id: str, *, upload_id: str, received: Received) -> None:
    """Make the image active with what arrived; InvalidState if it is not this upload's any more."""
    values = {
        "status": "active",
        "size": received.size_bytes,
        "virtual_size": received.virtual_size_bytes,
        "checksum": received.checksum,
        "hash_algo": received.hash_algo,
        "hash_value": received.hash_value,
        "upload_id": None,
        "reserved_bytes": 0,
        "touched_at": None,
        "updated_at": tx.now,
    }
    _ensure_mine(tx.execute(update(ImageRow).where(*_mine(image_id, upload_id)).values(values)).rowcount, image_id)


def stage(tx: Transaction, image_id: str, *, upload_id: str, size_bytes: int) -> None:
    """Note that all bytes are staged; they count until the import, or until nobody came for them."""
    values = {"reserved_bytes": 0, "size": size_bytes, "touched_at": tx.now, "updated_at": tx.now}
    _ensure_mine(tx.execute(update(ImageRow).where(*_mine(image_id, upload_id)).values(values)).rowcount, image_id)


def staged_upload(tx: Transaction, image_id: str) -> str:
    """The upload whose bytes wait for their import, which begins now; InvalidState where there are none."""
    row = tx.execute(
        select(_t.c.upload_id).where(
            _t.c.uuid == image_id, _t.c.deleted == 0, _t.c.status == "uploading", _t.c.size >= 0
        )
    ).one_or_none()
    done = row and tx.execute(
        update(ImageRow)
        .where(*_mine(image_id, row.upload_id), _t.c.status == "uploading")
        .values(status="importing", touched_at=tx.now)
    )
    if row is None or not done or not done.rowcount:
        raise errors.InvalidState("The image has no staged data to import.", resource="image", id=image_id)
    return str(row.upload_id)


def give_up(tx: Transaction, image_id: str, *, upload_id: str, status: str) -> bool:
    """End an upload without bytes: the image goes to *status* and claims nothing; whether it was still this one's."""
    values = {
        "status": status,
        "upload_id": None,
        "reserved_bytes": 0,
        "size": None,
        "touched_at": None,
        "updated_at": tx.now,
    }
    return bool(tx.execute(update(ImageRow).where(*_mine(image_id, upload_id)).values(values)).rowcount)


def release_stale(tx: Transaction, *, older_than: datetime.timedelta) -> tuple[str, ...]:
    """Put images whose upload has died back to ``queued``; their ids."""
    dead = (_t.c.status.in_(RECEIVING), _t.c.deleted == 0, _t.c.touched_at < tx.now - older_than)
    found = tx.execute(select(_t.c.uuid, _t.c.upload_id).where(*dead)).all()
    return tuple(row.uuid for row in found if give_up(tx, row.uuid, upload_id=row.upload_id, status="queued"))


def files_wanted(tx: Transaction, names: list[str]) -> frozenset[str]:
    """Those of the file *names* (image ids, upload ids) in the store that some image still needs."""
    wanted: set[str] = set()
    for start in range(0, len(names), 500):
        part = names[start : start + 500]
        kept = select(_t.c.uuid, _t.c.upload_id).where(
            _t.c.deleted == 0, _t.c.uuid.in_(part) | _t.c.upload_id.in_(part)
        )
        for row in tx.execute(kept.where(_t.c.status.not_in(("queued", "killed")))):
            wanted |= {row.uuid, row.upload_id or ""}
    return frozenset(wanted)


def _mine(image_id: str, upload_id: str) -> tuple[Any, ...]:
    return (_t.c.uuid == image_id, _t.c.upload_id == upload_id, _t.c.deleted == 0)


def _ensure_mine(changed: int, image_id: str) -> None:
    if not changed:
        raise errors.InvalidState("The image was deleted during the upload.", resource="image", id=image_id)


def _owner(tx: Transaction, image_id: str) -> str:
    owner = tx.execute(select(_t.c.owner).where(_t.c.uuid == image_id, _t.c.deleted == 0)).scalar()
    if owner is None:
        raise errors.NotFound.of("image", image_id)
    return str(owner)


def _take_turn(tx: Transaction, owner: str) -> None:
    mine = update(ImageStoreOwnerRow).where(_owners.c.project_id == owner).values(claims=_owners.c.claims + 1)
    if tx.execute(mine).rowcount:
        return
    try:
        with tx.unique("The row is there."):
            tx.execute(insert(ImageStoreOwnerRow).values(project_id=owner, claims=1))
    except errors.AlreadyExists:
        tx.execute(mine)


def _ensure_room(tx: Transaction, owner: str, *, more: int, limits: StoreLimits) -> int:
    """How many bytes *owner* may still claim; QuotaExceeded where that is less than *more*."""
    if limits.total_bytes is None:
        return _NO_LIMIT
    size = func.coalesce(_t.c.size, 0)
    kept = select(func.sum(size + _t.c.reserved_bytes)).where(_t.c.owner == owner, _t.c.deleted == 0)
    room = limits.total_bytes - int(tx.execute(kept).scalar() or 0)
    if more > room:
        raise errors.QuotaExceeded(
            f"The images of the project may take {limits.total_bytes} bytes; {max(room, 0)} are left.",
            resource="image_bytes",
        )
    return room
