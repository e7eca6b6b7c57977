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
from nova.domain.guest_hardware import GuestHardware, hardware_of
from nova.domain.instance import Instance
from nova.domain.network import Nic
from nova.system import xml
from nova.virt.driver import AttachedVolume, Guest
from nova.virt.libvirt.initiators import DiskPlace, Initiator
from nova.virt.libvirt.layout import CONFIG_DRIVE, RESCUE, DiskRecord, Layout, LocalDisk
from nova.virt.libvirt.settings import LibvirtSettings
from nova.virt.libvirt.xml.agent import AgentChannel
from nova.virt.libvirt.xml.clock import Clock
from nova.virt.libvirt.xml.container import Container
from nova.virt.libvirt.xml.controller import ScsiController
from nova.virt.libvirt.xml.cpu import Cpu
from nova.virt.libvirt.xml.cputune import CpuTune
from nova.virt.libvirt.xml.disk import FileDisk, target_on
from nova.virt.libvirt.xml.domain import Disk, Domain
from nova.virt.libvirt.xml.graphics import Vnc
from nova.virt.libvirt.xml.interface import BridgeInterface
from nova.virt.libvirt.xml.metadata import Metadata
from nova.virt.libvirt.xml.os import COMMAND_LINE, Boot
from nova.virt.libvirt.xml.rng import Rng
from nova.virt.libvirt.xml.serial import Serial
from nova.virt.libvirt.xml.watchdog import Watchdog

_DEVICE = re.compile(r"(?:/dev/)?(?:[svh]d|xvd)([a-z]{1,2})")


class GuestBuilder:
    """Makes domains for this host."""

    def __init__(self, settings: LibvirtSettings, *, layout: Layout, initiator: Initiator) -> None:
        self._settings = settings
        self._layout = layout
        self._initiator = initiator

    def domain(self, guest: Guest) -> Domain | Container:
        """The whole guest.  Its volumes are connected to the host already where the host is the initiator."""
        instance, settings = guest.instance, self._settings
        record = self._layout.read_record(instance)
        if guest.rescued:
            record = _as_rescued(record)
        hardware = hardware_of(instance)
        disks = self._disks(guest, record, hardware)
        return Domain(
            virt_type=settings.virt_type,
            name=instance.name,
            uuid=instance.uuid,
            memory_mb=instance.flavor.memory_mb,
            vcpus=instance.flavor.vcpus,
            metadata=metadata_of(instance),
            boot=self._boot(guest, record, hardware),
            cpu=Cpu(mode=settings.cpu_mode, model=settings.cpu_model, topology=hardware.topology),
            serial=Serial(log_file=str(self._layout.console_log(instance))),
            disks=disks,
            interfaces=tuple(self.interface(nic, hardware) for nic in guest.nics),
            graphics=self._graphics(hardware),
            clock=Clock(hpet=hardware.has_hpet),
            rng=Rng(bytes_per_period=hardware.rng_bytes, period_ms=hardware.rng_period_ms)
            if hardware.has_rng
            else None,
            cpu_tune=CpuTune(limits=hardware.cpu_limits),
            scsi=ScsiController(model=hardware.scsi_model) if any(disk.bus == "scsi" for disk in disks) else None,
            watchdog=Watchdog(action=hardware.watchdog) if hardware.watchdog != "disabled" else None,
            agent=AgentChannel() if hardware.has_guest_agent else None,
        )

    def card(self, guest: Guest, nic: Nic) -> str:
        """The document of one card, to be plugged into a guest that runs."""
        return xml.serialize(self.interface(nic, hardware_of(guest.instance)).build())

    def interface(self, nic: Nic, hardware: GuestHardware) -> BridgeInterface:
        """A card's XML."""
        return BridgeInterface(
            bridge=nic.bridge,
            mac_address=nic.mac_address,
            tap=nic.tap,
            mtu=nic.mtu,
            model=hardware.nic_model or self._settings.nic_model,
            queues=hardware.nic_queues,
            limits=hardware.nic_limits,
        )

    def _graphics(self, hardware: GuestHardware) -> Vnc | None:
        settings = self._settings
        if not settings.vnc_enabled:
            return None
        return Vnc(
            listen=settings.vnc_listen,
            keymap=settings.vnc_keymap,
            video=hardware.video_model,
            video_ram_mb=hardware.video_ram_mb,
            tablet=hardware.pointer == "usbtablet" or (settings.use_usb_tablet and not hardware.pointer),
        )

    def _boot(self, guest: Guest, record: DiskRecord, hardware: GuestHardware) -> Boot:
        boot = Boot(
            machine=hardware.machine or self._settings.machine,
            uefi=hardware.firmware == "uefi",
            menu=hardware.has_boot_menu,
        )
        if not record.direct_boot:
            return boot
        directory, prefix = self._layout.directory(guest.instance), f"{RESCUE}-" if guest.rescued else ""
        ramdisk = directory / f"{prefix}ramdisk"
        return replace(
            boot,
            command_line=hardware.command_line or COMMAND_LINE,
            kernel=str(directory / f"{prefix}kernel"),
            ramdisk=str(ramdisk) if ramdisk.exists() else "",
        )

    def _disks(self, guest: Guest, record: DiskRecord, hardware: GuestHardware) -> tuple[Disk, ...]:
        taken = {disk.target for disk in record.disks}
        disks: list[Disk] = []
        may_boot = not record.direct_boot
        for local in record.disks:
            boots = may_boot and local.name in ((RESCUE,) if guest.rescued else ("root", "cdrom"))
            order = 1 + sum(disk.boot_order is not None for disk in disks) if boots else None
            disks.append(self._local(guest.instance, local, order, hardware))
        has_boot_disk = any(disk.boot_order is not None for disk in disks)
        for volume in sorted(guest.volumes, key=_boot_first):
            target = target_of(volume.device, taken)
            taken.add(target)
            order = 1 if may_boot and not has_boot_disk and volume.device.boot_index == 0 else None
            place = place_of(volume.device, target, hardware)
            disks.append(self._initiator.disk(volume, place=place, boot_order=order))
        return tuple(disks)

    def _local(self, instance: Instance, disk: LocalDisk, boot_order: int | None, hardware: GuestHardware) -> FileDisk:
        bus = hardware.cdrom_bus if disk.cdrom else disk.bus or hardware.disk_bus
        return FileDisk(
            path=str(self._layout.directory(instance) / disk.name),
            format=disk.format,
            target=_place_for(disk, bus, hardware),
            bus=bus,
            limits={} if disk.cdrom else hardware.disk_limits,
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
    drive = tuple(disk for disk in record.disks if disk.name == CONFIG_DRIVE)
    return DiskRecord(disks=record.rescue.disks + own + drive, direct_boot=record.rescue.direct_boot)


def _place_for(disk: LocalDisk, bus: str, hardware: GuestHardware) -> str:
    """The disk's name in the guest.  CD-ROMs and the configuration drive keep out of the way of the other disks."""
    config = disk.name == CONFIG_DRIVE
    if disk.cdrom and target_on(bus, "") != target_on(hardware.disk_bus, ""):
        return target_on(bus, "vdb" if config else "vda")
    if disk.cdrom or config:
        last, before = ("d", "c") if bus == "ide" else ("z", "y")
        return target_on(bus, f"vd{last if config else before}")
    return target_on(bus, disk.target)


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


def place_of(device: BlockDevice, target: str, hardware: GuestHardware) -> DiskPlace:
    """Where the volume *target* is plugged in, on its own bus or on that of the guest's disks."""
    bus = device.disk_bus or hardware.disk_bus
    return DiskPlace(target=target_on(bus, target), bus=bus, limits=hardware.disk_limits)


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


def metadata_of(instance: Instance) -> Metadata:
    """What is noted of the instance in its domain."""
    return Metadata(
        display_name=instance.display_name,
        project_id=instance.project_id,
        user_id=instance.user_id,
        flavor=instance.flavor.name,
    )
