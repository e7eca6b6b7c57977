# SPDX-License-Identifier: Apache-2.0
"""No filters, for a cloud whose network service filters itself, and for tests."""

from __future__ import annotations

from nova.domain.network import Nic
from nova.domain.security_group import InstanceFilter


class NoFilters:
    """Does nothing (``nova.virt.driver.Filters``)."""

    def apply(self, filters: tuple[tuple[InstanceFilter, tuple[Nic, ...]], ...]) -> None:
        """Nothing."""

    def retain(self, instance_uuids: frozenset[str]) -> None:
        """Nothing."""

    def remove(self, instance_uuid: str) -> None:
        """Nothing."""
