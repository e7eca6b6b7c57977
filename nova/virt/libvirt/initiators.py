# SPDX-License-Identifier: Apache-2.0
"""Who speaks iSCSI for a guest: QEMU by itself (no kernel module, no device on the host), or the host's open-iscsi.

Runs in nova-compute.  A CHAP password is given to libvirtd as a secret that only QEMU gets, or written to open-iscsi's
own record through standard input; it is in no command line, no XML and no log.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import libvirt

from nova import errors
from nova.domain.block_device import VolumeConnection
from nova.virt.driver import AttachedVolume
from nova.virt.libvirt.connection import Connection
from nova.virt.libvirt.xml.disk import IscsiDisk
from nova.virt.libvirt.xml.domain import Disk
from nova.virt.libvirt.xml.secret import IscsiSecret

ISCSI_PORT = 3260


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskPlace:
    """Where in a guest a volume is plugged in."""

    target: str
    bus: str = "virtio"
    limits: Mapping[str, int] = field(default_factory=dict)
    """``read_bytes_sec`` and its like"""


NOWHERE = DiskPlace(target="vdz")
"""For a disk that is only described, to be let go of"""


class Initiator(Protocol):
    """What the driver needs of an initiator.  All may be repeated."""

    def connect(self, volume: AttachedVolume) -> None:
        """Make the volume reachable from this host.

        :raises errors.HypervisorError: the target refuses
        """
        ...

    def disk(self, volume: AttachedVolume, *, place: DiskPlace, boot_order: int | None = None) -> Disk:
        """The guest's disk for a connected volume."""
        ...

    def disconnect(self, disk: Any) -> None:
        """Undo ``connect`` for a ``<disk>`` element that a guest has let go of."""
        ...


class QemuInitiator:
    """Each guest's QEMU logs in by itself."""

    def __init__(self, connection: Connection, *, name: str = "") -> None:
        """:param name: the name that every QEMU of this host logs in with"""
        self._connection = connection
        self._name = name

    def connect(self, volume: AttachedVolume) -> None:
        """Give libvirtd the password, if there is one."""
        way = volume.connection
        if way.password is None:
            return
        document = IscsiSecret(uuid=secret_uuid(way.volume_id), usage=way.volume_id).text()
        value = way.password.reveal().encode()
        self._connection.call(
            "keep the volume's password", lambda handle: handle.secretDefineXML(document).setValue(value)
        )

    def disk(self, volume: AttachedVolume, *, place: DiskPlace, boot_order: int | None = None) -> IscsiDisk:
        """A network disk."""
        way = volume.connection
        address, port = portal(way)
        return IscsiDisk(
            iqn=way.iqn,
            lun=way.lun,
            address=address,
            port=port,
            target=place.target,
            bus=place.bus,
            limits=place.limits,
            serial=way.volume_id,
            username=way.username,
            secret_uuid=secret_uuid(way.volume_id) if way.password is not None else "",
            initiator=self._name,
            boot_order=boot_order,
        )

    def disconnect(self, disk: Any) -> None:
        """Take the password back from libvirtd."""
        secret = disk.find("source/auth/secret")
        if secret is None:
            return

        def forget(handle: Any) -> None:
            try:
                handle.secretLookupByUUIDString(secret.get("uuid")).undefine()
            except libvirt.libvirtError as exc:
                if exc.get_error_code() != libvirt.VIR_ERR_NO_SECRET:
                    raise

        self._connection.call("forget the volume's password", forget)


def qemu_initiator(host: str) -> str:
    """The initiator name of the guests of *host*."""
    return f"iqn.2010-10.org.openstack:{host}"


def secret_uuid(volume_id: str) -> str:
    """The id of a volume's secret in libvirt: always the same for the same volume."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:nova:volume:{volume_id}"))


def portal(way: VolumeConnection) -> tuple[str, int]:
    """Address and port of a portal: ``10.0.0.1:3260``, ``[fd00::1]:3260`` or without the port.

    :raises errors.HypervisorError: the text is neither
    """
    text = way.portal
    host, colon, port = text.rpartition(":") if text.count(":") == 1 or "]:" in text else (text, "", "")
    if colon and not port.isdecimal():
        raise errors.HypervisorError("The volume's address is not valid.", detail=repr(text))
    return host.strip("[]"), int(port) if colon else ISCSI_PORT
