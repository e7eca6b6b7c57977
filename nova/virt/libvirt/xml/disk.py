# SPDX-License-Identifier: Apache-2.0
"""``<disk>``: a file of the instance, or a volume over iSCSI through QEMU's own initiator or through the host's.

The format is always written down: QEMU and libvirt never guess it from what a guest wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nova.system import xml

PREFIXES = {"virtio": "vd", "ide": "hd"}
"""How names on a bus begin; ``sd`` on all others."""


def target_on(bus: str, name: str) -> str:
    """The name of a disk on *bus*, with the letter of *name*: ``sdb`` for ``vdb`` on scsi."""
    return PREFIXES.get(bus, "sd") + name[2:]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDisk:
    """A file in the instance's directory."""

    path: str
    format: str
    target: str
    cache: str = "none"
    cdrom: bool = False
    bus: str = "virtio"
    boot_order: int | None = None
    limits: Mapping[str, int] = field(default_factory=dict)
    """``read_bytes_sec`` and its like"""
    backing_path: str = ""
    """The base below an overlay, always raw; given so that libvirt need not open the overlay to learn of it"""

    def build(self) -> xml.Element:
        """The element."""
        root = xml.element("disk", type="file", device="cdrom" if self.cdrom else "disk")
        discard = None if self.cdrom else "unmap"
        xml.child(root, "driver", name="qemu", type=self.format, cache=self.cache, discard=discard)
        xml.child(root, "source", file=self.path)
        if self.backing_path:
            backing = xml.child(root, "backingStore", type="file")
            xml.child(backing, "format", type="raw")
            xml.child(backing, "source", file=self.backing_path)
            xml.child(backing, "backingStore")
        else:
            xml.child(root, "backingStore")
        _finish(root, self.target, bus=self.bus, boot_order=self.boot_order, limits=self.limits)
        if self.cdrom:
            xml.child(root, "readonly")
        return root


@dataclass(frozen=True, slots=True, kw_only=True)
class IscsiDisk:
    """A volume that QEMU reaches itself.  The password is in a libvirt secret; only the secret's id is here."""

    iqn: str
    lun: int
    address: str
    port: int
    target: str
    serial: str
    username: str = ""
    secret_uuid: str = ""
    initiator: str = ""
    """The name that QEMU logs in with; the target lets only this one in"""
    bus: str = "virtio"
    boot_order: int | None = None
    limits: Mapping[str, int] = field(default_factory=dict)

    def build(self) -> xml.Element:
        """The element."""
        root = xml.element("disk", type="network", device="disk")
        xml.child(root, "driver", name="qemu", type="raw", cache="none")
        source = xml.child(root, "source", protocol="iscsi", name=f"{self.iqn}/{self.lun}")
        xml.child(source, "host", name=self.address, port=self.port)
        if self.secret_uuid:
            auth = xml.child(source, "auth", username=self.username)
            xml.child(auth, "secret", type="iscsi", uuid=self.secret_uuid)
        if self.initiator:
            xml.child(xml.child(source, "initiator"), "iqn", name=self.initiator)
        _finish(root, self.target, bus=self.bus, serial=self.serial, boot_order=self.boot_order, limits=self.limits)
        return root


@dataclass(frozen=True, slots=True, kw_only=True)
class PathDisk:
    """A volume that is a block device of the host."""

    path: str
    target: str
    serial: str
    bus: str = "virtio"
    boot_order: int | None = None
    limits: Mapping[str, int] = field(default_factory=dict)

    def build(self) -> xml.Element:
        """The element."""
        root = xml.element("disk", type="block", device="disk")
        xml.child(root, "driver", name="qemu", type="raw", cache="none", io="native")
        xml.child(root, "source", dev=self.path)
        _finish(root, self.target, bus=self.bus, serial=self.serial, boot_order=self.boot_order, limits=self.limits)
        return root


def _finish(
    root: xml.Element,
    target: str,
    *,
    bus: str,
    serial: str = "",
    boot_order: int | None = None,
    limits: Mapping[str, int],
) -> None:
    xml.child(root, "target", dev=target, bus=bus)
    if limits:
        tune = xml.child(root, "iotune")
        for name, number in limits.items():
            xml.child(tune, name, str(number))
    if serial:
        xml.child(root, "serial", serial)
    if boot_order is not None:
        xml.child(root, "boot", order=boot_order)
