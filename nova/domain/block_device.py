# SPDX-License-Identifier: Apache-2.0
"""Block devices of instances and how a host reaches a volume."""

from __future__ import annotations

from dataclasses import dataclass

from nova.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockDevice:
    """One row of a server's block device mapping."""

    id: int = 0
    instance_uuid: str = ""
    source_type: str
    """image, volume, snapshot, blank"""
    destination_type: str
    """local, volume"""
    boot_index: int | None = None
    device_name: str = ""
    """As the guest's user was told: ``/dev/vdb``"""
    device_type: str = "disk"
    disk_bus: str = ""
    guest_format: str = ""
    volume_id: str = ""
    volume_host: str = ""
    """The nova-volume host that holds the volume; filled in for orders, no column."""
    snapshot_id: str = ""
    image_id: str = ""
    volume_size_gb: int | None = None
    delete_on_termination: bool = False
    no_device: bool = False
    attached: bool = False
    """False while it is being attached or detached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """Who wants to connect: a compute host, and its iSCSI initiator name."""

    host: str
    ip: str
    initiator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeConnection:
    """How to reach an exported volume over iSCSI (RFC 7143)."""

    volume_id: str
    portal: str
    """``address:port``"""
    iqn: str
    lun: int
    username: str = ""
    password: Secret | None = None
    """CHAP, for this attachment only."""
