# SPDX-License-Identifier: Apache-2.0
"""Volumes as logical volumes of one volume group.

A deleted volume is overwritten before its room goes back; while that has not succeeded the logical volume stays, so no
other volume can be given its blocks.
"""

from __future__ import annotations

import enum
from pathlib import Path

from nova import errors
from nova.domain.volume import Volume
from nova.system.commands import CommandRunner

WIPE_TIMEOUT_S = 24 * 3600.0
COMMAND_TIMEOUT_S = 120.0
NOT_FOUND = 5
"""What lvs and vgs end with for something that is not there."""


class Clear(enum.StrEnum):
    """How a volume is made unreadable before its room goes back; any other word stops the daemon."""

    ZERO = "zero"
    SHRED = "shred"


class LvmDriver:
    """The implementation of :class:`nova.volume.drivers.base.VolumeDriver` on LVM."""

    name = "lvm"

    def __init__(self, runner: CommandRunner, *, group: str, clear: Clear, clear_mb: int = 0) -> None:
        """:param clear_mb: how many MB from the beginning are cleared; 0 is all"""
        self._runner = runner
        self._group = group
        self._clear = clear
        self._clear_mb = clear_mb

    def check(self) -> None:
        """See that the volume group is there."""
        try:
            self.capacity()
        except errors.HypervisorError as error:
            raise errors.Unavailable(
                f"The volume group {self._group} does not answer; make it with vgcreate, or set volume_group.",
                detail=error.detail,
            ) from error

    def create(self, volume: Volume) -> None:
        """A logical volume, cleared, so that nothing of whoever had its blocks before is seen.

        One that is there was begun and interrupted before it was cleared: nobody has it while it is being created.
        """
        if not self._exists(volume):
            if self.capacity()[1] < volume.size_gb:
                raise errors.NoCapacity(f"There is no room for a volume of {volume.size_gb} GB.")
            self._run("lvcreate", "-L", f"{volume.size_gb}g", "-n", volume.name, "-W", "y", "-y", self._group)
        self._wipe(volume)

    def delete(self, volume: Volume) -> None:
        """Clear the blocks, then remove the logical volume; a failed clearing keeps it."""
        if not self._exists(volume):
            return
        self._wipe(volume)
        self._run("lvremove", "-f", f"{self._group}/{volume.name}")

    def path(self, volume: Volume) -> Path:
        """The block device."""
        return Path("/dev", self._group, volume.name)

    def capacity(self) -> tuple[float, float]:
        """Of the volume group."""
        options = ("--noheadings", "--nosuffix", "--units", "g", "--separator", ",", "-o", "vg_size,vg_free")
        total, free = self._run("vgs", *options, self._group).strip().split(",")
        return float(total), float(free)

    def _exists(self, volume: Volume) -> bool:
        done = self._runner.run(
            ["lvs", "--noheadings", "-o", "lv_name", f"{self._group}/{volume.name}"],
            as_root=True,
            timeout_s=COMMAND_TIMEOUT_S,
            ok_codes=(0, NOT_FOUND),
        )
        return done.code == 0

    def _wipe(self, volume: Volume) -> None:
        size_mb = volume.size_gb * 1024
        count = min(self._clear_mb or size_mb, size_mb)
        source = "/dev/urandom" if self._clear is Clear.SHRED else "/dev/zero"
        self._runner.run(
            [
                "dd",
                f"if={source}",
                f"of={self.path(volume)}",
                "bs=1M",
                f"count={count}",
                "oflag=direct",
                "conv=fdatasync",
            ],
            as_root=True,
            timeout_s=WIPE_TIMEOUT_S,
        )

    def _run(self, *argv: str) -> str:
        return self._runner.run(argv, as_root=True, timeout_s=COMMAND_TIMEOUT_S).text
