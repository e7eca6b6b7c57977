# SPDX-License-Identifier: Apache-2.0
"""Disks of instances that move: set aside, offered to one other host over NBD with TLS, and fetched from one.

Runs in nova-compute.  An offer is one ``qemu-nbd`` for each disk, read-only, for one connection, with a key that is
made for it: the programs that serve read it anew for each connection, from a private directory that goes with the
offer.  What is copied has the whole content, so the other host needs no image; nothing that a guest wrote ever enters
a cache.  Which move made a directory is written in it, so that a late undo removes no disk of somebody else's.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
import shutil
import signal
import socket
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from nova import errors
from nova.domain.block_device import BlockDevice
from nova.domain.disk_offer import DiskOffer, OfferedDisk
from nova.domain.flavor import Flavor
from nova.domain.instance import Instance
from nova.secret import Secret
from nova.system.files import ensure_directory, read_small, write_atomically
from nova.virt.images.qemu_img import DiskFormat, Export, QemuImg
from nova.virt.libvirt.disks import FILE_MODE, LocalDisks
from nova.virt.libvirt.layout import DiskRecord, Layout, LocalDisk
from nova.virt.libvirt.settings import LibvirtSettings

LOG = logging.getLogger(__name__)

MARK = "move"
"""The file that says which move made the directory"""
SEEN = "seen-by"
"""The file by which the other host tells whether it has the same storage"""
OFFER = ".offer"
BOOT_FILES = ("kernel", "ramdisk")
PORT_TRIES = 20
_PLAIN_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")
"""What disks and boot files of ours are called: another host's word leads to no other directory"""


class MovingDisks:
    """Of one host."""

    def __init__(self, settings: LibvirtSettings, *, layout: Layout, disks: LocalDisks, qemu_img: QemuImg) -> None:
        self._settings = settings
        self._layout = layout
        self._disks = disks
        self._qemu_img = qemu_img

    def set_aside(self, instance: Instance, *, move_id: int) -> None:
        """Give the directory another name."""
        here, aside = self._layout.directory(instance), self._layout.aside(instance, move_id)
        if here.exists() and not aside.exists():
            _rename(here, aside)

    def bring_back(self, instance: Instance, *, move_id: int) -> None:
        """Give it its own name; a copy that the move made in its place goes first."""
        here, aside = self._layout.directory(instance), self._layout.aside(instance, move_id)
        if not aside.exists():
            return
        self.delete_moved(instance, move_id=move_id)
        _rename(aside, here)

    def delete_aside(self, instance: Instance, *, move_id: int | None = None) -> None:
        """Remove what was set aside for that move, or for any."""
        for path in self._layout.all_aside(instance):
            if move_id is None or path == self._layout.aside(instance, move_id):
                self._layout.remove_path(path)

    def offer(self, instance: Instance, *, move_id: int) -> DiskOffer:
        """Serve all that was set aside."""
        directory = self._layout.aside(instance, move_id)
        if not directory.exists():
            raise errors.InvalidState("The server's disks were not set aside on this host.")
        record = self._layout.record_in(directory)
        return self._serve(instance, directory, record, record.disks, describe=())

    def describe(self, instance: Instance, *, move_id: int) -> DiskOffer:
        """Say what a running guest's disks are, and serve what it only reads."""
        directory = self._layout.directory(instance)
        record = self._layout.read_record(instance)
        writable = tuple(disk for disk in record.disks if not disk.cdrom)
        readable = tuple(disk for disk in record.disks if disk.cdrom)
        mark = secrets.token_hex(16)
        if directory.exists():
            write_atomically(directory / SEEN, mark)
        offered = self._serve(instance, directory, record, readable, describe=writable)
        return replace(offered, mark=mark)

    def withdraw(self, instance: Instance) -> None:
        """End the programs that serve disks of the instance."""
        for directory in (self._layout.directory(instance), *self._layout.all_aside(instance)):
            for pid_file in (directory / OFFER).glob("*.pid"):
                _end(pid_file)
            shutil.rmtree(directory / OFFER, ignore_errors=True)

    def shares(self, instance: Instance, offer: DiskOffer) -> bool:
        """Whether the mark is here too."""
        try:
            found = read_small(self._layout.directory(instance) / SEEN)
        except OSError:
            return False
        return bool(offer.mark) and found.strip() == offer.mark.encode()

    def fetch(
        self,
        instance: Instance,
        offer: DiskOffer,
        *,
        move_id: int,
        old_flavor: Flavor,
        devices: Sequence[BlockDevice],
    ) -> None:
        """Copy what is offered, then grow it."""
        directory = self._begin(instance, offer, move_id)
        disks = [self._pull_disk(directory, offer, disk) for disk in offer.disks]
        for file in offer.files:
            self._pull_file(directory, offer, file)
        record = DiskRecord(disks=tuple(disks), direct_boot=offer.direct_boot)
        grown = self._disks.grow(instance, record, old_flavor=old_flavor, devices=devices)
        self._layout.write_record(instance, grown)

    def make_landing(self, instance: Instance, offer: DiskOffer, *, move_id: int) -> None:
        """Empty disks, and copies of what is only read."""
        directory = self._begin(instance, offer, move_id)
        disks = []
        for disk in offer.disks:
            if disk.port:
                disks.append(self._pull_disk(directory, offer, disk))
                continue
            path = directory / disk.name
            if not path.exists():
                self._qemu_img.create(path, _format(disk), size_bytes=disk.size_bytes)
                self._disks.share(path, FILE_MODE)
            disks.append(_local(disk))
        for file in offer.files:
            self._pull_file(directory, offer, file)
        self._layout.write_record(instance, DiskRecord(disks=tuple(disks), direct_boot=offer.direct_boot))

    def mark(self, instance: Instance, *, move_id: int) -> None:
        """Write down which move made the directory."""
        write_atomically(self._layout.directory(instance) / MARK, str(move_id))

    def has_moved(self, instance: Instance, *, move_id: int) -> bool:
        """Whether that move made the directory."""
        try:
            return read_small(self._layout.directory(instance) / MARK).strip() == str(move_id).encode()
        except OSError:
            return False

    def delete_moved(self, instance: Instance, *, move_id: int) -> None:
        """Remove the directory if that move made it."""
        if self.has_moved(instance, move_id=move_id):
            self._layout.remove(instance)

    def _begin(self, instance: Instance, offer: DiskOffer, move_id: int) -> Path:
        """The new directory; what is there of another origin is in nobody's way only if it is this move's."""
        self._disks.share(ensure_directory(self._layout.instances_path))
        for each in (*offer.disks, *offer.files):
            if not _PLAIN_NAME.fullmatch(each.name):
                raise errors.HypervisorError("The other host offers a disk under a name that is none of ours.")
        directory = self._layout.directory(instance)
        strange = directory.exists() and not self.has_moved(instance, move_id=move_id)
        if strange and any(directory.iterdir()):
            raise errors.HypervisorError(
                "There are files of the server on the host that it is to go to.", detail=str(directory)
            )
        self._disks.share(ensure_directory(directory))
        self.mark(instance, move_id=move_id)
        return directory

    def _pull_disk(self, directory: Path, offer: DiskOffer, disk: OfferedDisk) -> LocalDisk:
        self._pull(directory / disk.name, offer, disk, _format(disk))
        return _local(disk)

    def _pull_file(self, directory: Path, offer: DiskOffer, file: OfferedDisk) -> None:
        path = directory / file.name
        self._pull(path, offer, file, "raw")
        os.truncate(path, file.size_bytes)

    def _pull(self, path: Path, offer: DiskOffer, disk: OfferedDisk, disk_format: DiskFormat) -> None:
        """One copy, under its name only when it is whole."""
        part = path.with_name(f".{path.name}.part")
        part.unlink(missing_ok=True)
        try:
            with _key_directory(path.parent / f".key-{path.name}", offer.key) as keys:
                source = Export(address=offer.address, port=disk.port, name=disk.name, keys=keys)
                self._qemu_img.pull(source, part, disk_format)
            self._disks.share(part, FILE_MODE)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)

    def _serve(
        self,
        instance: Instance,
        directory: Path,
        record: DiskRecord,
        served: tuple[LocalDisk, ...],
        *,
        describe: tuple[LocalDisk, ...],
    ) -> DiskOffer:
        """Serve some disks and all boot files, and say what the other disks are."""
        self.withdraw(instance)
        key = Secret(secrets.token_hex(32))
        disks = [self._described(directory, disk) for disk in describe]
        files = [directory / name for name in BOOT_FILES if record.direct_boot and (directory / name).exists()]
        if served or files:
            ensure_directory(directory / OFFER)
            keys = _write_key(directory / OFFER / "keys", key)
            disks += [
                replace(self._described(directory, disk), port=self._export(directory, disk.name, disk.format, keys))
                for disk in served
            ]
            boot = [
                OfferedDisk(
                    name=path.name,
                    size_bytes=path.stat().st_size,
                    port=self._export(directory, path.name, "raw", keys),
                )
                for path in files
            ]
        else:
            boot = []
        by_name = {disk.name: disk for disk in disks}
        return DiskOffer(
            address=self._settings.host_ip,
            key=key,
            disks=tuple(by_name[disk.name] for disk in record.disks),
            files=tuple(boot),
            direct_boot=record.direct_boot,
        )

    def _described(self, directory: Path, disk: LocalDisk) -> OfferedDisk:
        info = self._qemu_img.info(directory / disk.name, disk.format)
        return OfferedDisk(
            name=disk.name,
            size_bytes=info.virtual_size_bytes,
            format=disk.format,
            target=disk.target,
            cdrom=disk.cdrom,
            bus=disk.bus,
        )

    def _export(self, directory: Path, name: str, disk_format: DiskFormat, keys: Path) -> int:
        """Start the program; the port that it listens on, which another program may take in between."""
        for attempt in range(PORT_TRIES):
            port = _free_port(self._settings.host_ip)
            export = Export(address=self._settings.host_ip, port=port, name=name, keys=keys)
            try:
                self._qemu_img.serve(
                    directory / name,
                    disk_format,
                    export,
                    pid_file=directory / OFFER / f"{name}.pid",
                )
            except errors.HypervisorError:
                if attempt == PORT_TRIES - 1:
                    raise
            else:
                return port
        raise errors.InternalError(detail="unreachable")


def _local(disk: OfferedDisk) -> LocalDisk:
    return LocalDisk(name=disk.name, format=_format(disk), target=disk.target, cdrom=disk.cdrom, bus=disk.bus)


def _format(disk: OfferedDisk) -> DiskFormat:
    """Ours are of two formats; what another host says is no reason to read a third one."""
    return "qcow2" if disk.format == "qcow2" else "raw"


@contextlib.contextmanager
def _key_directory(path: Path, key: Secret | None) -> Iterator[Path]:
    """A directory with the key, for as long as a program reads from the other host."""
    if key is None:
        raise errors.HypervisorError("The other host's offer has no key.")
    try:
        yield _write_key(path, key)
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _write_key(path: Path, key: Secret) -> Path:
    """A private directory with the key as QEMU's programs read it."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(mode=0o700)
    descriptor = os.open(path / "keys.psk", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(f"nova:{key.reveal()}\n")
    return path


def _free_port(address: str) -> int:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


def _rename(source: Path, target: Path) -> None:
    try:
        os.replace(source, target)
    except OSError as exc:
        raise errors.HypervisorError("The server's files could not be set aside.", detail=str(exc)) from exc


def _end(pid_file: Path) -> None:
    """End the program of *pid_file*, if that very program still runs."""
    try:
        pid = int(read_small(pid_file))
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return
    if str(pid_file).encode() in words.split(b"\0"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
