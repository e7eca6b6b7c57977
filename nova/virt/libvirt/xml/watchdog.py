# SPDX-License-Identifier: Apache-2.0
"""``<watchdog>``: does something to a guest that has stopped to reset it."""

from __future__ import annotations

from dataclasses import dataclass

from nova.system import xml


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchdog:
    """:ivar action: reset, poweroff, pause or none"""

    action: str

    def build(self) -> xml.Element:
        """The element."""
        return xml.element("watchdog", model="i6300esb", action=self.action)
