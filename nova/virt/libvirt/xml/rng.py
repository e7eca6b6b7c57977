# SPDX-License-Identifier: Apache-2.0
"""``<rng>``: randomness for the guest's first boot."""

from __future__ import annotations

from dataclasses import dataclass

from nova.system import xml


@dataclass(frozen=True, slots=True, kw_only=True)
class Rng:
    """The same for every guest."""

    def build(self) -> xml.Element:
        """The element."""
        root = xml.element("rng", model="virtio")
        xml.child(root, "backend", "/dev/urandom", model="random")
        return root
