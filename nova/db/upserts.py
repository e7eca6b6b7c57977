# SPDX-License-Identifier: Apache-2.0
"""Inserting rows that another transaction may be inserting at the same moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import mysql

from nova.db.new_rows import insert_unless_there
from nova.db.transaction import Transaction


def insert_missing(tx: Transaction, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert those of *rows* against which no unique constraint of *table* stands; the rest is left as it is."""
    if not rows:
        return
    if tx.dialect == "mysql":
        tx.execute(mysql.insert(table).on_duplicate_key_update(id=table.c.id), list(rows))
    else:
        tx.execute(insert_unless_there(tx, table), list(rows))
