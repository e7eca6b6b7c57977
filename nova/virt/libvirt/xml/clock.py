# SPDX-License-Identifier: Apache-2.0
"""``<clock>``: UTC, with the timers that keep time in a guest whose host is busy."""

from __future__ import annotations

from dataclasses import dataclass

from nova.system import xml


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """:ivar hpet: a timer that few guests want"""

    hpet: bool = False

    def build(self) -> xml.Element:
        """The element."""
        root = xml.element("clock", offset="utc")
        xml.child(root, "timer", name="pit", tickpolicy="delay")
        xml.child(root, "timer", name="rtc", tickpolicy="catchup")
        xml.child(root, "timer", name="hpet", present="yes" if self.hpet else "no")
        return root
