# SPDX-License-Identifier: Apache-2.0
"""The suites of networks, addresses and security groups on SQLite."""

from __future__ import annotations

from tests.unit.db.contracts import networks, security_groups


class TestAddresses(networks.Addresses):
    """Addresses."""


class TestLeases(networks.Leases):
    """Leases."""


class TestNetworks(networks.Networks):
    """Networks."""


class TestFloatingAddresses(networks.FloatingAddresses):
    """Floating addresses."""


class TestSecurityGroups(security_groups.SecurityGroups):
    """Security groups."""


class TestInstanceFilters(security_groups.InstanceFilters):
    """Filters."""
