# SPDX-License-Identifier: Apache-2.0
"""What an instance is made from, as a rebuild changes it."""

from __future__ import annotations

from sqlalchemy import delete, insert, update

from nova import errors
from nova.db.instances.rows import INSTANCES, SYSTEM_METADATA
from nova.db.transaction import Transaction
from nova.domain.made_from import PREFIX, MadeFrom


def set_made_from(tx: Transaction, uuid: str, made_from: MadeFrom) -> None:
    """Let the instance be made from something else; NotFound."""
    c, m = INSTANCES.c, SYSTEM_METADATA.c
    values = {
        "image_ref": made_from.image_ref or None,
        "kernel_id": made_from.kernel_id or None,
        "ramdisk_id": made_from.ramdisk_id or None,
        "updated_at": tx.now,
    }
    if tx.execute(update(INSTANCES).where(c.uuid == uuid, c.deleted == 0).values(values)).rowcount == 0:
        raise errors.NotFound.of("instance", uuid)
    tx.execute(delete(SYSTEM_METADATA).where(m.instance_uuid == uuid, m.key.startswith(PREFIX, autoescape=True)))
    rows = [
        {"instance_uuid": uuid, "key": key, "value": value, "created_at": tx.now}
        for key, value in made_from.properties.items()
    ]
    if rows:
        tx.execute(insert(SYSTEM_METADATA), rows)
