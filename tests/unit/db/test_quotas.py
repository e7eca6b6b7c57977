# SPDX-License-Identifier: Apache-2.0
"""The suites of quotas on SQLite."""

from __future__ import annotations

from tests.unit.db.contracts import quotas


class TestQuotas(quotas.Quotas):
    """On SQLite."""
