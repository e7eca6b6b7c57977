# SPDX-License-Identifier: Apache-2.0
"""Local disks of an instance: root, ephemeral, swap and rescue, made from the cache in its directory.

Runs in nova-compute.  A failure leaves the directory as far as it came; ``delete`` removes it, and ``create`` makes
whatever is missing.  The record of the disks is written last, so a disk without a record was never used.
"""

from __future__ import annotations

import grp
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from nova import errors
from nova.context import RequestContext
from nova.domain.blank_disks import SWAP, BlankDisk, blank_disks
from nova.domain.block_device import BlockDevice
from nova.domain.device_names import letter_of
from nova.domain.flavor import Flavor
from nova.domain.image import Image
from nova.domain.injection import Injection
from nova.domain.instance import Instance
from nova.system.files import ensure_directory
from nova.virt.driver import ImageReader
from nova.virt.images.cache import ImageCache
from nova.virt.images.config_drive import make as make_config_drive
from nova.virt.images.customise import Changes, DiskCustomiser
from nova.virt.images.inspector import GIB
from nova.virt.images.qemu_img import DiskFormat, QemuImg, Runner
from nova.virt.libvirt.layout import CONFIG_DRIVE, RESCUE, DiskRecord, Layout, LocalDisk
from nova.virt.libvirt.settings import LibvirtSettings

FILE_MODE = 0o640


class LocalDisks:
    """The disks on this host's file system."""

    def __init__(
        self, settings: LibvirtSettings, *, layout: Layout, cache: ImageCache, qemu_img: QemuImg, runner: Runner
    ) -> None:
        self._runner = runner
        self._settings = settings
        self._layout = layout
        self._cache = cache
        self._qemu_img = qemu_img
        self._customiser = DiskCustomiser(settings.injection, qemu_img=qemu_img, runner=runner)

    def fetch_images(
        self, context: RequestContext, images: tuple[Image, ...], reader: ImageReader, *, limit_gb: int = 0
    ) -> None:
        """Bring images into the cache."""
        self.share(ensure_directory(self._layout.instances_path))
        self.share(ensure_directory(self._layout.bases))
        for image in images:
            self.share(self._cache.fetch(context, image, reader, limit_gb=limit_gb))

    def create(
        self,
        instance: Instance,
        *,
        image: Image | None,
        kernel: Image | None,
        ramdisk: Image | None,
        devices: Sequence[BlockDevice] = (),
        injection: Injection | None = None,
    ) -> None:
        """Make the disks that the flavor and *devices* say; the images are in the cache."""
        changes = Changes(injection=injection or Injection(), fill_disk=instance.auto_disk_config)
        directory = ensure_directory(self._layout.directory(instance))
        self.share(directory)
        try:
            disks = self._make_root(directory, instance.flavor, image, changes)
            disks += self._make_blank(directory, blank_disks(instance.flavor, devices))
            self._copy_boot_files(directory, kernel, ramdisk)
        except OSError as exc:
            raise errors.HypervisorError("A disk could not be made on the host.", detail=str(exc)) from exc
        known = {disk.name: disk for disk in self._layout.read_record(instance).disks}
        recorded = tuple(known.get(disk.name, disk) for disk in disks)
        self._layout.write_record(instance, DiskRecord(disks=recorded, direct_boot=kernel is not None))

    def create_config_drive(self, instance: Instance, files: Mapping[str, bytes]) -> None:
        """Make the drive, anew if there is one; the instance's directory is there."""
        directory, settings = self._layout.directory(instance), self._settings.config_drive
        path = directory / CONFIG_DRIVE
        make_config_drive(path, files, settings, runner=self._runner, parent=directory)
        self.share(path, FILE_MODE)
        cdrom = settings.format == "iso9660"
        drive = LocalDisk(name=CONFIG_DRIVE, format="raw", target="sdb" if cdrom else "vdz", cdrom=cdrom)
        record = self._layout.read_record(instance)
        others = tuple(disk for disk in record.disks if disk.name != CONFIG_DRIVE)
        self._layout.write_record(instance, replace(record, disks=(*others, drive)))

    def create_rescue(self, instance: Instance, *, image: Image, kernel: Image | None, ramdisk: Image | None) -> None:
        """Make the disk that the instance is to be rescued with; the images are in the cache."""
        self.delete_rescue(instance)
        directory, base = self._layout.directory(instance), self._base_of(image)
        size_bytes = instance.flavor.root_gb * GIB or base.stat().st_size
        cdrom = image.disk_format == "iso"
        try:
            disk = self._make(directory, RESCUE, "sda" if cdrom else "vda", base, size_bytes, cdrom=cdrom)
            self._copy_boot_files(directory, kernel, ramdisk, prefix=f"{RESCUE}-")
        except OSError as exc:
            raise errors.HypervisorError("A disk could not be made on the host.", detail=str(exc)) from exc
        rescue = DiskRecord(disks=(disk,), direct_boot=kernel is not None)
        self._layout.write_record(instance, replace(self._layout.read_record(instance), rescue=rescue))

    def delete_rescue(self, instance: Instance) -> None:
        """Remove the disk that the instance was rescued with, and then the word of it."""
        directory = self._layout.directory(instance)
        try:
            for name in (RESCUE, f"{RESCUE}-kernel", f"{RESCUE}-ramdisk"):
                (directory / name).unlink(missing_ok=True)
        except OSError as exc:
            raise errors.HypervisorError("The server's rescue disk could not be removed.", detail=str(exc)) from exc
        record = self._layout.read_record(instance)
        if record.rescue is not None:
            self._layout.write_record(instance, replace(record, rescue=None))

    def delete(self, instance: Instance) -> None:
        """Remove all files of the instance."""
        self._layout.remove(instance)

    def grow(
        self, instance: Instance, record: DiskRecord, *, old_flavor: Flavor, devices: Sequence[BlockDevice]
    ) -> DiskRecord:
        """Bring copied disks to what the instance's flavor says, where that differs from *old_flavor*; the new record.

        Formats are those of the record: what a guest wrote at the beginning of its disk says nothing here.
        """
        directory, flavor = self._layout.directory(instance), instance.flavor
        old = {disk.name: disk for disk in blank_disks(old_flavor, devices)}
        new = {disk.name: disk for disk in blank_disks(flavor, devices)}
        disks: list[LocalDisk] = []
        for disk in record.disks:
            if disk.name in old and (disk.name not in new or _remade(old[disk.name], new[disk.name])):
                (directory / disk.name).unlink(missing_ok=True)
                continue
            before, after = _sizes(disk.name, old_flavor, flavor, old, new)
            if after > before:
                self._qemu_img.resize(directory / disk.name, disk.format, size_bytes=after)
            disks.append(disk)
        there = {disk.name for disk in disks}
        missing = [disk for name, disk in new.items() if name not in there]
        return replace(record, disks=(*disks, *self._make_blank(directory, missing)))

    def age_out(self, *, min_age_s: float) -> tuple[Path, ...]:
        """Remove bases that no instance here uses and that were not asked for lately; which they were."""
        return self._cache.age_out(self._layout.bases_in_use(), min_age_s=min_age_s)

    def _make_blank(self, directory: Path, wanted: Sequence[BlankDisk]) -> list[LocalDisk]:
        disks = []
        for blank in wanted:
            if blank.file_system == SWAP:
                base = self._cache.swap(blank.size_mb)
            else:
                file_system = blank.file_system or self._settings.ephemeral_format
                base = self._cache.ephemeral(blank.size_mb // 1024, file_system=file_system, label=blank.label)
            target = f"vd{letter_of(blank.device_name)}"
            disk = self._make(directory, blank.name, target, base, blank.size_mb * 1024**2)
            disks.append(replace(disk, bus=blank.bus))
        return disks

    def _make_root(self, directory: Path, flavor: Flavor, image: Image | None, changes: Changes) -> list[LocalDisk]:
        if image is None:
            return []
        base = self._base_of(image)
        if image.disk_format != "iso":
            size_bytes = flavor.root_gb * GIB or base.stat().st_size
            return [self._make(directory, "root", "vda", base, size_bytes, changes=changes)]
        cdrom = self._make(directory, "cdrom", "sda", base, base.stat().st_size, cdrom=True)
        if not flavor.root_gb:
            return [cdrom]
        root = directory / "root"
        if not root.exists():
            self._qemu_img.create(root, "qcow2", size_bytes=flavor.root_gb * GIB)
            self.share(root, FILE_MODE)
        return [cdrom, LocalDisk(name="root", format="qcow2", target="vda")]

    def _make(
        self,
        directory: Path,
        name: str,
        target: str,
        base: Path,
        size_bytes: int,
        *,
        cdrom: bool = False,
        changes: Changes | None = None,
    ) -> LocalDisk:
        """One disk on (or a copy of) *base*, under its name only when it is finished."""
        if size_bytes < base.stat().st_size:
            raise errors.InvalidImage(f"The image needs {base.stat().st_size} bytes; the flavor gives {size_bytes}.")
        path = directory / name
        if not path.exists():
            part = directory / f".{name}.part"
            part.unlink(missing_ok=True)
            try:
                self._fill(part, base, size_bytes)
                if changes is not None and self._customiser.wants(changes):
                    form: DiskFormat = "qcow2" if self._settings.use_cow_images else "raw"
                    self._customiser.apply(part, form, base=base, disk_bytes=size_bytes, changes=changes)
                self.share(part, FILE_MODE)
                os.replace(part, path)
            finally:
                part.unlink(missing_ok=True)
        if self._settings.use_cow_images:
            return LocalDisk(name=name, format="qcow2", target=target, base=base.name, cdrom=cdrom)
        return LocalDisk(name=name, format="raw", target=target, cdrom=cdrom)

    def _fill(self, part: Path, base: Path, size_bytes: int) -> None:
        if self._settings.use_cow_images:
            self._qemu_img.create_overlay(part, base=base, base_format="raw", size_bytes=size_bytes)
            return
        self._qemu_img.convert(base, "raw", part, "raw", max_bytes=max(size_bytes, base.stat().st_size))
        if size_bytes > base.stat().st_size:
            self._qemu_img.resize(part, "raw", size_bytes=size_bytes)

    def _base_of(self, image: Image) -> Path:
        base = self._cache.path_of(image)
        if not base.exists():
            raise errors.HypervisorError(f"The image {image.id} is not in the cache of this host.", detail=str(base))
        return base

    def _copy_boot_files(
        self, directory: Path, kernel: Image | None, ramdisk: Image | None, *, prefix: str = ""
    ) -> None:
        for name, image in (("kernel", kernel), ("ramdisk", ramdisk)):
            if image is not None:
                path = directory / (prefix + name)
                shutil.copyfile(self._base_of(image), path)
                self.share(path, FILE_MODE)

    def share(self, path: Path, mode: int | None = None) -> None:
        """Give a path its permissions, and to QEMU's group when it has one of its own."""
        if mode is not None:
            path.chmod(mode)
        if self._settings.qemu_group:
            group = grp.getgrnam(self._settings.qemu_group).gr_gid
            if path.stat().st_gid != group:
                os.chown(path, -1, group)


def _remade(old: BlankDisk, new: BlankDisk) -> bool:
    """Whether the disk is made anew: swap holds nothing, and says its size itself."""
    return new.file_system == SWAP and new.size_mb != old.size_mb


def _sizes(
    name: str, old_flavor: Flavor, flavor: Flavor, old: Mapping[str, BlankDisk], new: Mapping[str, BlankDisk]
) -> tuple[int, int]:
    """Bytes of a disk before and after; both 0 for one that does not follow the flavor."""
    if name == "root":
        return old_flavor.root_gb * GIB, flavor.root_gb * GIB
    if name in old and name in new:
        return old[name].size_mb * 1024**2, new[name].size_mb * 1024**2
    return 0, 0
