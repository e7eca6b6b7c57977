# SPDX-License-Identifier: Apache-2.0
"""``<graphics>``: VNC, reachable from this host (or where the operator says), on a port that QEMU picks."""

from __future__ import annotations

from dataclasses import dataclass

from nova.system import xml


@dataclass(frozen=True, slots=True, kw_only=True)
class Vnc:
    """A VNC server, and the screen and pointer that it needs."""

    listen: str = "127.0.0.1"
    keymap: str = ""
    video: str = "vga"
    video_ram_mb: int = 0
    """0 is QEMU's own choice"""
    tablet: bool = False
    """Whether the pointer is where the viewer's is"""

    def build(self) -> tuple[xml.Element, ...]:
        """The elements."""
        graphics = xml.element("graphics", type="vnc", port=-1, autoport="yes", keymap=self.keymap or None)
        xml.child(graphics, "listen", type="address", address=self.listen)
        video = xml.element("video")
        xml.child(video, "model", type=self.video, vram=self.video_ram_mb * 1024 or None)
        tablet = (xml.element("input", type="tablet", bus="usb"),) if self.tablet else ()
        return (*tablet, graphics, video)
