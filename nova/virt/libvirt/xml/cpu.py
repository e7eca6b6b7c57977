# SPDX-License-Identifier: Apache-2.0
"""``<cpu>``: which processor the guest sees."""

from __future__ import annotations

from dataclasses import dataclass

from nova.system import xml


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """:ivar mode: none (the hypervisor's default, no element), host-model or host-passthrough"""

    mode: str = "none"

    def build(self) -> xml.Element | None:
        """The element, or None."""
        return None if self.mode == "none" else xml.element("cpu", mode=self.mode)
