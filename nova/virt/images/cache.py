# SPDX-License-Identifier: Apache-2.0
"""The base images of a compute host: each fetched once, verified, inspected, and kept as a read-only raw file.

Runs in nova-compute, in ``instances_path/_base``.  Bases are raw because QEMU then reads no header that a user wrote
when guests run on top of them, and because a raw file can be copied and grown without the format's tool.

An entry appears under its name only when it is whole and on the disk.  What a crash leaves is a file whose name begins
with ``.part-``; ``age_out`` removes it.  Names come from a closed set: a digest of image id and checksum, or
``ephemeral_`` with size, file system and number, or ``swap_`` with a size.  Nothing that a guest wrote ever comes in.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nova import errors
from nova.context import RequestContext
from nova.domain.blank_disks import FILE_SYSTEMS
from nova.domain.image import Image
from nova.system.files import ensure_directory, file_lock
from nova.virt.driver import ImageReader
from nova.virt.images import inspector
from nova.virt.images.download import digest_of, download
from nova.virt.images.inspector import ImageFacts
from nova.virt.images.qemu_img import QemuImg, Runner

LOG = logging.getLogger(__name__)

PART = ".part-"
LOCK = ".lock-"
FETCH_TIMEOUT_S = 3600.0
SLACK_BYTES = 1024 * 1024
"""What a converter may write beyond the virtual size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSettings:
    """Values of the options that concern the cache."""

    directory: Path
    host: str
    """This host's name, for messages"""
    reserved_disk_bytes: int = 0
    """Left free whatever comes"""
    max_image_bytes: int = 0
    """The largest unpacked image; 0 is no bound beyond the free space"""
    extra_formats: frozenset[str] = frozenset()
    """Formats of images that are taken beside the usual ones"""


class ImageCache:
    """The base images on this host."""

    def __init__(self, settings: CacheSettings, *, qemu_img: QemuImg, runner: Runner) -> None:
        self._settings = settings
        self._qemu_img = qemu_img
        self._runner = runner

    def path_of(self, image: Image) -> Path:
        """Where the base of *image* is, or will be."""
        algorithm, value = digest_of(image)
        name = hashlib.sha256(f"{image.id}\n{algorithm}\n{value}".encode()).hexdigest()[:40]
        return self._settings.directory / name

    def fetch(self, context: RequestContext, image: Image, reader: ImageReader, *, limit_gb: int = 0) -> Path:
        """The base of *image*, downloaded if it is not there.  Any number of callers at once cause one download.

        :param limit_gb: the flavor's root disk, 0 for none
        :raises errors.InvalidImage: the bytes are not what the image service named, or must not be booted
        :raises errors.NoCapacity: the disk is full
        """
        limit = 0 if image.disk_format in ("aki", "ari") else limit_gb
        base = self.path_of(image)

        def build(part: Path) -> None:
            chunks = reader.read(context, image.id)
            facts = download(
                image,
                chunks,
                part,
                max_bytes=self._room_for(image),
                extra_formats=self._settings.extra_formats,
            )
            inspector.check_fits(
                facts, limit_gb=limit, free_bytes=self._free_bytes(), max_bytes=self._settings.max_image_bytes
            )
            self._make_raw(part, facts)

        self._once(base, build)
        self._check_cached(base, limit)
        return base

    def ephemeral(self, size_gb: int, *, file_system: str = "ext4", label: str = "ephemeral0") -> Path:
        """An empty file system of *size_gb*; both words come from closed sets."""
        if file_system not in FILE_SYSTEMS:
            raise errors.HypervisorError("The host cannot make that file system.", detail=f"ephemeral: {file_system}")

        def build(part: Path) -> None:
            self._qemu_img.create(part, "raw", size_bytes=size_gb * inspector.GIB)
            self._runner.run([f"mkfs.{file_system}", "-q", "-F", "-L", label, str(part)], timeout_s=300.0)

        name = f"ephemeral_{int(size_gb)}_{file_system}_{int(label.removeprefix('ephemeral'))}"
        return self._once(self._settings.directory / name, build)

    def swap(self, size_mb: int) -> Path:
        """An empty swap area of *size_mb*."""

        def build(part: Path) -> None:
            self._qemu_img.create(part, "raw", size_bytes=size_mb * 1024 * 1024)
            self._runner.run(["mkswap", "-L", "swap", str(part)])

        return self._once(self._settings.directory / f"swap_{int(size_mb)}", build)

    def age_out(self, in_use: frozenset[Path], *, min_age_s: float) -> tuple[Path, ...]:
        """Remove bases that nobody uses and that nobody asked for in the last *min_age_s* seconds; which they were."""
        if not self._settings.directory.is_dir():
            return ()
        candidates = [path for path in self._settings.directory.iterdir() if _is_entry(path) and path not in in_use]
        removed = tuple(path for path in candidates if self._remove_old(path, min_age_s))
        for path in removed:
            LOG.info("Removed the unused base image %s", path.name)
        return removed

    def _once(self, base: Path, build: Callable[[Path], None]) -> Path:
        ensure_directory(base.parent)
        if self._wanted(base):
            return base
        with self._locked(base):
            if not self._wanted(base):
                self._build(base, build)
        return base

    def _build(self, base: Path, build: Callable[[Path], None]) -> None:
        part = base.parent / f"{PART}{base.name}-{secrets.token_hex(4)}"
        try:
            build(part)
            _publish(part, base)
        except OSError as exc:
            raise self._no_space(exc) from exc
        finally:
            part.unlink(missing_ok=True)

    def _make_raw(self, part: Path, facts: ImageFacts) -> None:
        """Turn the downloaded file into a raw one under the same name."""
        if facts.storage_format == "raw":
            return
        raw = part.with_name(part.name + "-raw")
        try:
            self._qemu_img.convert(
                part,
                facts.storage_format,
                raw,
                "raw",
                max_bytes=facts.virtual_size_bytes + SLACK_BYTES,
            )
            os.replace(raw, part)
        except errors.HypervisorError as exc:
            raise errors.InvalidImage(
                f"The {facts.disk_format} image could not be converted; it may be damaged.", detail=str(exc)
            ) from exc
        finally:
            raw.unlink(missing_ok=True)

    def _check_cached(self, base: Path, limit_gb: int) -> None:
        size_bytes = base.stat().st_size
        if limit_gb and size_bytes > limit_gb * inspector.GIB:
            raise errors.InvalidImage(
                f"The image unpacks to {size_bytes} bytes, more than the flavor's disk of {limit_gb} GB."
            )

    def _room_for(self, image: Image) -> int:
        free = self._free_bytes()
        if image.size_bytes is not None and image.size_bytes > free:
            raise self._full(f"image {image.id} has {image.size_bytes} bytes, {free} are free")
        return free

    def _free_bytes(self) -> int:
        found = os.statvfs(self._settings.directory)
        return max(0, found.f_bavail * found.f_frsize - self._settings.reserved_disk_bytes)

    def _no_space(self, exc: OSError) -> errors.NovaError:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            return self._full(str(exc))
        return errors.HypervisorError("An image could not be stored on the host.", detail=str(exc))

    def _full(self, detail: str) -> errors.NoCapacity:
        return errors.NoCapacity(f"No space left on device of host {self._settings.host}.", detail=detail)

    @contextlib.contextmanager
    def _locked(self, base: Path) -> Iterator[None]:
        """Hold one of sixteen lock files: a closed set, never cleaned; two images in one only wait for each other."""
        shard = hashlib.sha256(base.name.encode()).hexdigest()[0]
        with file_lock(base.parent / f"{LOCK}{shard}", timeout_s=FETCH_TIMEOUT_S):
            yield

    def _wanted(self, base: Path) -> bool:
        """Note that somebody wants the base; whether it is there, and so stays."""
        with self._ageing(base.parent):
            return _touch(base)

    @contextlib.contextmanager
    def _ageing(self, directory: Path) -> Iterator[None]:
        """Held for a moment while an age is noted, or judged: nothing is removed that was asked for in between."""
        with file_lock(directory / f"{LOCK}age"):
            yield

    def _remove_old(self, path: Path, min_age_s: float) -> bool:
        with self._locked(path), self._ageing(path.parent):
            try:
                if time.time() - path.stat().st_mtime < min_age_s:
                    return False
                path.unlink()
            except FileNotFoundError:
                return False
        return True


def _is_entry(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(LOCK)


def _touch(base: Path) -> bool:
    """Note that somebody wants the base; whether it is there."""
    try:
        os.utime(base)
    except FileNotFoundError:
        return False
    except PermissionError:
        LOG.debug("The base %s belongs to somebody else; its age cannot be noted", base)
    return True


def _publish(part: Path, base: Path) -> None:
    """Give the finished file its name, so that after a power cut it is whole or not there."""
    os.chmod(part, 0o440)
    descriptor = os.open(part, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(part, base)
    directory = os.open(base.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
