# SPDX-License-Identifier: Apache-2.0
"""``<serial>`` and ``<console>``: a terminal whose output also goes to a file, kept over restarts of the guest.

The file is written by virtlogd, which bounds it (2 MiB, and three older pieces beside it).
"""

from __future__ import annotations

from dataclasses import dataclass

from nova.system import xml


@dataclass(frozen=True, slots=True, kw_only=True)
class Serial:
    """The first serial port."""

    log_file: str

    def build(self) -> tuple[xml.Element, xml.Element]:
        """The port and its role as the console."""
        port = xml.element("serial", type="pty")
        xml.child(port, "target", port=0)
        xml.child(port, "log", file=self.log_file, append="on")
        console = xml.element("console", type="pty")
        xml.child(console, "target", type="serial", port=0)
        return port, console
