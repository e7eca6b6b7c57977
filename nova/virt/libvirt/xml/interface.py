# SPDX-License-Identifier: Apache-2.0
"""``<interface>``: a network card on a bridge of the host, whose tap device has the name that the filters know."""

from __future__ import annotations

from dataclasses import dataclass

from nova.system import xml


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeInterface:
    """One card."""

    bridge: str
    mac_address: str
    tap: str
    mtu: int | None = None
    model: str = "virtio"

    def build(self) -> xml.Element:
        """The element."""
        root = xml.element("interface", type="bridge")
        xml.child(root, "mac", address=self.mac_address)
        xml.child(root, "source", bridge=self.bridge)
        xml.child(root, "target", dev=self.tap)
        xml.child(root, "model", type=self.model)
        if self.mtu:
            xml.child(root, "mtu", size=self.mtu)
        return root
