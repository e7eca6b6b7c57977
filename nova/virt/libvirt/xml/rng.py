# SPDX-License-Identifier: Apache-2.0
"""``<rng>``: randomness for the guest's first boot."""

from __future__ import annotations

from dataclasses import dataclass

from nova.system import xml


@dataclass(frozen=True, slots=True, kw_only=True)
class Rng:
    """:ivar bytes_per_period: at most; 0 is no limit"""

    bytes_per_period: int = 0
    period_ms: int = 1000

    def build(self) -> xml.Element:
        """The element."""
        root = xml.element("rng", model="virtio")
        if self.bytes_per_period:
            xml.child(root, "rate", bytes=self.bytes_per_period, period=self.period_ms)
        xml.child(root, "backend", "/dev/urandom", model="random")
        return root
