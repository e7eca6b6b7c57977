# SPDX-License-Identifier: Apache-2.0
"""``<cputune>``: the guest's share of the host's processors, through control groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nova.system import xml


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuTune:
    """:ivar limits: ``shares``, ``period`` and ``quota`` (the last two in microseconds)"""

    limits: Mapping[str, int]

    def build(self) -> xml.Element | None:
        """The element, or None where nothing is limited."""
        if not self.limits:
            return None
        root = xml.element("cputune")
        for name, number in self.limits.items():
            xml.child(root, name, str(number))
        return root
