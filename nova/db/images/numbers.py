# SPDX-License-Identifier: Apache-2.0
"""The numbers behind ``ami-0000002a``: for images of any image service.  A number, once given, never changes."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import insert, select

from nova import errors
from nova.db.engine import Transaction
from nova.db.models.image import ImageNumberRow

_t = ImageNumberRow.__table__


def known_numbers(tx: Transaction, image_ids: Collection[str]) -> dict[str, int]:
    """The numbers of those *image_ids* that have one."""
    if not image_ids:
        return {}
    rows = tx.execute(select(_t.c.uuid, _t.c.id).where(_t.c.uuid.in_(list(image_ids))))
    return {row.uuid: row.id for row in rows}


def numbers_of(tx: Transaction, image_ids: Collection[str]) -> dict[str, int]:
    """The numbers of all *image_ids*, new ones for those that have none yet; needs a write transaction."""
    found = known_numbers(tx, image_ids)
    missing = [image_id for image_id in dict.fromkeys(image_ids) if image_id not in found]
    for image_id in missing:
        try:
            with tx.unique("The number is there."):
                tx.execute(insert(ImageNumberRow).values(uuid=image_id))
        except errors.AlreadyExists:
            continue
    return found | known_numbers(tx, missing)


def uuids_of(tx: Transaction, numbers: Collection[int]) -> dict[int, str]:
    """The image ids behind *numbers*; unknown numbers are left out."""
    if not numbers:
        return {}
    rows = tx.execute(select(_t.c.id, _t.c.uuid).where(_t.c.id.in_(list(numbers))))
    return {row.id: row.uuid for row in rows}
