# SPDX-License-Identifier: Apache-2.0
"""``<domain type='lxc'>``: a container, whose root is a directory of the host (https://libvirt.org/drvlxc.html)."""

from __future__ import annotations

from dataclasses import dataclass

from nova.system import xml
from nova.virt.libvirt.xml.interface import BridgeInterface
from nova.virt.libvirt.xml.metadata import Metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class IdMap:
    """Users and groups inside, from 0 on, are those outside from these on."""

    user: int
    group: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container with all its parts."""

    name: str
    uuid: str
    memory_mb: int
    vcpus: int
    metadata: Metadata
    root: str
    log_file: str
    """Where its console is kept; libvirt only notes it here"""
    users: IdMap
    init: str = "/sbin/init"
    interfaces: tuple[BridgeInterface, ...] = ()

    def build(self) -> xml.Element:
        """The element."""
        root = xml.element("domain", type="lxc")
        xml.child(root, "uuid", self.uuid)
        xml.child(root, "name", self.name)
        root.append(self.metadata.build())
        xml.child(root, "memory", str(self.memory_mb), unit="MiB")
        xml.child(root, "vcpu", str(self.vcpus))
        system = xml.child(root, "os")
        xml.child(system, "type", "exe")
        xml.child(system, "init", self.init)
        users = xml.child(root, "idmap")
        for kind, first in (("uid", self.users.user), ("gid", self.users.group)):
            xml.child(users, kind, start=0, target=first, count=self.users.count)
        xml.child(xml.child(root, "features"), "privnet")
        for event, action in (("on_poweroff", "destroy"), ("on_reboot", "restart"), ("on_crash", "destroy")):
            xml.child(root, event, action)
        devices = xml.child(root, "devices")
        files = xml.child(devices, "filesystem", type="mount", accessmode="passthrough")
        xml.child(files, "source", dir=self.root)
        xml.child(files, "target", dir="/")
        for interface in self.interfaces:
            devices.append(interface.build())
        console = xml.child(devices, "console", type="pty")
        xml.child(console, "log", file=self.log_file, append="on")
        return root

    def text(self) -> str:
        """The document for libvirt."""
        return xml.serialize(self.build(), pretty=True)
