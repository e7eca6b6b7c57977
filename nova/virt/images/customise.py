# SPDX-License-Identifier: Apache-2.0
"""Changes the file system on a new root disk before its guest sees it: files are written, and it is grown to the disk.

Works on a copy of one partition of the raw base, beside the disk that is being made; then what differs is written onto
the disk, overlay or copy.  So the base stays as it is, and an overlay stays small.  Nothing is mounted.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from nova import errors
from nova.domain.injection import Injection
from nova.virt.images.ext_files import ExtFiles, is_ext
from nova.virt.images.injection import InjectionSettings, inject
from nova.virt.images.partitions import Partition, Patch, Table, grow_last, read_table
from nova.virt.images.qemu_img import DiskFormat, QemuImg, Runner
from nova.virt.images.sparse import copy_range, differences

LOG = logging.getLogger(__name__)
PREFIX = ".customise-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is wanted of a new disk."""

    injection: Injection = field(default_factory=Injection)
    fill_disk: bool = False
    """Whether a single file system is to become as large as the disk"""


class DiskCustomiser:
    """For the disks of one host."""

    def __init__(self, settings: InjectionSettings, *, qemu_img: QemuImg, runner: Runner) -> None:
        self._settings = settings
        self._qemu_img = qemu_img
        self._runner = runner

    def wants(self, changes: Changes) -> bool:
        """Whether there is something to do."""
        return changes.fill_disk or self._settings.wants(changes.injection)

    def apply(self, disk: Path, disk_format: DiskFormat, *, base: Path, disk_bytes: int, changes: Changes) -> None:
        """Change *disk*, which shows *base* (raw) and has *disk_bytes*.

        :raises errors.InvalidImage: files of the owner have no place in the image
        """
        table = read_table(base)
        wanted = self._settings.wants(changes.injection)
        target = self._target(base, table) if wanted else None
        grown = _grown(base, table, disk_bytes) if changes.fill_disk else None
        if target is None and wanted and changes.injection.files:
            raise errors.InvalidImage(
                "The image has no place for the files: no ext2, ext3 or ext4 file system where one is looked for."
            )
        if target is None and grown is None:
            LOG.info("The image of %s has no file system that can be changed from outside.", disk.parent.name)
            return
        work = Path(tempfile.mkdtemp(prefix=PREFIX, dir=disk.parent))
        try:
            if grown is not None:
                self._change(disk, disk_format, base, grown.before, grown, target, changes, work)
            if target is not None and (grown is None or target != grown.before):
                self._change(disk, disk_format, base, target, None, target, changes, work)
        except OSError as exc:
            raise errors.HypervisorError("A disk could not be prepared on the host.", detail=str(exc)) from exc
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _change(
        self,
        disk: Path,
        disk_format: DiskFormat,
        base: Path,
        partition: Partition,
        grown: _Grown | None,
        target: Partition | None,
        changes: Changes,
        work: Path,
    ) -> None:
        image = work / "partition"
        copy_range(base, image, start=partition.start_bytes, size=partition.size_bytes)
        files = ExtFiles(image, runner=self._runner, work=work)
        patches: list[Patch] = []
        if grown is not None:
            os.truncate(image, grown.after.size_bytes)
            files.grow()
            patches += grown.patches
        if target == partition:
            inject(files, changes.injection, self._settings, runner=self._runner)
        patches += differences(image, base, start=partition.start_bytes, size=partition.size_bytes)
        self._qemu_img.patch(disk, disk_format, patches, work=work)

    def _target(self, base: Path, table: Table) -> Partition | None:
        """Where files go; None where there is no such partition, or no file system that is known."""
        number = self._settings.partition
        whole = Partition(number=0, start_bytes=0, size_bytes=base.stat().st_size)
        candidates: tuple[Partition, ...] = ()
        if number == 0 or not table.kind:
            candidates = (whole,) if number <= 0 else ()
        elif number > 0:
            candidates = tuple(each for each in table.partitions if each.number == number)
        else:
            candidates = table.partitions
        found = [each for each in candidates if is_ext(base, offset=each.start_bytes)]
        if number == -1 and len(found) > 1:
            found = [each for each in found if self._holds_system(base, each)] or found
        return found[0] if found else None

    def _holds_system(self, base: Path, partition: Partition) -> bool:
        with tempfile.TemporaryDirectory(prefix=PREFIX) as name:
            image = Path(name) / "partition"
            copy_range(base, image, start=partition.start_bytes, size=partition.size_bytes)
            return ExtFiles(image, runner=self._runner, work=Path(name)).is_directory("/etc")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grown:
    before: Partition
    after: Partition
    patches: list[Patch]


def _grown(base: Path, table: Table, disk_bytes: int) -> _Grown | None:
    """The single file system of the disk at the size that it is to have; None where there are several, or none."""
    if not table.kind:
        before = Partition(number=0, start_bytes=0, size_bytes=base.stat().st_size)
        after, patches = Partition(number=0, start_bytes=0, size_bytes=disk_bytes), list[Patch]()
    else:
        found = grow_last(base, table, disk_bytes=disk_bytes)
        if found is None:
            return None
        before, (after, patches) = table.partitions[0], found
    if after.size_bytes <= before.size_bytes or not is_ext(base, offset=before.start_bytes):
        return None
    return _Grown(before=before, after=after, patches=patches)
