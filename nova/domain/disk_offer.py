# SPDX-License-Identifier: Apache-2.0
"""What one compute host tells another about the disks of an instance that moves: where to read them, with what key."""

from __future__ import annotations

from dataclasses import dataclass

from nova.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedDisk:
    """One local disk, or a file that the guest is booted with."""

    name: str
    size_bytes: int
    """As the guest sees it"""
    format: str = "raw"
    target: str = ""
    cdrom: bool = False
    bus: str = ""
    port: int = 0
    """Where it can be read; 0 where it is only described"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskOffer:
    """All disks of an instance."""

    address: str = ""
    key: Secret | None = None
    """The pre-shared key of the connections; it is good for this offer only, and written down nowhere"""
    disks: tuple[OfferedDisk, ...] = ()
    files: tuple[OfferedDisk, ...] = ()
    direct_boot: bool = False
    mark: str = ""
    """What was just written into the instance's directory: who reads it there shares the storage"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """Where a running guest is to go on, as its destination says."""

    uri: str = ""
    """The hypervisor there, for the hypervisor here"""
    address: str = ""
    """Where the guest's memory is taken"""
    definition: str = ""
    """What the guest is on that host, in the hypervisor's words"""
    copies_disks: bool = False
