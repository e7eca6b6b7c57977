# SPDX-License-Identifier: Apache-2.0
"""The suites of hosts on SQLite."""

from __future__ import annotations

from tests.unit.db.contracts import hosts


class TestServices(hosts.Services):
    """On SQLite."""


class TestComputeNodes(hosts.ComputeNodes):
    """On SQLite."""


class TestAggregates(hosts.Aggregates):
    """On SQLite."""
