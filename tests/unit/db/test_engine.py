# SPDX-License-Identifier: Apache-2.0
"""The suites of engine on SQLite."""

from __future__ import annotations

from tests.unit.db.contracts import engine


class TestTransactions(engine.Transactions):
    """On SQLite."""
