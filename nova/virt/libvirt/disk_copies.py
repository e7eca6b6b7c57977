# SPDX-License-Identifier: Apache-2.0
"""Copies of root disks, flat, in the instance's directory, for images.

Runs in nova-compute.  The disk of a guest that is there, running or paused, is copied by a backup job of QEMU's: the
copy is the disk as it was when the job began, and the guest's own chain of files never changes, so nothing has to be
merged whatever dies meanwhile.  The disk of a guest that is off is converted.  A copy has its name only when it is
finished.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import libvirt

from nova import errors
from nova.domain.instance import Instance
from nova.system import xml
from nova.virt.driver import DiskCopy
from nova.virt.images.qemu_img import DiskFormat, QemuImg
from nova.virt.libvirt.connection import Connection
from nova.virt.libvirt.layout import Layout, LocalDisk
from nova.virt.libvirt.settings import LibvirtSettings

PREFIX = "copy-"
PART = ".copy.part"
CHUNK_BYTES = 256 * 1024
POLL_S = 0.2
METADATA_BYTES = 16 * 1024**2
"""What a qcow2 file may be larger than its content, besides its tables"""


class DiskCopies:
    """See the module.

    :param qemu_img: with limits of time that suit whole disks
    """

    def __init__(self, settings: LibvirtSettings, *, layout: Layout, connection: Connection, qemu_img: QemuImg) -> None:
        self._settings = settings
        self._layout = layout
        self._connection = connection
        self._qemu_img = qemu_img

    def copy(self, instance: Instance, *, name: str, on_progress: Callable[[float], None]) -> DiskCopy:
        """See :class:`nova.virt.driver.DiskCopies`."""
        disk = self._root_of(instance)
        disk_format: DiskFormat = self._format_of(disk)
        path = self._path(instance, name, disk_format)
        if not path.exists():
            part = path.with_name(PART)
            try:
                self._fill(instance, disk, part, disk_format, on_progress)
                os.replace(part, path)
            finally:
                part.unlink(missing_ok=True)
        return DiskCopy(name=name, disk_format=disk_format, size_bytes=path.stat().st_size)

    def read(self, instance: Instance, copy: DiskCopy) -> Iterator[bytes]:
        """See :class:`nova.virt.driver.DiskCopies`."""
        path = self._layout.directory(instance) / f"{PREFIX}{copy.name}.{copy.disk_format}"
        with path.open("rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                yield chunk

    def drop(self, instance: Instance) -> None:
        """See :class:`nova.virt.driver.DiskCopies`."""
        self._stop_job(instance)
        directory = self._layout.directory(instance)
        try:
            for path in (*directory.glob(f"{PREFIX}*"), directory / PART):
                path.unlink(missing_ok=True)
        except OSError as exc:
            raise errors.HypervisorError("A copy of the server's disk was not removed.", detail=str(exc)) from exc

    def _path(self, instance: Instance, name: str, disk_format: DiskFormat) -> Path:
        if "/" in name:
            raise errors.InvalidInput("The name of a copy is no path.")
        return self._layout.directory(instance) / f"{PREFIX}{name}.{disk_format}"

    def _format_of(self, disk: LocalDisk) -> DiskFormat:
        wanted = self._settings.snapshot_format
        return "raw" if wanted == "raw" else "qcow2" if wanted == "qcow2" else disk.format

    def _root_of(self, instance: Instance) -> LocalDisk:
        for disk in self._layout.read_record(instance).disks:
            if disk.name == "root":
                return disk
        raise errors.InvalidInput("The server has no root disk of its own on its host.")

    def _fill(
        self,
        instance: Instance,
        disk: LocalDisk,
        part: Path,
        disk_format: DiskFormat,
        on_progress: Callable[[float], None],
    ) -> None:
        source = self._layout.directory(instance) / disk.name
        self._stop_job(instance)
        part.unlink(missing_ok=True)
        size_bytes = self._qemu_img.info(source, disk.format).virtual_size_bytes
        self._qemu_img.create(part, disk_format, size_bytes=size_bytes)
        part.chmod(0o660)
        os.chown(part, -1, source.stat().st_gid)
        if not self._begin_job(instance, disk, part, disk_format):
            bound = size_bytes + size_bytes // 1024 + METADATA_BYTES
            compress = self._settings.snapshot_compression and disk_format == "qcow2"
            self._qemu_img.convert(source, disk.format, part, disk_format, max_bytes=bound, compress=compress)
            return
        try:
            self._follow_job(instance, on_progress)
        finally:
            self._stop_job(instance)

    def _begin_job(self, instance: Instance, disk: LocalDisk, part: Path, disk_format: DiskFormat) -> bool:
        """Whether a guest is there whose QEMU copies the disk now."""
        document = xml.serialize(_backup(disk.target, part, disk_format))

        def begin(domain: Any) -> bool:
            if not domain.isActive():
                return False
            domain.backupBegin(document, None, libvirt.VIR_DOMAIN_BACKUP_BEGIN_REUSE_EXTERNAL)
            return True

        return bool(self._connection.find(instance.uuid, "copy the server's disk", begin))

    def _follow_job(self, instance: Instance, on_progress: Callable[[float], None]) -> None:
        while (part := self._connection.find(instance.uuid, "look at the copying", _part_done)) is not None:
            on_progress(part)
            time.sleep(POLL_S)
        if self._connection.find(instance.uuid, "look at the copying", _job_succeeded):
            return
        raise errors.HypervisorError("The server's disk could not be copied: its guest stopped or its host is full.")

    def _stop_job(self, instance: Instance) -> None:
        """End the copying that a former run of this daemon began."""

        def stop(domain: Any) -> bool:
            if not domain.isActive() or domain.jobStats().get("operation") != libvirt.VIR_DOMAIN_JOB_OPERATION_BACKUP:
                return False
            try:
                domain.abortJob()
            except libvirt.libvirtError as exc:
                if exc.get_error_code() != libvirt.VIR_ERR_OPERATION_INVALID:
                    raise
                return False  # it has just ended by itself
            return True

        if self._connection.find(instance.uuid, "end the copying", stop):
            while self._connection.find(instance.uuid, "look at the copying", _part_done) is not None:
                time.sleep(POLL_S)


def _backup(target: str, path: Path, disk_format: DiskFormat) -> xml.Element:
    root = xml.element("domainbackup", mode="push")
    disk = xml.child(xml.child(root, "disks"), "disk", name=target, backup="yes", type="file")
    xml.child(disk, "driver", type=disk_format)
    xml.child(disk, "target", file=str(path))
    return root


def _part_done(domain: Any) -> float | None:
    """How much is copied, 0 to 1; None when nothing is being copied."""
    if not domain.isActive():
        return None
    stats = domain.jobStats()
    if stats.get("operation") != libvirt.VIR_DOMAIN_JOB_OPERATION_BACKUP:
        return None
    done: float = stats.get("disk_processed", 0) / max(1, stats.get("disk_total", 1))
    return done


def _job_succeeded(domain: Any) -> bool:
    stats = domain.jobStats(libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED)
    is_copying = stats.get("operation") == libvirt.VIR_DOMAIN_JOB_OPERATION_BACKUP
    return bool(is_copying and stats.get("type") == libvirt.VIR_DOMAIN_JOB_COMPLETED)
