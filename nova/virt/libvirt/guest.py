# SPDX-License-Identifier: Apache-2.0
"""From an instance with its cards and volumes to libvirt's XML.  Runs in nova-compute; asks nobody."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from nova import errors
from nova.domain.block_device import BlockDevice
from nova.domain.instance import Instance
from nova.domain.network import Nic
from nova.virt.driver import AttachedVolume, Guest
from nova.virt.libvirt.initiators import Initiator
from nova.virt.libvirt.layout import RESCUE, DiskRecord, Layout, LocalDisk
from nova.virt.libvirt.settings import LibvirtSettings
from nova.virt.libvirt.xml.cpu import Cpu
from nova.virt.libvirt.xml.disk import FileDisk
from nova.virt.libvirt.xml.domain import Disk, Domain
from nova.virt.libvirt.xml.graphics import Vnc
from nova.virt.libvirt.xml.interface import BridgeInterface
from nova.virt.libvirt.xml.metadata import Metadata
from nova.virt.libvirt.xml.os import Boot
from nova.virt.libvirt.xml.serial import Serial

_DEVICE = re.compile(r"(?:/dev/)?(?:[svh]d|xvd)([a-z]{1,2})")


class GuestBuilder:
    """Makes domains for this host."""

    def __init__(self, settings: LibvirtSettings, *, layout: Layout, initiator: Initiator) -> None:
        self._settings = settings
        self._layout = layout
        self._initiator = initiator

    def domain(self, guest: Guest) -> Domain:
        """The whole guest.  Its volumes are connected to the host already where the host is the initiator."""
        instance, settings = guest.instance, self._settings
        record = self._layout.read_record(instance)
        if guest.rescued:
            record = _as_rescued(record)
        return Domain(
            virt_type=settings.virt_type,
            name=instance.name,
            uuid=instance.uuid,
            memory_mb=instance.flavor.memory_mb,
            vcpus=instance.flavor.vcpus,
            metadata=_metadata(instance),
            boot=self._boot(guest, record),
            cpu=Cpu(mode=settings.cpu_mode),
            serial=Serial(log_file=str(self._layout.console_log(instance))),
            disks=self._disks(guest, record),
            interfaces=tuple(map(interface, guest.nics)),
            graphics=Vnc(listen=settings.vnc_listen, keymap=settings.vnc_keymap) if settings.vnc_enabled else None,
        )

    def _boot(self, guest: Guest, record: DiskRecord) -> Boot:
        if not record.direct_boot:
            return Boot(machine=self._settings.machine)
        directory, prefix = self._layout.directory(guest.instance), f"{RESCUE}-" if guest.rescued else ""
        ramdisk = directory / f"{prefix}ramdisk"
        return Boot(
            machine=self._settings.machine,
            kernel=str(directory / f"{prefix}kernel"),
            ramdisk=str(ramdisk) if ramdisk.exists() else "",
        )

    def _disks(self, guest: Guest, record: DiskRecord) -> tuple[Disk, ...]:
        taken = {disk.target for disk in record.disks}
        disks: list[Disk] = []
        may_boot = not record.direct_boot
        for local in record.disks:
            boots = may_boot and local.name in ((RESCUE,) if guest.rescued else ("root", "cdrom"))
            order = 1 + sum(disk.boot_order is not None for disk in disks) if boots else None
            disks.append(self._local(guest.instance, local, order))
        has_boot_disk = any(disk.boot_order is not None for disk in disks)
        for volume in sorted(guest.volumes, key=_boot_first):
            target = target_of(volume.device, taken)
            taken.add(target)
            order = 1 if may_boot and not has_boot_disk and volume.device.boot_index == 0 else None
            disks.append(self._initiator.disk(volume, target=target, boot_order=order))
        return tuple(disks)

    def _local(self, instance: Instance, disk: LocalDisk, boot_order: int | None) -> FileDisk:
        return FileDisk(
            path=str(self._layout.directory(instance) / disk.name),
            format=disk.format,
            target=disk.target,
            cache=self._settings.disk_cache or self._best_cache,
            cdrom=disk.cdrom,
            boot_order=boot_order,
            backing_path=str(self._layout.bases / disk.base) if disk.base else "",
        )

    @cached_property
    def _best_cache(self) -> str:
        return "none" if has_direct_io(self._layout.instances_path) else "writethrough"


def _as_rescued(record: DiskRecord) -> DiskRecord:
    """The rescue disk, and behind it the instance's own root disk."""
    if record.rescue is None:
        raise errors.HypervisorError("The server has no rescue disk on its host.")
    own = tuple(replace(disk, target="vdb") for disk in record.disks if disk.name == "root")
    return DiskRecord(disks=record.rescue.disks + own, direct_boot=record.rescue.direct_boot)


def target_of(device: BlockDevice, taken: set[str]) -> str:
    """The guest's name for a volume: the one that its user was told, or the first free one from vdb on.

    :raises errors.InvalidInput: the name is no disk's
    """
    if device.device_name:
        match = _DEVICE.fullmatch(device.device_name)
        if match is None:
            raise errors.InvalidInput(f"{device.device_name!r} is no name of a disk.", field="device")
        return f"vd{match.group(1)}"
    if device.boot_index == 0 and "vda" not in taken:
        return "vda"
    return next(name for letter in "bcdefghijklmnopqrstuvwxyz" if (name := f"vd{letter}") not in taken)


def interface(nic: Nic) -> BridgeInterface:
    """A card's XML."""
    return BridgeInterface(bridge=nic.bridge, mac_address=nic.mac_address, tap=nic.tap, mtu=nic.mtu)


def has_direct_io(directory: Path) -> bool:
    """Whether the file system can do O_DIRECT, which QEMU's cache mode *none* needs."""
    with tempfile.NamedTemporaryFile(dir=directory, prefix=".direct-io-") as probe:
        try:
            os.close(os.open(probe.name, os.O_RDWR | os.O_DIRECT))
        except OSError:
            return False
    return True


def _boot_first(volume: AttachedVolume) -> tuple[bool, str]:
    return volume.device.boot_index != 0, volume.device.device_name


def _metadata(instance: Instance) -> Metadata:
    return Metadata(
        display_name=instance.display_name,
        project_id=instance.project_id,
        user_id=instance.user_id,
        flavor=instance.flavor.name,
    )
