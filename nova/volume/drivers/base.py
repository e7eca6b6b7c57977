# SPDX-License-Identifier: Apache-2.0
"""What nova-volume needs of a place where volumes are kept.

Every method may be repeated: doing it again when it is done changes nothing.  Errors: NoCapacity when there is no room,
HypervisorError when a tool refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from nova.domain.volume import Volume


class VolumeDriver(Protocol):
    """One kind of place."""

    name: str
    """``file`` or ``lvm``, as reported to the scheduler"""

    def check(self) -> None:
        """Raise Unavailable, with what to do, when no volume could be made here."""
        ...

    def create(self, volume: Volume) -> None:
        """Make room for the volume; it reads as zeros or random bytes.  Not repeated once it was given to somebody."""
        ...

    def delete(self, volume: Volume) -> None:
        """Make what was in it unreadable, and give the room back."""
        ...

    def path(self, volume: Volume) -> Path:
        """The block device or raw file to export."""
        ...

    def capacity(self) -> tuple[float, float]:
        """GB in all, and GB free."""
        ...


class Target(Protocol):
    """The iSCSI target that exports volumes (RFC 7143)."""

    def export(self, *, number: int, iqn: str, path: Path, initiator: str, username: str, password: str) -> None:
        """Make *path* LUN 1 of target *number*, for one initiator that knows the CHAP secret; nobody else gets in."""
        ...

    def withdraw(self, *, number: int, iqn: str) -> None:
        """Remove the target with its connections; nothing happens when it is not there, or is another volume's."""
        ...

    def targets(self) -> dict[int, str]:
        """The names of the targets that are there, by number; Unavailable when the target daemon does not run."""
        ...
