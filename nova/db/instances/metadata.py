# SPDX-License-Identifier: Apache-2.0
"""Metadata of instances.  The instance's row is locked first, so that a limit on the count holds under concurrency."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Table, delete, insert, select, update

from nova import errors
from nova.db.instances.rows import INSTANCES, METADATA, SYSTEM_METADATA
from nova.db.transaction import Transaction


def merge_metadata(
    tx: Transaction, uuid: str, items: Mapping[str, str], *, limit: int, project_id: str | None = None
) -> dict[str, str]:
    """Add or change *items*; returns all there are now.

    Raises NotFound, and QuotaExceeded when more than *limit* items (-1: any number) would be stored.
    """
    _touch(tx, uuid, project_id)
    before = _items(tx, METADATA, uuid)
    return _store(tx, METADATA, uuid, before, {**before, **items}, limit)


def replace_metadata(
    tx: Transaction, uuid: str, items: Mapping[str, str], *, limit: int, project_id: str | None = None
) -> dict[str, str]:
    """Make *items* all the metadata that there is; raises like :func:`merge_metadata`."""
    _touch(tx, uuid, project_id)
    return _store(tx, METADATA, uuid, _items(tx, METADATA, uuid), dict(items), limit)


def delete_metadata_item(tx: Transaction, uuid: str, key: str, *, project_id: str | None = None) -> None:
    """Remove one item; NotFound when the instance or the item is not there."""
    _touch(tx, uuid, project_id)
    doomed = delete(METADATA).where(METADATA.c.instance_uuid == uuid, METADATA.c.key == key)
    if tx.execute(doomed).rowcount == 0:
        raise errors.NotFound("Metadata item was not found", resource="metadata item", id=key)


def set_system_metadata(tx: Transaction, uuid: str, items: Mapping[str, str]) -> None:
    """Add or change items of what the cloud itself notes; raises NotFound."""
    _touch(tx, uuid, None)
    before = _items(tx, SYSTEM_METADATA, uuid)
    _store(tx, SYSTEM_METADATA, uuid, before, {**before, **items}, -1)


def delete_system_metadata(tx: Transaction, uuid: str, keys: Collection[str]) -> None:
    """Remove items of what the cloud itself notes; those that are not there do no harm.  Raises NotFound."""
    _touch(tx, uuid, None)
    c = SYSTEM_METADATA.c
    tx.execute(delete(SYSTEM_METADATA).where(c.instance_uuid == uuid, c.key.in_(sorted(keys))))


def add_system_metadata(tx: Transaction, uuid: str, items: Mapping[str, str]) -> bool:
    """Add items unless one of them is there already, in which case nothing changes; whether it was done.  NotFound."""
    _touch(tx, uuid, None)
    before = _items(tx, SYSTEM_METADATA, uuid)
    if before.keys() & items.keys():
        return False
    _store(tx, SYSTEM_METADATA, uuid, before, {**before, **items}, -1)
    return True


def _touch(tx: Transaction, uuid: str, project_id: str | None) -> None:
    """Lock the instance's row, which also notes the time of the change."""
    c = INSTANCES.c
    scope = [] if project_id is None else [c.project_id == project_id]
    touched = update(INSTANCES).where(c.uuid == uuid, c.deleted == 0, *scope).values(updated_at=tx.now)
    if tx.execute(touched).rowcount == 0:
        raise errors.NotFound.of("instance", uuid)


def _items(tx: Transaction, table: Table, uuid: str) -> dict[str, str]:
    chosen = select(table.c.key, table.c.value).where(table.c.instance_uuid == uuid)
    return {row.key: row.value for row in tx.execute(chosen)}


def _store(
    tx: Transaction, table: Table, uuid: str, before: dict[str, str], after: dict[str, str], limit: int
) -> dict[str, str]:
    if limit >= 0 and len(after) > max(limit, len(before) if after.keys() <= before.keys() else limit):
        raise errors.QuotaExceeded(
            f"Maximum number of metadata items exceeds {limit}", resource="metadata_items", limit=limit
        )
    changed = {key: value for key, value in after.items() if before.get(key) != value}
    gone = [key for key in before if key not in after or key in changed]
    if gone:
        tx.execute(delete(table).where(table.c.instance_uuid == uuid, table.c.key.in_(gone)))
    if changed:
        rows = [
            {"instance_uuid": uuid, "key": key, "value": value, "created_at": tx.now} for key, value in changed.items()
        ]
        tx.execute(insert(table), rows)
    return after
