# SPDX-License-Identifier: Apache-2.0
"""The directory of an instance: its files, and our own record of its disks, which decides formats for ever after.

Runs in nova-compute.  ``instances_path/<uuid>`` is 0750, its files 0640 whatever the umask.
"""

from __future__ import annotations

import json
import shutil
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nova import errors
from nova.domain.instance import Instance
from nova.system.files import read_small, write_atomically
from nova.virt.images.qemu_img import DiskFormat

RECORD = "disks.json"
BASE_DIRECTORY = "_base"
PREVIOUS = "previous-"
"""How the name of the directory begins that holds what was there before the instance is made anew"""
MOVING = ".moving-"
"""The same while files are moved there or back"""
CONSOLE_LOG = "console.log"
CONFIG_DRIVE = "config"
"""The file of the configuration drive"""
ASIDE = "_resize_"
"""Between the uuid and the number of the move, in the name of a directory that is kept for a way back"""
RESCUE = "rescue"
"""The file of the rescue disk, and how the names of its boot files begin"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalDisk:
    """A disk file in the instance's directory."""

    name: str
    """root, cdrom, ephemeral, ephemeral1 and so on, swap, config or rescue; also the file's name"""
    format: DiskFormat
    target: str
    """In the guest: ``vda``; the letter counts, how it begins is the bus's"""
    base: str = ""
    """The cached base below an overlay, by file name"""
    cdrom: bool = False
    bus: str = ""
    """Empty for the guest's usual one"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskRecord:
    """What was made for an instance."""

    disks: tuple[LocalDisk, ...] = ()
    direct_boot: bool = False
    """Whether files ``kernel`` and perhaps ``ramdisk`` are there to be booted."""
    rescue: DiskRecord | None = None
    """The disk to be rescued with, while there is one; its boot files are ``rescue-kernel`` and ``rescue-ramdisk``."""

    def every_disk(self) -> tuple[LocalDisk, ...]:
        """Those of the rescue included."""
        return self.disks + (self.rescue.disks if self.rescue else ())


class Layout:
    """Where things are below ``instances_path``."""

    def __init__(self, instances_path: Path) -> None:
        self.instances_path = instances_path

    @property
    def bases(self) -> Path:
        """The directory of the image cache."""
        return self.instances_path / BASE_DIRECTORY

    def directory(self, instance: Instance) -> Path:
        """The instance's own directory."""
        return self.instances_path / instance.uuid

    def aside(self, instance: Instance, move_id: int) -> Path:
        """Where the directory is kept while the instance has moved and may come back."""
        return self.instances_path / f"{instance.uuid}{ASIDE}{move_id}"

    def all_aside(self, instance: Instance) -> list[Path]:
        """All that is kept of the instance for a way back."""
        return sorted(self.instances_path.glob(f"{instance.uuid}{ASIDE}*"))

    def console_log(self, instance: Instance) -> Path:
        """What the guest writes to its serial port."""
        return self.directory(instance) / CONSOLE_LOG

    def write_record(self, instance: Instance, record: DiskRecord) -> None:
        """Keep *record*, durably."""
        write_atomically(self.directory(instance) / RECORD, json.dumps(asdict(record)))

    def read_record(self, instance: Instance) -> DiskRecord:
        """The record of the instance's disks; an empty one for an instance without local disks.

        :raises errors.HypervisorError: the record is damaged
        """
        return self.record_in(self.directory(instance))

    def stored_instances(self) -> frozenset[str]:
        """The uuids of the instances that have a directory here, whole or half made, or set aside."""
        if not self.instances_path.is_dir():
            return frozenset()
        names = (path.name.partition(ASIDE)[0] for path in self.instances_path.iterdir() if path.is_dir())
        return frozenset(name for name in names if _is_uuid(name))

    def bases_in_use(self) -> frozenset[Path]:
        """The bases below the disks of all instances whose directories are here.

        :raises errors.HypervisorError: a record is damaged, so nothing can be said
        """
        if not self.instances_path.is_dir():
            return frozenset()
        patterns = (f"*/{RECORD}", f"*/{PREVIOUS}*/{RECORD}", f"*/{MOVING}*/{RECORD}")
        directories = (path.parent for pattern in patterns for path in self.instances_path.glob(pattern))
        disks = (disk for directory in directories for disk in self.record_in(directory).every_disk())
        return frozenset(self.bases / disk.base for disk in disks if disk.base)

    def remove(self, instance: Instance) -> None:
        """Remove the directory with all in it.

        :raises errors.HypervisorError: something could not be removed
        """
        self.remove_path(self.directory(instance))

    def remove_path(self, directory: Path) -> None:
        """Remove a directory of an instance; raises like :meth:`remove`."""
        try:
            shutil.rmtree(directory)
        except FileNotFoundError:
            return
        except OSError as exc:
            raise errors.HypervisorError("The server's files could not be removed.", detail=str(exc)) from exc

    def record_in(self, directory: Path) -> DiskRecord:
        """The record of the disks in *directory*, an instance's or one within it; otherwise as ``read_record``."""
        try:
            return _record(json.loads(read_small(directory / RECORD)))
        except FileNotFoundError:
            return DiskRecord()
        except (OSError, ValueError, TypeError, KeyError) as exc:
            raise errors.HypervisorError(
                "The record of the server's disks cannot be read.", detail=f"{directory / RECORD}: {exc}"
            ) from exc


def _record(found: dict[str, Any]) -> DiskRecord:
    return DiskRecord(
        disks=tuple(LocalDisk(**disk) for disk in found["disks"]),
        direct_boot=found["direct_boot"],
        rescue=_record(rescue) if (rescue := found.get("rescue")) else None,
    )


def _is_uuid(name: str) -> bool:
    try:
        return str(uuid.UUID(name)) == name
    except ValueError:
        return False
