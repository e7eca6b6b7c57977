# SPDX-License-Identifier: Apache-2.0
"""``<interface>``: a network card on a bridge of the host, whose tap device has the name that the filters know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nova.system import xml


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeInterface:
    """One card."""

    bridge: str
    mac_address: str
    tap: str
    mtu: int | None = None
    model: str = "virtio"
    queues: int = 1
    limits: Mapping[str, int] = field(default_factory=dict)
    """``inbound_average`` and its like: KiB a second, bursts in KiB"""

    def build(self) -> xml.Element:
        """The element."""
        root = xml.element("interface", type="bridge")
        xml.child(root, "mac", address=self.mac_address)
        xml.child(root, "source", bridge=self.bridge)
        xml.child(root, "target", dev=self.tap)
        if self.model != "none":
            xml.child(root, "model", type=self.model)
        if self.queues > 1 and self.model == "virtio":
            xml.child(root, "driver", name="vhost", queues=self.queues)
        self._add_limits(root)
        if self.mtu:
            xml.child(root, "mtu", size=self.mtu)
        return root

    def _add_limits(self, root: xml.Element) -> None:
        ways = {
            way: {name.partition("_")[2]: number for name, number in self.limits.items() if name.startswith(way)}
            for way in ("inbound", "outbound")
        }
        if not any("average" in numbers for numbers in ways.values()):
            return
        bandwidth = xml.child(root, "bandwidth")
        for way, numbers in ways.items():
            if "average" in numbers:
                xml.child(bandwidth, way, **numbers)
