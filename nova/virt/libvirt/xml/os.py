# SPDX-License-Identifier: Apache-2.0
"""``<os>``: what the guest boots, from its first disk or from a kernel of its image."""

from __future__ import annotations

from dataclasses import dataclass

from nova.system import xml

COMMAND_LINE = "root=/dev/vda console=ttyS0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """Firmware and kernel.  Without *kernel* the firmware boots the disk whose ``boot_order`` is 1."""

    machine: str = ""
    kernel: str = ""
    ramdisk: str = ""
    command_line: str = COMMAND_LINE
    uefi: bool = False
    menu: bool = False

    def build(self) -> xml.Element:
        """The element."""
        root = xml.element("os", firmware="efi" if self.uefi else None)
        xml.child(root, "type", "hvm", machine=self.machine or None)
        if self.kernel:
            xml.child(root, "kernel", self.kernel)
            if self.ramdisk:
                xml.child(root, "initrd", self.ramdisk)
            xml.child(root, "cmdline", self.command_line)
        if self.menu:
            xml.child(root, "bootmenu", enable="yes")
        xml.child(root, "smbios", mode="sysinfo")
        return root
