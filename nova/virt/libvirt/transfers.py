# SPDX-License-Identifier: Apache-2.0
"""Running guests that go to another host's libvirtd, and those that come from one.

Runs in nova-compute.  libvirtd here talks with libvirtd there; while it does the guest runs here, and when it fails the
guest goes on here.  What is kept of the guest on its new host is that host's own definition: no path, address or device
of the old one comes with it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

import libvirt

from nova import errors
from nova.domain.disk_offer import Landing
from nova.domain.instance import Instance
from nova.domain.move import Progress
from nova.domain.network import Nic
from nova.system import xml
from nova.virt.driver import Guest
from nova.virt.libvirt.connection import Connection
from nova.virt.libvirt.guest import GuestBuilder
from nova.virt.libvirt.initiators import Initiator
from nova.virt.libvirt.settings import LibvirtSettings

LOG = logging.getLogger(__name__)

ALWAYS = (
    libvirt.VIR_MIGRATE_LIVE
    | libvirt.VIR_MIGRATE_PEER2PEER
    | libvirt.VIR_MIGRATE_UNDEFINE_SOURCE
    | libvirt.VIR_MIGRATE_PERSIST_DEST
)
BITS_PER_MIB = 8 * 1.048576
KINDS = {
    "memory": ("memory_total", "memory_processed", "memory_remaining"),
    "disk": ("disk_total", "disk_processed", "disk_remaining"),
}


class Transfers:
    """Live migrations of one host."""

    def __init__(
        self,
        settings: LibvirtSettings,
        *,
        connection: Connection,
        builder: GuestBuilder,
        initiator: Initiator,
        prepare_bridges: Callable[[Iterable[Nic]], None],
    ) -> None:
        self._prepare_bridges = prepare_bridges
        self._settings = settings
        self._connection = connection
        self._builder = builder
        self._initiator = initiator

    def landing(self, guest: Guest, *, copies_disks: bool) -> Landing:
        """The guest as this host would run it; its bridges are there from now on."""
        self._prepare_bridges(guest.nics)
        for volume in guest.volumes:
            self._initiator.connect(volume)
        address = self._settings.move_address or self._settings.host_ip
        return Landing(
            uri=self._settings.move_uri.replace("%s", _bracketed(address)),
            address=address,
            definition=self._builder.domain(guest).text(),
            copies_disks=copies_disks,
        )

    def transfer(self, instance: Instance, landing: Landing) -> None:
        """Ask libvirtd, and wait."""
        flags, parameters = self._flags(landing), self._parameters(landing)

        def move(domain: Any) -> bool:
            wanted = xml.serialize(_for_move(landing.definition, domain))
            parameters[libvirt.VIR_MIGRATE_PARAM_DEST_XML] = wanted
            parameters[libvirt.VIR_MIGRATE_PARAM_PERSIST_XML] = landing.definition
            domain.migrateToURI3(landing.uri, parameters, flags)
            return True

        if self._connection.find(instance.uuid, "move the server", move) is None:
            raise errors.NotFound.of("server", instance.uuid)

    def progress(self, instance: Instance) -> Progress:
        """What libvirtd says of its job."""

        def look(domain: Any) -> Progress:
            try:
                found = domain.jobStats()
            except libvirt.libvirtError as exc:
                LOG.debug("The job of domain %s is not known: %s", instance.uuid, exc)
                return Progress()
            return Progress(**{name: int(found.get(name, 0)) for names in KINDS.values() for name in names})

        return self._connection.find(instance.uuid, "look at the move", look) or Progress()

    def abort(self, instance: Instance) -> None:
        """End the job."""
        self._connection.find(instance.uuid, "call the move off", _abort)

    def force(self, instance: Instance) -> None:
        """Pause the guest: what does not change is copied in the end."""
        self._connection.find(instance.uuid, "let the server wait", _pause)

    def settle(self, guest: Guest, *, paused: bool) -> None:
        """Keep the definition, and let the guest go on."""
        document = self._builder.domain(guest).text()

        def keep(domain: Any) -> bool:
            if not domain.isPersistent():
                domain.connect().defineXML(document)
            if not paused and domain.state()[0] == libvirt.VIR_DOMAIN_PAUSED:
                domain.resume()
            return True

        if self._connection.find(guest.instance.uuid, "keep the server", keep) is None:
            raise errors.NotFound.of("server", guest.instance.uuid)

    def _flags(self, landing: Landing) -> int:
        named = self._settings.move_flags_copying if landing.copies_disks else self._settings.move_flags
        flags = ALWAYS | _named(named)
        if landing.copies_disks:
            flags &= ~libvirt.VIR_MIGRATE_NON_SHARED_INC
            flags |= libvirt.VIR_MIGRATE_NON_SHARED_DISK
        else:
            flags |= libvirt.VIR_MIGRATE_UNSAFE  # both sides were seen to have the very same files
        if self._settings.move_tls:
            flags |= libvirt.VIR_MIGRATE_TLS
        return int(flags)

    def _parameters(self, landing: Landing) -> dict[str, Any]:
        parameters: dict[str, Any] = {libvirt.VIR_MIGRATE_PARAM_URI: f"tcp://{_bracketed(landing.address)}"}
        if self._settings.move_mbit_s:
            per_second = max(1, int(self._settings.move_mbit_s / BITS_PER_MIB))
            parameters[libvirt.VIR_MIGRATE_PARAM_BANDWIDTH] = per_second
        if landing.copies_disks:
            parameters[libvirt.VIR_MIGRATE_PARAM_MIGRATE_DISKS] = _writable_files(landing.definition)
            parameters[libvirt.VIR_MIGRATE_PARAM_LISTEN_ADDRESS] = landing.address
        return parameters


def _named(names: tuple[str, ...]) -> int:
    """libvirt's numbers for the names of flags; one that it does not know is left out."""
    flags = 0
    for name in names:
        value = getattr(libvirt, name, None)
        if isinstance(value, int) and name.startswith("VIR_MIGRATE_") and not name.startswith("VIR_MIGRATE_PARAM"):
            flags |= value
        else:
            LOG.warning("libvirt knows no flag %s for migrations.", name)
    return flags


def _writable_files(definition: str) -> list[str]:
    """The targets of the disks that are copied: local files that the guest writes to."""
    root = xml.parse(definition, what="domain's XML")
    return [
        disk.find("target").get("dev")
        for disk in root.iterfind("devices/disk")
        if disk.get("type") == "file" and disk.find("readonly") is None
    ]


def _for_move(definition: str, domain: Any) -> Any:
    """The running guest's own description with what is different on its new host: files, displays, sockets of logs.

    libvirt takes nothing else: what the guest itself sees must stay as it is.
    """
    root = xml.parse(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_MIGRATABLE | libvirt.VIR_DOMAIN_XML_SECURE))
    wanted = xml.parse(definition)
    there = {disk.find("target").get("dev"): disk for disk in wanted.iterfind("devices/disk")}
    for disk in root.iterfind("devices/disk"):
        new = there.get(disk.find("target").get("dev"))
        if new is not None:
            _replace(disk, new, "source")
            _replace(disk, new, "backingStore")
    for path in ("devices/serial/log", "devices/console/log"):
        for log, new_log in zip(root.iterfind(path), wanted.iterfind(path), strict=False):
            log.set("file", new_log.get("file"))
    cards = {card.find("mac").get("address"): card for card in wanted.iterfind("devices/interface")}
    for card in root.iterfind("devices/interface"):
        new = cards.get(card.find("mac").get("address"))
        if new is not None:
            _replace(card, new, "source")
            _replace(card, new, "target")
    _replace_all(root.find("devices"), wanted.find("devices"), "graphics")
    for name in ("kernel", "initrd"):
        old, new = root.find(f"os/{name}"), wanted.find(f"os/{name}")
        if old is not None and new is not None:
            old.text = new.text
    return root


def _replace(element: Any, other: Any, name: str) -> None:
    """Let *element* have the child *name* of *other*, in the place of its own."""
    old, new = element.find(name), other.find(name)
    if old is not None and new is not None:
        element.replace(old, new)
    elif new is not None:
        element.append(new)


def _replace_all(element: Any, other: Any, name: str) -> None:
    for old, new in zip(element.findall(name), other.findall(name), strict=False):
        element.replace(old, new)


def _abort(domain: Any) -> None:
    try:
        domain.abortJob()
    except libvirt.libvirtError as exc:
        if exc.get_error_code() != libvirt.VIR_ERR_OPERATION_INVALID:
            raise


def _pause(domain: Any) -> None:
    try:
        domain.suspend()
    except libvirt.libvirtError as exc:
        if exc.get_error_code() != libvirt.VIR_ERR_OPERATION_INVALID:
            raise


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
