# SPDX-License-Identifier: Apache-2.0
"""The instances' suites on SQLite."""

from __future__ import annotations

from tests.unit.db.contracts import instances


class TestRecords(instances.InstanceRecords):
    """Rows."""


class TestStates(instances.InstanceStates):
    """States."""


class TestMetadata(instances.InstanceMetadata):
    """Metadata."""


class TestSearch(instances.InstanceSearch):
    """Lists."""
