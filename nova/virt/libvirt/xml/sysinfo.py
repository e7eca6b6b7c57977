# SPDX-License-Identifier: Apache-2.0
"""``<sysinfo>``: what the guest reads from SMBIOS.  The serial is the instance's, so nothing of the host's shows."""

from __future__ import annotations

from dataclasses import dataclass

from nova.system import xml


@dataclass(frozen=True, slots=True, kw_only=True)
class Sysinfo:
    """The tables for one instance."""

    uuid: str

    def build(self) -> xml.Element:
        """The element."""
        root = xml.element("sysinfo", type="smbios")
        system = xml.child(root, "system")
        entries = (
            ("manufacturer", "Nova"),
            ("product", "OpenStack Nova"),
            ("serial", self.uuid),
            ("uuid", self.uuid),
            ("family", "Virtual Machine"),
        )
        for name, value in entries:
            xml.child(system, "entry", value, name=name)
        return root
