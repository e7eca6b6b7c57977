# SPDX-License-Identifier: Apache-2.0
"""``<domain>``: the whole guest."""

from __future__ import annotations

from dataclasses import dataclass, field

from nova.system import xml
from nova.virt.libvirt.xml.agent import AgentChannel
from nova.virt.libvirt.xml.clock import Clock
from nova.virt.libvirt.xml.controller import ScsiController
from nova.virt.libvirt.xml.cpu import Cpu
from nova.virt.libvirt.xml.cputune import CpuTune
from nova.virt.libvirt.xml.disk import FileDisk, IscsiDisk, PathDisk
from nova.virt.libvirt.xml.graphics import Vnc
from nova.virt.libvirt.xml.interface import BridgeInterface
from nova.virt.libvirt.xml.memballoon import Memballoon
from nova.virt.libvirt.xml.metadata import Metadata
from nova.virt.libvirt.xml.os import Boot
from nova.virt.libvirt.xml.rng import Rng
from nova.virt.libvirt.xml.serial import Serial
from nova.virt.libvirt.xml.sysinfo import Sysinfo
from nova.virt.libvirt.xml.watchdog import Watchdog

Disk = FileDisk | IscsiDisk | PathDisk


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """A guest with all its parts."""

    virt_type: str
    name: str
    uuid: str
    memory_mb: int
    vcpus: int
    metadata: Metadata
    boot: Boot
    cpu: Cpu
    serial: Serial
    disks: tuple[Disk, ...] = ()
    interfaces: tuple[BridgeInterface, ...] = ()
    graphics: Vnc | None = None
    clock: Clock = field(default_factory=Clock)
    rng: Rng | None = field(default_factory=Rng)
    cpu_tune: CpuTune = field(default_factory=lambda: CpuTune(limits={}))
    scsi: ScsiController | None = None
    watchdog: Watchdog | None = None
    agent: AgentChannel | None = None

    def build(self) -> xml.Element:
        """The element."""
        root = xml.element("domain", type=self.virt_type)
        xml.child(root, "uuid", self.uuid)
        xml.child(root, "name", self.name)
        root.append(self.metadata.build())
        xml.child(root, "memory", str(self.memory_mb), unit="MiB")
        xml.child(root, "vcpu", str(self.vcpus))
        if (tune := self.cpu_tune.build()) is not None:
            root.append(tune)
        root.append(Sysinfo(uuid=self.uuid).build())
        root.append(self.boot.build())
        features = xml.child(root, "features")
        xml.child(features, "acpi")
        xml.child(features, "apic")
        for part in (self.cpu.build(), self.clock.build()):
            if part is not None:
                root.append(part)
        for event, action in (("on_poweroff", "destroy"), ("on_reboot", "restart"), ("on_crash", "destroy")):
            xml.child(root, event, action)
        root.append(self._devices())
        return root

    def text(self) -> str:
        """The document for libvirt."""
        return xml.serialize(self.build(), pretty=True)

    def _devices(self) -> xml.Element:
        devices = xml.element("devices")
        scsi = () if self.scsi is None else (self.scsi,)
        for part in (*self.disks, *scsi, *self.interfaces):
            devices.append(part.build())
        for built in self.serial.build():
            devices.append(built)
        if self.graphics is not None:
            for built in self.graphics.build():
                devices.append(built)
        for last in (self.agent, self.watchdog, Memballoon(), self.rng):
            if last is not None:
                devices.append(last.build())
        return devices
