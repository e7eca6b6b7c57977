# SPDX-License-Identifier: Apache-2.0
"""Containers (``virt_type = lxc``): their root is a directory, and they share the host's kernel.

The image's file system is read by a program, never mounted.  Root in a container is nobody outside: its users are
shifted, or all of them are the user of nova-compute where that is not root.  A container has no disks, so there is no
rescue, no volume, no configuration drive and no ephemeral disk; files, key and password are always written into it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from nova import errors
from nova.domain.block_device import BlockDevice
from nova.domain.guest_hardware import GuestHardware
from nova.domain.image import Image
from nova.domain.injection import Injection
from nova.domain.instance import Instance
from nova.system.files import ensure_directory
from nova.virt.driver import Guest
from nova.virt.images.customise import Changes
from nova.virt.images.ext_files import is_ext
from nova.virt.images.ext_reader import ExtReader, Owners, TreeWriter
from nova.virt.images.inspector import GIB
from nova.virt.images.partitions import read_table
from nova.virt.libvirt.disks import LocalDisks
from nova.virt.libvirt.guest import GuestBuilder, metadata_of
from nova.virt.libvirt.layout import DiskRecord
from nova.virt.libvirt.xml.container import Container, IdMap
from nova.virt.libvirt.xml.domain import Domain

ROOT = "rootfs"
FIRST_USER = 100_000
"""Outside, of root in a container"""
USERS = 65_536


def id_map() -> IdMap:
    """How users of containers on this host are called outside."""
    if os.geteuid() == 0:
        return IdMap(user=FIRST_USER, group=FIRST_USER, count=USERS)
    return IdMap(user=os.geteuid(), group=os.getegid(), count=1)


class ContainerDisks(LocalDisks):
    """Root directories instead of disks."""

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
        """Make the root directory; kernel, ramdisk and other disks are nothing to a container."""
        if image is None:
            raise errors.InvalidImage("A container needs an image; it cannot boot from a volume.")
        directory = ensure_directory(self._layout.directory(instance))
        self.share(directory)
        root, part = directory / ROOT, directory / f".{ROOT}.part"
        try:
            if not root.exists():
                shutil.rmtree(part, ignore_errors=True)
                self._fill_root(part, directory / ".image.part", image, instance, injection or Injection())
                os.replace(part, root)
        except OSError as exc:
            raise errors.HypervisorError("The container's files could not be made.", detail=str(exc)) from exc
        self._layout.write_record(instance, DiskRecord())

    def create_config_drive(self, instance: Instance, files: Mapping[str, bytes]) -> None:
        """A container has none."""
        raise errors.HypervisorError("A container has no configuration drive.")

    def create_rescue(self, instance: Instance, *, image: Image, kernel: Image | None, ramdisk: Image | None) -> None:
        """A container has none."""
        raise errors.HypervisorError("A container cannot be rescued.")

    def share(self, path: Path, mode: int | None = None) -> None:
        """Let root of a container in, who enters its directory from outside at its start."""
        if mode is not None:
            path.chmod(mode)
        if path.stat().st_gid != id_map().group:
            os.chown(path, -1, id_map().group)

    def _fill_root(self, target: Path, raw: Path, image: Image, instance: Instance, injection: Injection) -> None:
        """The tree, from a copy of the image into which the files have been written."""
        base = self._base_of(image)
        size_bytes = base.stat().st_size
        changes = Changes(injection=injection)
        try:
            raw.unlink(missing_ok=True)
            self._qemu_img.convert(base, "raw", raw, "raw", max_bytes=size_bytes)
            if self._customiser.wants(changes):
                self._customiser.apply(raw, "raw", base=base, disk_bytes=size_bytes, changes=changes)
            limit_bytes = instance.flavor.root_gb * GIB or size_bytes
            users = id_map()
            owners = Owners(shift=users.user if users.count > 1 else None, count=users.count)
            with raw.open("rb") as stream:
                reader = ExtReader(stream, offset=_file_system_in(raw))
                TreeWriter(reader, owners=owners, max_bytes=limit_bytes).write(target)
        finally:
            raw.unlink(missing_ok=True)


def _file_system_in(raw: Path) -> int:
    """Where the first file system is, in bytes."""
    starts = [partition.start_bytes for partition in read_table(raw).partitions] or [0]
    return next((start for start in starts if is_ext(raw, offset=start)), starts[0])


class ContainerBuilder(GuestBuilder):
    """Makes containers for this host."""

    def domain(self, guest: Guest) -> Domain | Container:
        """The whole container."""
        instance = guest.instance
        if guest.volumes:
            raise errors.HypervisorError("A container cannot have volumes.")
        card = GuestHardware(nic_model="none")
        return Container(
            name=instance.name,
            uuid=instance.uuid,
            memory_mb=instance.flavor.memory_mb,
            vcpus=instance.flavor.vcpus,
            metadata=metadata_of(instance),
            root=str(self._layout.directory(instance) / ROOT),
            log_file=str(self._layout.console_log(instance)),
            users=id_map(),
            interfaces=tuple(self.interface(nic, card) for nic in guest.nics),
        )
