# SPDX-License-Identifier: Apache-2.0
"""Volumes as plain raw files below one directory: for small clouds, and for hosts without LVM.

A file is sparse, so a new volume reads as zeros and its room is taken as it is written.  Deleting unlinks the file: the
file system never shows old blocks in a new file.
"""

from __future__ import annotations

import os
from pathlib import Path

from nova import errors
from nova.domain.volume import Volume
from nova.system.files import ensure_private_directory

GB = 1 << 30
MODE = 0o600


class FileDriver:
    """The implementation of :class:`nova.volume.drivers.base.VolumeDriver` on files."""

    name = "file"

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def check(self) -> None:
        """Make the directory, and see that it can be written."""
        try:
            ensure_private_directory(self._directory)
        except errors.InvalidConfiguration as error:
            raise errors.Unavailable(
                f"Volumes cannot be kept there; see the option volumes_dir. {error.message}"
            ) from error

    def create(self, volume: Volume) -> None:
        """A sparse file of the volume's size."""
        self.check()
        if self.capacity()[1] < volume.size_gb:
            raise errors.NoCapacity(f"There is no room for a volume of {volume.size_gb} GB.")
        try:
            descriptor = os.open(self.path(volume), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, MODE)
            try:
                os.ftruncate(descriptor, volume.size_gb * GB)
            finally:
                os.close(descriptor)
        except OSError as error:
            self.path(volume).unlink(missing_ok=True)
            raise errors.NoCapacity(f"The volume could not be made: {error.strerror}.") from error

    def delete(self, volume: Volume) -> None:
        """Unlink the file."""
        self.path(volume).unlink(missing_ok=True)

    def path(self, volume: Volume) -> Path:
        """The file."""
        return self._directory / volume.name

    def capacity(self) -> tuple[float, float]:
        """Of the file system; what the volumes may still grow is not free any more."""
        stat = os.statvfs(self._directory)
        promised = sum(max(0, f.stat().st_size - f.stat().st_blocks * 512) for f in self._directory.glob("volume-*"))
        free = stat.f_bavail * stat.f_frsize - promised
        return stat.f_blocks * stat.f_frsize / GB, max(0.0, free / GB)
