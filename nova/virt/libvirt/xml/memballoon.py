# SPDX-License-Identifier: Apache-2.0
"""``<memballoon>``: tells the host how much memory the guest uses."""

from __future__ import annotations

from dataclasses import dataclass

from nova.system import xml


@dataclass(frozen=True, slots=True, kw_only=True)
class Memballoon:
    """The same for every guest."""

    def build(self) -> xml.Element:
        """The element."""
        root = xml.element("memballoon", model="virtio")
        xml.child(root, "stats", period=10)
        return root
