# SPDX-License-Identifier: Apache-2.0
"""``<channel>``: the way to an agent in the guest (https://wiki.qemu.org/Features/GuestAgent)."""

from __future__ import annotations

from dataclasses import dataclass

from nova.system import xml


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentChannel:
    """libvirt chooses the socket on the host's side."""

    def build(self) -> xml.Element:
        """The element."""
        root = xml.element("channel", type="unix")
        xml.child(root, "target", type="virtio", name="org.qemu.guest_agent.0")
        return root
