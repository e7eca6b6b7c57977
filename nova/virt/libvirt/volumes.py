# SPDX-License-Identifier: Apache-2.0
"""Volumes of guests: attached and detached while they run, and in their kept definition.

Runs in nova-compute.  When the guest does not let go of a disk, it keeps it, and the caller is told.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import libvirt

from nova import errors
from nova.domain.block_device import BlockDevice, Connector
from nova.domain.guest_hardware import hardware_of
from nova.system import xml
from nova.virt.driver import AttachedVolume, Guest
from nova.virt.libvirt.connection import Connection
from nova.virt.libvirt.guest import place_of, target_of
from nova.virt.libvirt.initiators import NOWHERE, Initiator, qemu_initiator
from nova.virt.libvirt.settings import LibvirtSettings

LOG = logging.getLogger(__name__)

INITIATOR_NAME = Path("/etc/iscsi/initiatorname.iscsi")
POLL_S = 0.1
ASK_AGAIN_S = 5.0

LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE
CONFIG = libvirt.VIR_DOMAIN_AFFECT_CONFIG
INACTIVE = libvirt.VIR_DOMAIN_XML_INACTIVE


class GuestVolumes:
    """The volumes' side of the driver."""

    def __init__(self, settings: LibvirtSettings, *, connection: Connection, initiator: Initiator) -> None:
        self._settings = settings
        self._connection = connection
        self._initiator = initiator

    def connector(self) -> Connector:
        """This host to a storage target."""
        initiator = qemu_initiator(self._settings.host)
        if self._settings.volume_initiator == "host":
            initiator = _host_initiator_name() or initiator
        return Connector(host=self._settings.host, ip=self._settings.host_ip, initiator=initiator)

    def attach(self, guest: Guest, volume: AttachedVolume) -> None:
        """Give the guest the disk; when it does not work, the volume is let go of again."""
        self._initiator.connect(volume)

        def plug(domain: Any) -> bool:
            if _disk_of(domain, volume.device.volume_id) is not None:
                return True
            names = {target.get("dev") for target in _parsed(domain).iterfind("devices/disk/target")}
            taken = {f"vd{name[2:]}" for name in names}
            place = place_of(volume.device, target_of(volume.device, taken), hardware_of(guest.instance))
            disk = self._initiator.disk(volume, place=place)
            domain.attachDeviceFlags(xml.serialize(disk.build()), _affected(domain))
            return True

        try:
            found = self._connection.find(guest.instance.uuid, "attach the volume", plug)
        except errors.HypervisorError:
            self._initiator.disconnect(self._initiator.disk(volume, place=NOWHERE).build())
            raise
        if found is None:
            raise errors.NotFound.of("server", guest.instance.uuid)

    def detach(self, guest: Guest, device: BlockDevice) -> None:
        """Take the disk away and wait until the guest released it.

        :raises errors.HypervisorError: the guest still uses it after the configured time
        """
        uuid, volume_id = guest.instance.uuid, device.volume_id
        disk = self._connection.find(uuid, "find the volume", lambda domain: _disk_of(domain, volume_id))
        if disk is None:
            self._forget(guest, volume_id)
            return
        self._drop_config(uuid, volume_id)
        deadline = time.monotonic() + self._settings.detach_timeout_s
        while self._ask_to_release(uuid, volume_id):
            if _released(lambda: self._is_live(uuid, volume_id), min(deadline, time.monotonic() + ASK_AGAIN_S)):
                break
            if time.monotonic() >= deadline:
                raise errors.HypervisorError(
                    "The server did not release the volume; unmount it in the server and try again.",
                    detail=f"after {self._settings.detach_timeout_s:g} s",
                )
        self._initiator.disconnect(disk)

    def _forget(self, guest: Guest, volume_id: str) -> None:
        """The disk is gone already; let the host go of what it still may have of it."""
        for volume in guest.volumes:
            if volume.device.volume_id == volume_id:
                self._initiator.disconnect(self._initiator.disk(volume, place=NOWHERE).build())

    def _drop_config(self, uuid: str, volume_id: str) -> None:
        def drop(domain: Any) -> None:
            disk = _disk_in(xml.parse(domain.XMLDesc(INACTIVE)), volume_id)
            if disk is not None:
                domain.detachDeviceFlags(xml.serialize(disk), CONFIG)

        self._connection.find(uuid, "detach the volume", drop)

    def _ask_to_release(self, uuid: str, volume_id: str) -> bool:
        """Ask the running guest once; whether there is something to wait for."""

        def ask(domain: Any) -> bool:
            disk = _disk_in(_parsed(domain), volume_id) if domain.isActive() else None
            if disk is None:
                return False
            try:
                domain.detachDeviceFlags(xml.serialize(disk), LIVE)
            except libvirt.libvirtError as exc:
                # It was asked already and thinks about it, or has just gone.
                LOG.debug("Domain %s was asked for volume %s: %s", uuid, volume_id, exc)
            return True

        return bool(self._connection.find(uuid, "detach the volume", ask))

    def _is_live(self, uuid: str, volume_id: str) -> bool:
        def look(domain: Any) -> bool:
            return bool(domain.isActive()) and _disk_in(_parsed(domain), volume_id) is not None

        return bool(self._connection.find(uuid, "look at the server's disks", look))


def _released(is_live: Callable[[], bool], deadline: float) -> bool:
    while is_live():
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_S)
    return True


def _parsed(domain: Any) -> Any:
    return xml.parse(domain.XMLDesc(0), what="domain's XML")


def _disk_of(domain: Any, volume_id: str) -> Any | None:
    """The disk in what runs, else in the kept definition."""
    found = _disk_in(_parsed(domain), volume_id)
    return found if found is not None else _disk_in(xml.parse(domain.XMLDesc(INACTIVE)), volume_id)


def _disk_in(root: Any, volume_id: str) -> Any | None:
    return next((disk for disk in root.iterfind("devices/disk") if disk.findtext("serial") == volume_id), None)


def _affected(domain: Any) -> int:
    return int(CONFIG | LIVE if domain.isActive() else CONFIG)


def _host_initiator_name() -> str:
    try:
        lines = INITIATOR_NAME.read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition("=")[2].strip() for line in lines if line.startswith("InitiatorName=")), "")
