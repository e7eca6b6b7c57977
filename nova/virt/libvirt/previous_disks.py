# SPDX-License-Identifier: Apache-2.0
"""The files of an instance that is made anew, set aside until that is settled, so that it can become what it was.

Runs in nova-compute.  The files, with the record of the disks, are in ``previous-KEY`` in the instance's directory when
all of them are, and on their way there, or back, in ``.moving-KEY``: what is in there is old, whatever has the same
name in the instance's directory is new.  So each step may be cut off anywhere and be begun again, either way.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from nova import errors
from nova.domain.instance import Instance
from nova.system.files import ensure_directory
from nova.virt.libvirt.layout import CONSOLE_LOG, MOVING, PREVIOUS, RECORD, DiskRecord, Layout

EPHEMERAL = "ephemeral"


class PreviousDisks:
    """See the module."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def set_aside(self, instance: Instance, *, key: str, keep_ephemeral: bool) -> None:
        """See :class:`nova.virt.driver.PreviousDisks`."""
        directory = self._layout.directory(instance)
        aside, moving = directory / f"{PREVIOUS}{key}", directory / f"{MOVING}{key}"
        if aside.exists() or not directory.exists():
            return
        try:
            ensure_directory(moving)
            record = self._layout.record_in(moving if (moving / RECORD).exists() else directory)
            for path in _files(directory, keep_ephemeral=keep_ephemeral):
                if path.name != RECORD:
                    _move(path, moving)
            _move(directory / RECORD, moving)
            if keep_ephemeral:
                kept = tuple(disk for disk in record.disks if disk.name.startswith(EPHEMERAL))
                self._layout.write_record(instance, DiskRecord(disks=kept))
            moving.rename(aside)
        except OSError as exc:
            raise errors.HypervisorError("The server's disks could not be set aside.", detail=str(exc)) from exc

    def restore(self, instance: Instance, *, key: str) -> None:
        """See :class:`nova.virt.driver.PreviousDisks`."""
        directory = self._layout.directory(instance)
        aside, moving = directory / f"{PREVIOUS}{key}", directory / f"{MOVING}{key}"
        try:
            if aside.exists():
                kept = self._has_kept(aside)
                for path in _files(directory, keep_ephemeral=kept):
                    path.unlink()
                aside.rename(moving)
            if moving.exists():
                for path in sorted(moving.iterdir(), key=lambda path: path.name == RECORD):
                    path.replace(directory / path.name)
                moving.rmdir()
        except OSError as exc:
            raise errors.HypervisorError("The server's disks could not be put back.", detail=str(exc)) from exc

    def drop(self, instance: Instance) -> None:
        """See :class:`nova.virt.driver.PreviousDisks`."""
        try:
            for path in self._layout.directory(instance).glob(f"{PREVIOUS}*"):
                shutil.rmtree(path)
        except OSError as exc:
            raise errors.HypervisorError("The server's old disks could not be removed.", detail=str(exc)) from exc

    def _has_kept(self, aside: Path) -> bool:
        """Whether ephemeral disks were left where they are: then they are in the record and not beside it."""
        named = [disk.name for disk in self._layout.record_in(aside).disks if disk.name.startswith(EPHEMERAL)]
        return any(not (aside / name).exists() for name in named)


def _files(directory: Path, *, keep_ephemeral: bool) -> Iterator[Path]:
    """The files that make a guest, but not what it said."""
    for path in sorted(directory.iterdir()):
        is_kept = keep_ephemeral and path.name.startswith(EPHEMERAL)
        if path.is_file() and not path.name.startswith(CONSOLE_LOG) and not is_kept:
            yield path


def _move(path: Path, moving: Path) -> None:
    """Unless the old file is there already: then this one is new, and goes."""
    if (moving / path.name).exists():
        path.unlink(missing_ok=True)
    elif path.exists():
        path.rename(moving / path.name)
