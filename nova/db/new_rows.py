# SPDX-License-Identifier: Apache-2.0
"""Inserting a row that may be there already, without harm to the transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table, insert

from nova.db.transaction import Transaction


def insert_if_new(tx: Transaction, table: Table, values: Mapping[str, Any]) -> int | None:
    """The id of the new row, or None when a unique constraint stands against it (nothing is written then)."""
    if tx.dialect == "mysql":
        done = tx.execute(insert(table).values(**values).prefix_with("IGNORE"))
        return int(done.lastrowid) if done.rowcount else None
    statement = insert_unless_there(tx, table).values(**values).returning(table.c.id)
    found = tx.execute(statement).scalar_one_or_none()
    return None if found is None else int(found)


def insert_unless_there(tx: Transaction, table: Table) -> Any:
    """An INSERT of SQLite or PostgreSQL that skips rows against which a unique constraint stands.

    The dialects are large, so the one that speaks here is loaded, not all.
    """
    if tx.dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table).on_conflict_do_nothing()
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table).on_conflict_do_nothing()
