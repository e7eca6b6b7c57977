# SPDX-License-Identifier: Apache-2.0
"""The suite of server groups on SQLite."""

from __future__ import annotations

from tests.unit.db.contracts import server_groups


class TestServerGroups(server_groups.ServerGroups):
    """On SQLite."""
