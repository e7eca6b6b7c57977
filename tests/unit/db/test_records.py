# SPDX-License-Identifier: Apache-2.0
"""The suites of records on SQLite."""

from __future__ import annotations

from tests.unit.db.contracts import records


class TestFlavors(records.Flavors):
    """On SQLite."""


class TestOperations(records.Operations):
    """On SQLite."""


class TestFaults(records.Faults):
    """On SQLite."""


class TestBlockDevices(records.BlockDevices):
    """On SQLite."""
