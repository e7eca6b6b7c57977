# SPDX-License-Identifier: Apache-2.0
"""Guests: define and start, stop, reboot, and what they do now.

Runs in nova-compute.  Starting costs two calls to libvirtd; a start that fails leaves a definition that ``destroy``
removes and that another start replaces.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import libvirt

from nova import errors
from nova.domain.instance import Instance
from nova.domain.network import Nic
from nova.domain.states import PowerState
from nova.system import xml
from nova.system.files import ensure_directory
from nova.virt.driver import Guest
from nova.virt.libvirt.connection import GONE, Connection
from nova.virt.libvirt.guest import GuestBuilder
from nova.virt.libvirt.initiators import Initiator
from nova.virt.libvirt.layout import Layout
from nova.virt.libvirt.xml.metadata import is_ours

POLL_S = 0.1
ASK_AGAIN_S = 10.0
"""A guest that boots misses the power button; it is pressed again."""

POWER_STATES = {
    libvirt.VIR_DOMAIN_NOSTATE: PowerState.NOSTATE,
    libvirt.VIR_DOMAIN_RUNNING: PowerState.RUNNING,
    libvirt.VIR_DOMAIN_BLOCKED: PowerState.RUNNING,
    libvirt.VIR_DOMAIN_PAUSED: PowerState.PAUSED,
    libvirt.VIR_DOMAIN_SHUTDOWN: PowerState.RUNNING,  # on its way down, but still there
    libvirt.VIR_DOMAIN_SHUTOFF: PowerState.SHUTDOWN,
    libvirt.VIR_DOMAIN_CRASHED: PowerState.CRASHED,
    libvirt.VIR_DOMAIN_PMSUSPENDED: PowerState.SUSPENDED,
}

SIGNAL_INIT = libvirt.VIR_DOMAIN_SHUTDOWN_INITCTL | libvirt.VIR_DOMAIN_SHUTDOWN_SIGNAL
"""How a container is asked to go down: it has no power button"""
UNDEFINE = (
    libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
    | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
    | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
)


class Guests:
    """The life of guests on one libvirtd."""

    def __init__(
        self,
        *,
        connection: Connection,
        builder: GuestBuilder,
        initiator: Initiator,
        layout: Layout,
        prepare_bridges: Callable[[Iterable[Nic]], None],
        containers: bool = False,
    ) -> None:
        """
        :param prepare_bridges: makes the bridges that cards are plugged into, where they are missing
        :param containers: whether the guests are containers
        """
        self._states = _states_one_by_one if containers else _states
        self._prepare_bridges = prepare_bridges
        self._connection = connection
        self._builder = builder
        self._initiator = initiator
        self._layout = layout
        self._known: dict[str, bool] = {}
        """Whether a domain is ours; a uuid never changes sides."""

    def start(self, guest: Guest) -> None:
        """Define and run; a guest that runs already goes on running, with the new definition for its next start."""
        document = self._prepare(guest)
        self._connection.call("start the server", lambda handle: _start(handle, document))

    def define(self, guest: Guest) -> None:
        """Define, for the next start."""
        document = self._prepare(guest)
        self._connection.call("define the server", lambda handle: handle.defineXML(document))

    def destroy(self, instance: Instance) -> None:
        """Cut the power, forget the definition, and let go of its volumes."""
        disks = self._connection.find(instance.uuid, "delete the server", _destroy)
        self._known.pop(instance.uuid, None)
        for disk in disks or ():
            self._initiator.disconnect(disk)

    def shut_down(self, instance: Instance, *, timeout_s: float) -> None:
        """Ask for a power-off, then cut the power."""
        deadline = time.monotonic() + timeout_s
        while timeout_s and time.monotonic() < deadline:
            self._connection.find(instance.uuid, "stop the server", _press_power_button)
            if self._is_down(instance, min(deadline, time.monotonic() + ASK_AGAIN_S)):
                return
        self._connection.find(instance.uuid, "stop the server", _power_off)

    def reboot(self, guest: Guest, *, timeout_s: float) -> None:
        """Down and up again, with a definition that is made anew.

        The guest is asked to power off and then started, because only so it is certain when it obeyed.
        """
        self.shut_down(guest.instance, timeout_s=timeout_s)
        self.start(guest)

    def pause(self, instance: Instance) -> None:
        """Stop the processors."""
        self._change(instance, "pause the server", _pause)

    def unpause(self, instance: Instance) -> None:
        """Let them go on."""
        self._change(instance, "unpause the server", _unpause)

    def suspend(self, instance: Instance) -> None:
        """Have libvirt save the memory, which the next start of the domain takes up."""
        self._change(instance, "suspend the server", _save)

    def interrupt(self, instance: Instance) -> None:
        """Send the interrupt that cannot be masked."""
        self._change(instance, "interrupt the server", _interrupt)

    def power_state(self, instance: Instance) -> PowerState:
        """What one guest does."""
        state = self._connection.find(instance.uuid, "look at the server", lambda domain: domain.state()[0])
        return PowerState.NOSTATE if state is None else POWER_STATES[state]

    def power_states(self) -> dict[str, PowerState]:
        """What all of ours do: one call, and one more for each domain that was never seen before."""

        def look(handle: Any) -> dict[str, PowerState]:
            pairs = self._states(handle)
            return {domain.UUIDString(): POWER_STATES[state] for domain, state in pairs if self._is_ours(domain)}

        found = self._connection.call("list the servers", look)
        self._known = {uuid: ours for uuid, ours in self._known.items() if uuid in found or not ours}
        return found

    def _change(self, instance: Instance, what: str, change: Callable[[Any], bool]) -> None:
        """Do *change* to the domain, which says whether the guest was in a state for it."""
        done = self._connection.find(instance.uuid, what, change)
        if done is None:
            raise errors.NotFound.of("server", instance.uuid)
        if not done:
            raise errors.InvalidState(f"The hypervisor could not {what}: its guest is off.")

    def _prepare(self, guest: Guest) -> str:
        """Directory and volumes are there; the guest's XML."""
        ensure_directory(self._layout.directory(guest.instance))
        self._prepare_bridges(guest.nics)
        for volume in guest.volumes:
            self._initiator.connect(volume)
        return self._builder.domain(guest).text()

    def _is_ours(self, domain: Any) -> bool:
        uuid = domain.UUIDString()
        if uuid not in self._known:
            try:
                self._known[uuid] = is_ours(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
            except libvirt.libvirtError as exc:
                if exc.get_error_code() in GONE:
                    return False
                raise
        return self._known[uuid]

    def _is_down(self, instance: Instance, deadline: float) -> bool:
        while self.power_state(instance) in (PowerState.RUNNING, PowerState.PAUSED, PowerState.SUSPENDED):
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL_S)
        return True


def _start(handle: Any, document: str) -> None:
    domain = handle.defineXML(document)
    try:
        domain.create()
    except libvirt.libvirtError as exc:
        if exc.get_error_code() != libvirt.VIR_ERR_OPERATION_INVALID or not domain.isActive():
            raise


def _press_power_button(domain: Any) -> None:
    try:
        domain.shutdownFlags(SIGNAL_INIT if domain.OSType() == "exe" else libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN)
    except libvirt.libvirtError as exc:
        if exc.get_error_code() != libvirt.VIR_ERR_OPERATION_INVALID:
            raise


def _power_off(domain: Any) -> None:
    try:
        domain.destroy()
    except libvirt.libvirtError as exc:
        if exc.get_error_code() != libvirt.VIR_ERR_OPERATION_INVALID:
            raise


def _pause(domain: Any) -> bool:
    if not domain.isActive():
        return False
    if domain.state()[0] != libvirt.VIR_DOMAIN_PAUSED:
        domain.suspend()
    return True


def _unpause(domain: Any) -> bool:
    if not domain.isActive():
        return False
    if domain.state()[0] == libvirt.VIR_DOMAIN_PAUSED:
        domain.resume()
    return True


def _interrupt(domain: Any) -> bool:
    if not domain.isActive():
        return False
    domain.injectNMI(0)
    return True


def _save(domain: Any) -> bool:
    if domain.isActive():
        domain.managedSave(0)
    return bool(domain.hasManagedSaveImage(0))


def _is_container(root: Any) -> bool:
    return bool(root.get("type") == "lxc")


def _states_one_by_one(handle: Any) -> Iterator[tuple[Any, int]]:
    """The same where libvirt has no call for all: for containers."""
    for domain in handle.listAllDomains():
        yield domain, domain.state()[0]


def _states(handle: Any) -> Iterator[tuple[Any, int]]:
    """Each domain with its state, in one call."""
    for domain, stats in handle.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_STATE):
        yield domain, stats.get("state.state", libvirt.VIR_DOMAIN_NOSTATE)


def _destroy(domain: Any) -> list[Any]:
    """The volumes' disks that it had."""
    root = xml.parse(domain.XMLDesc(0), what="domain's XML")
    _power_off(domain)
    domain.undefineFlags(0 if _is_container(root) else UNDEFINE)
    return [disk for disk in root.iterfind("devices/disk") if disk.get("type") in ("network", "block")]
