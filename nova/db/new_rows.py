# SPDX-License-Identifier: Apache-2.0
"""Inserting a row that may be there already, without harm to the transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import mysql, postgresql, sqlite

from nova.db.transaction import Transaction


def insert_if_new(tx: Transaction, table: Table, values: Mapping[str, Any]) -> int | None:
    """The id of the new row, or None when a unique constraint stands against it (nothing is written then)."""
    if tx.dialect == "mysql":
        done = tx.execute(mysql.insert(table).values(**values).prefix_with("IGNORE"))
        return int(done.lastrowid) if done.rowcount else None
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    insert = dialect.insert(table).values(**values).on_conflict_do_nothing().returning(table.c.id)
    found = tx.execute(insert).scalar_one_or_none()
    return None if found is None else int(found)
