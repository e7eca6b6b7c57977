# SPDX-License-Identifier: Apache-2.0
"""A driver whose guests live in memory: a full peer of the real one for tests of the cloud and of its scale.

Guests do nothing, at once.  Images are read and inspected like real ones, once each, then forgotten.  Tests make any
method fail or take long with ``fail`` and ``delay``.  With a :class:`GuestMemory` guests outlive the daemon; without
one, nothing is left behind but memory.
"""

from __future__ import annotations

import hashlib
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from nova import errors
from nova.context import RequestContext
from nova.domain.blank_disks import BlankDisk, blank_disks
from nova.domain.block_device import BlockDevice, Connector
from nova.domain.disk_offer import DiskOffer, Landing, OfferedDisk
from nova.domain.flavor import Flavor
from nova.domain.guest_hardware import hardware_of
from nova.domain.host import HostResources
from nova.domain.image import Image
from nova.domain.injection import Injection
from nova.domain.instance import Instance
from nova.domain.move import Progress
from nova.domain.states import PowerState
from nova.secret import Secret, same_secret
from nova.virt.driver import AttachedVolume, DiskCopy, Guest, ImageReader
from nova.virt.fake_memory import GuestMemory, Remembered
from nova.virt.images.inspector import GIB, Inspection, check_fits

CONSOLE_BYTES = 64 * 1024
_LANDINGS: weakref.WeakValueDictionary[str, FakeDriver] = weakref.WeakValueDictionary()
"""The hosts of this process that expect guests"""
ON = frozenset({PowerState.RUNNING, PowerState.PAUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeSettings:
    """What the host pretends to have."""

    host: str
    host_ip: str = "127.0.0.1"
    vcpus: int = 1000
    memory_mb: int = 1024 * 1024
    disk_gb: int = 100_000


@dataclass
class FakeGuest:
    """One guest; tests may look at it."""

    instance: Instance
    state: PowerState = PowerState.RUNNING
    console: bytes = b""
    volumes: dict[str, AttachedVolume] = field(default_factory=dict)
    starts: int = 0
    rescued: bool = False
    saved: bool = False
    """Whether its memory is on the disk"""
    cards: tuple[str, ...] = ()
    """The MAC addresses that it was started with or given since"""


class FakeDriver:
    """Guests in memory (``nova.virt.driver.Driver``)."""

    def __init__(self, settings: FakeSettings, memory: GuestMemory | None = None) -> None:
        self._settings = settings
        self._memory = memory
        self._lock = threading.Lock()
        self._happened = threading.Condition(self._lock)
        self._events: list[str] = []
        self._asked = threading.local()
        """How many events the thread has seen"""
        self._images: dict[str, int] = {}
        self._fetching: dict[str, threading.Lock] = {}
        self._faults: dict[str, deque[errors.NovaError]] = {}
        self._delays: dict[str, float] = {}
        self.guests: dict[str, FakeGuest] = {}
        self.disks: dict[str, int] = {}
        """GB on disk by instance uuid"""
        self.blank_disks: dict[str, tuple[BlankDisk, ...]] = {}
        self.config_drives: dict[str, dict[str, bytes]] = {}
        self.injections: dict[str, Injection | None] = {}
        self.aside: dict[str, int] = {}
        """The same of disks that were set aside"""
        self.mark = ""
        """Tests let hosts share their disks by giving them the same one"""
        self._expected: dict[str, Guest] = {}
        self._moved: dict[str, int] = {}
        """The move that made the disks, by instance uuid"""
        self.rescue_disks: dict[str, str] = {}
        """The image that each rescue disk was made from, by instance uuid"""
        self.passwords: dict[str, str] = {}
        """Of the guests in which one was set"""
        self.deaf: set[str] = set()
        """Instances whose guests do not obey their power button"""
        self._consoles: dict[str, bytes] = {}
        """What the last guest of an instance had said: its log is among its disks"""
        self.images: dict[str, str] = {}
        """The image that each root disk was made from, by instance uuid"""
        self.previous: dict[tuple[str, str], tuple[str, dict[str, bytes]]] = {}
        """What was set aside: image and configuration drive by instance uuid and key"""
        self.copies: dict[str, dict[str, bytes]] = {}
        """Copies of root disks: bytes by name by instance uuid"""
        self.calls: list[str] = []
        """Names of the methods that were called, in order; only those that change something"""
        for left in memory.recall() if memory else ():
            found = FakeGuest(instance=left.instance, state=left.state, saved=left.saved, rescued=left.rescued)
            self.guests[left.instance.uuid] = found

    def fail(self, method: str, error: errors.NovaError, *, times: int = 1) -> None:
        """Let the next *times* calls of *method* raise *error* before they do anything."""
        self._faults.setdefault(method, deque()).extend([error] * times)

    def delay(self, method: str, seconds: float) -> None:
        """Let each call of *method* take that long from now on."""
        self._delays[method] = seconds

    def fetch_images(
        self, context: RequestContext, images: tuple[Image, ...], reader: ImageReader, *, limit_gb: int = 0
    ) -> None:
        """Read and inspect the images that were not seen before."""
        self._enter("fetch_images")
        for image in images:
            with self._lock:
                lock = self._fetching.setdefault(_key(image), threading.Lock())
            with lock:
                self._fetch(context, image, reader, limit_gb)

    def create_disks(
        self,
        instance: Instance,
        *,
        image: Image | None,
        kernel: Image | None,
        ramdisk: Image | None,
        devices: Sequence[BlockDevice] = (),
        injection: Injection | None = None,
    ) -> None:
        """Note that the disks are there."""
        self._enter("create_disks")
        self._check_cached(image, kernel, ramdisk)
        with self._lock:
            others = sum(size_gb for uuid, size_gb in self.disks.items() if uuid != instance.uuid)
            if others + instance.flavor.disk_gb > self._settings.disk_gb:
                raise errors.NoCapacity(f"No space left on device of host {self._settings.host}.")
            self.disks[instance.uuid] = instance.flavor.disk_gb
            self.images.setdefault(instance.uuid, image.id if image else "")
            self.blank_disks[instance.uuid] = blank_disks(instance.flavor, devices)
            self.injections[instance.uuid] = injection

    def set_aside_disks(self, instance: Instance, *, key: str, keep_ephemeral: bool) -> None:
        """Note what the disks were made from."""
        self._enter("set_aside_disks")
        uuid = instance.uuid
        with self._lock:
            if (uuid, key) not in self.previous:
                self.previous[uuid, key] = (self.images.pop(uuid, ""), self.config_drives.pop(uuid, {}))

    def restore_disks(self, instance: Instance, *, key: str) -> None:
        """Let that be true again."""
        self._enter("restore_disks")
        with self._lock:
            if (previous := self.previous.pop((instance.uuid, key), None)) is not None:
                self.images[instance.uuid], self.config_drives[instance.uuid] = previous

    def drop_previous_disks(self, instance: Instance) -> None:
        """Forget it."""
        self._enter("drop_previous_disks")
        with self._lock:
            self._drop_previous(instance)

    def _drop_previous(self, instance: Instance) -> None:
        """The lock is held."""
        self.previous = {key: kept for key, kept in self.previous.items() if key[0] != instance.uuid}

    def create_config_drive(self, instance: Instance, files: Mapping[str, bytes]) -> None:
        """Keep the files."""
        self._enter("create_config_drive")
        with self._lock:
            self.config_drives[instance.uuid] = dict(files)

    def create_rescue_disk(
        self, instance: Instance, *, image: Image, kernel: Image | None, ramdisk: Image | None
    ) -> None:
        """Note that the disk is there."""
        self._enter("create_rescue_disk")
        self._check_cached(image, kernel, ramdisk)
        with self._lock:
            self.rescue_disks[instance.uuid] = image.id

    def delete_rescue_disk(self, instance: Instance) -> None:
        """Forget it."""
        self._enter("delete_rescue_disk")
        with self._lock:
            self.rescue_disks.pop(instance.uuid, None)

    def delete_disks(self, instance: Instance) -> None:
        """Forget the disks."""
        self._enter("delete_disks")
        with self._lock:
            self.disks.pop(instance.uuid, None)
            self._consoles.pop(instance.uuid, None)
            self.blank_disks.pop(instance.uuid, None)
            self.config_drives.pop(instance.uuid, None)
            self.injections.pop(instance.uuid, None)
            self.rescue_disks.pop(instance.uuid, None)
            self.copies.pop(instance.uuid, None)
            self.images.pop(instance.uuid, None)
            self._drop_previous(instance)

    def copy_root_disk(self, instance: Instance, *, name: str, on_progress: Callable[[float], None]) -> DiskCopy:
        """A disk that says whose it is, padded to a sector."""
        self._enter("copy_root_disk")
        on_progress(0.5)
        with self._lock:
            if instance.uuid not in self.disks:
                raise errors.HypervisorError("The server has no root disk on its host.")
            content = f"root disk of {instance.uuid}\n".encode().ljust(512, b"\0")
            copies = self.copies.setdefault(instance.uuid, {})
            return DiskCopy(name=name, disk_format="raw", size_bytes=len(copies.setdefault(name, content)))

    def read_disk_copy(self, instance: Instance, copy: DiskCopy) -> Iterator[bytes]:
        """Half of it, then the other half."""
        self._enter("read_disk_copy")
        content = self.copies[instance.uuid][copy.name]
        yield content[:256]
        yield content[256:]

    def drop_disk_copies(self, instance: Instance) -> None:
        """Forget them."""
        self._enter("drop_disk_copies")
        with self._lock:
            self.copies.pop(instance.uuid, None)

    def stored_instances(self) -> frozenset[str]:
        """The instances that have disks."""
        with self._lock:
            return frozenset(self.disks) | frozenset(self.aside)

    def age_out_images(self, *, min_age_s: float) -> tuple[Path, ...]:
        """Nothing is on a disk, so nothing goes."""
        return ()

    def set_disks_aside(self, instance: Instance, *, move_id: int) -> None:
        """Keep the number under another name."""
        self._enter("set_disks_aside")
        with self._lock:
            if instance.uuid not in self.aside:
                self.aside[instance.uuid] = self.disks.pop(instance.uuid, 0)

    def bring_disks_back(self, instance: Instance, *, move_id: int) -> None:
        """The number is back."""
        self._enter("bring_disks_back")
        with self._lock:
            if instance.uuid in self.aside:
                self.disks[instance.uuid] = self.aside.pop(instance.uuid)

    def delete_disks_aside(self, instance: Instance, *, move_id: int | None = None) -> None:
        """Forget it."""
        self._enter("delete_disks_aside")
        with self._lock:
            self.aside.pop(instance.uuid, None)

    def offer_disks(self, instance: Instance, *, move_id: int) -> DiskOffer:
        """Say how large the disk is."""
        self._enter("offer_disks")
        with self._lock:
            if instance.uuid not in self.aside:
                raise errors.InvalidState("The server's disks were not set aside on this host.")
            disk = OfferedDisk(name="root", size_bytes=self.aside[instance.uuid] * GIB)
        return DiskOffer(address=self._settings.host_ip, disks=(disk,))

    def withdraw_disks(self, instance: Instance) -> None:
        """Nothing is read any more."""
        self._enter("withdraw_disks")

    def fetch_disks(
        self,
        instance: Instance,
        offer: DiskOffer,
        *,
        move_id: int,
        old_flavor: Flavor,
        devices: Sequence[BlockDevice] = (),
    ) -> None:
        """Note that the disks are there, as large as the flavor says."""
        self.mark_moved_disks(instance, move_id=move_id)
        self._enter("fetch_disks")
        with self._lock:
            self.disks[instance.uuid] = instance.flavor.disk_gb

    def mark_moved_disks(self, instance: Instance, *, move_id: int) -> None:
        """Note whose they are."""
        with self._lock:
            self._moved[instance.uuid] = move_id

    def has_moved_disks(self, instance: Instance, *, move_id: int) -> bool:
        """What was noted."""
        with self._lock:
            return instance.uuid in self.disks and self._moved.get(instance.uuid) == move_id

    def delete_moved_disks(self, instance: Instance, *, move_id: int) -> None:
        """Forget them if they are that move's."""
        self._enter("delete_moved_disks")
        with self._lock:
            if self._moved.get(instance.uuid) == move_id:
                self.disks.pop(instance.uuid, None)
                del self._moved[instance.uuid]

    def describe_disks(self, instance: Instance, *, move_id: int) -> DiskOffer:
        """Say how large the disk is; nothing is shared."""
        self._enter("describe_disks")
        with self._lock:
            size = self.disks.get(instance.uuid, 0)
        return DiskOffer(
            address=self._settings.host_ip, disks=(OfferedDisk(name="root", size_bytes=size * GIB),), mark=self.mark
        )

    def shares_disks(self, instance: Instance, offer: DiskOffer) -> bool:
        """Whether a test said that the hosts share their disks."""
        self._enter("shares_disks")
        return bool(self.mark) and offer.mark == self.mark

    def make_landing_disks(self, instance: Instance, offer: DiskOffer, *, move_id: int) -> None:
        """Note that the disks are there."""
        self._enter("make_landing_disks")
        self.mark_moved_disks(instance, move_id=move_id)
        with self._lock:
            self.disks[instance.uuid] = instance.flavor.disk_gb

    def landing(self, guest: Guest, *, copies_disks: bool) -> Landing:
        """The guest is expected here."""
        self._enter("landing")
        key = f"fake:{self._settings.host}:{id(self)}"
        _LANDINGS[key] = self
        with self._lock:
            self._expected[guest.instance.uuid] = guest
        return Landing(uri=key, address=self._settings.host_ip, copies_disks=copies_disks)

    def transfer(self, instance: Instance, landing: Landing) -> None:
        """The guest is there, at once, as it was here."""
        self._enter("transfer")
        there = _LANDINGS.get(landing.uri)
        with self._lock:
            found = self.guests.get(instance.uuid)
        if there is None or found is None:
            raise errors.HypervisorError("The guest cannot go to the other host.")
        there.arrive(found)
        with self._lock:
            self.guests.pop(instance.uuid, None)
            self._remember(instance.uuid)

    def arrive(self, guest: FakeGuest) -> None:
        """A guest comes from another host."""
        with self._lock:
            expected = self._expected.pop(guest.instance.uuid, None)
            if expected is None:
                raise errors.HypervisorError("The guest is not expected on this host.")
            self.guests[guest.instance.uuid] = guest
            self._remember(guest.instance.uuid)

    def transfer_progress(self, instance: Instance) -> Progress:
        """Half of it is there."""
        memory = instance.flavor.memory_mb << 20
        return Progress(memory_total=memory, memory_processed=memory // 2, memory_remaining=memory // 2)

    def abort_transfer(self, instance: Instance) -> None:
        """It is over before anybody can call it off."""
        self._enter("abort_transfer")

    def force_transfer(self, instance: Instance) -> None:
        """It is over before anybody can force it."""
        self._enter("force_transfer")

    def settle(self, guest: Guest, *, paused: bool) -> None:
        """The guest is this host's now."""
        self._enter("settle")
        with self._known(guest.instance) as found:
            if found is not None:
                found.volumes = {volume.device.volume_id: volume for volume in guest.volumes}
                found.state = PowerState.PAUSED if paused else PowerState.RUNNING

    def start(self, guest: Guest) -> None:
        """The guest runs and says so on its console; one that was suspended has nothing to say."""
        self._enter("start")
        with self._lock:
            found = self._defined(guest)
            if found.saved:
                found.state, found.saved = PowerState.RUNNING, False
            elif found.state not in ON:
                _boot(found)
            self._remember(guest.instance.uuid)

    def define(self, guest: Guest) -> None:
        """The guest is known, and off."""
        self._enter("define")
        with self._lock:
            self._defined(guest)
            self._remember(guest.instance.uuid)

    def destroy(self, instance: Instance) -> None:
        """The guest is gone."""
        self._enter("destroy")
        with self._lock:
            gone = self.guests.pop(instance.uuid, None)
            self._remember(instance.uuid)
            if gone is not None and instance.uuid in self.disks:
                self._consoles[instance.uuid] = gone.console

    def shut_down(self, instance: Instance, *, timeout_s: float) -> None:
        """The guest obeys at once, unless it is deaf."""
        self._enter("shut_down")
        deadline = time.monotonic() + (timeout_s if instance.uuid in self.deaf else 0)
        while time.monotonic() < deadline and self.power_state(instance) is PowerState.RUNNING:
            time.sleep(0.01)
        with self._known(instance) as guest:
            if guest is not None:
                guest.state = PowerState.SHUTDOWN

    def reboot(self, guest: Guest, *, timeout_s: float) -> None:
        """Down and up."""
        self._enter("reboot")
        self.shut_down(guest.instance, timeout_s=timeout_s)
        self.start(guest)

    def pause(self, instance: Instance) -> None:
        """It stands still."""
        self._enter("pause")
        with self._running(instance) as guest:
            guest.state = PowerState.PAUSED

    def unpause(self, instance: Instance) -> None:
        """It goes on."""
        self._enter("unpause")
        with self._running(instance) as guest:
            guest.state = PowerState.RUNNING

    def suspend(self, instance: Instance) -> None:
        """It is off, and remembers."""
        self._enter("suspend")
        with self._known(instance) as guest:
            if guest is None:
                raise errors.NotFound.of("server", instance.uuid)
            if not guest.saved:
                _check_on(guest)
            guest.state, guest.saved = PowerState.SHUTDOWN, True

    def power_state(self, instance: Instance) -> PowerState:
        """What the guest does."""
        with self._known(instance) as guest:
            return PowerState.NOSTATE if guest is None else guest.state

    def power_states(self) -> dict[str, PowerState]:
        """What all guests do."""
        with self._lock:
            return {uuid: guest.state for uuid, guest in self.guests.items()}

    def replug(self, guest: Guest) -> None:
        """Nobody is on the other end."""
        self._enter("replug")

    def set_cards(self, guest: Guest) -> None:
        """A guest that is off gets them at its next start."""
        self._enter("set_cards")
        with self._lock:
            present = self.guests.get(guest.instance.uuid)
            if present is None:
                raise errors.NotFound.of("server", guest.instance.uuid)
            if present.state in (PowerState.RUNNING, PowerState.PAUSED):
                present.cards = tuple(nic.mac_address for nic in guest.nics)

    def connector(self) -> Connector:
        """A made-up initiator."""
        return Connector(
            host=self._settings.host,
            ip=self._settings.host_ip,
            initiator=f"iqn.2010-10.org.openstack:{self._settings.host}",
        )

    def attach_volume(self, guest: Guest, volume: AttachedVolume) -> None:
        """The guest has one more disk."""
        self._enter("attach_volume")
        with self._known(guest.instance) as found:
            if found is None:
                raise errors.NotFound.of("server", guest.instance.uuid)
            found.volumes[volume.device.volume_id] = volume

    def detach_volume(self, guest: Guest, device: BlockDevice) -> None:
        """The guest lets go of the disk at once."""
        self._enter("detach_volume")
        with self._known(guest.instance) as found:
            if found is not None:
                found.volumes.pop(device.volume_id, None)

    def check_agent(self, instance: Instance) -> None:
        """Whoever has the channel has the agent."""
        self._enter("check_agent")
        if not hardware_of(instance).has_guest_agent:
            raise errors.NotSupported("The server's image has no guest agent (hw_qemu_guest_agent).")
        with self._running(instance):
            pass

    def set_admin_password(self, instance: Instance, password: Secret) -> None:
        """The guest has a new password."""
        self._enter("set_admin_password")
        self.check_agent(instance)
        self.passwords[instance.uuid] = password.reveal()

    def interrupt(self, instance: Instance) -> None:
        """The guest says so."""
        self._enter("interrupt")
        with self._running(instance) as guest:
            guest.console += b"fake: interrupted\n"

    def diagnostics(self, instance: Instance) -> dict[str, int]:
        """Some numbers."""
        self._enter("diagnostics")
        with self._running(instance) as guest:
            cpus = {f"cpu{number}_time": guest.starts for number in range(instance.flavor.vcpus)}
            return {**cpus, "memory": instance.flavor.memory_mb * 1024, "vda_read": 0, "vda_write": 0}

    def console_output(self, name: str, *, max_bytes: int) -> bytes:
        """The end of what was said."""
        self._enter("console_output")
        with self._lock:
            for guest in self.guests.values():
                if guest.instance.name == name:
                    return guest.console[-max_bytes:] if max_bytes else b""
        raise errors.NotFound("The server has no console log.")

    def resources(self) -> HostResources:
        """What the settings say, less the disks that were made."""
        settings = self._settings
        with self._lock:
            running = sum(guest.state is PowerState.RUNNING for guest in self.guests.values())
            free_gb = max(0, settings.disk_gb - sum(self.disks.values()))
        return HostResources(
            host=settings.host,
            node=settings.host,
            vcpus=settings.vcpus,
            memory_mb=settings.memory_mb,
            disk_gb=settings.disk_gb,
            disk_available_gb=free_gb,
            hypervisor_type="fake",
            hypervisor_version=1000,
            cpu_info="{}",
            host_ip=settings.host_ip,
            running_vms=running,
            supported=(("x86_64", "fake", "hvm"),),
        )

    def check(self) -> None:
        """It can always run a guest, unless a test said otherwise."""
        self._enter("check")

    def wait_for_changes(self, *, timeout_s: float) -> frozenset[str] | None:
        """What :meth:`happens` was told since the calling thread last asked."""
        faults = self._faults.get("wait_for_changes")
        if faults:
            self._asked.seen = None
            raise faults.popleft()
        with self._happened:
            seen = getattr(self._asked, "seen", None)
            if seen is not None:
                self._happened.wait_for(lambda: len(self._events) > seen, timeout_s)
            self._asked.seen = len(self._events)
            return None if seen is None else frozenset(self._events[seen:])

    def happens(self, uuid: str, state: PowerState) -> None:
        """Let a guest change by itself, or by somebody's hand; NOSTATE takes it away."""
        with self._happened:
            if state is PowerState.NOSTATE:
                self.guests.pop(uuid, None)
            elif uuid in self.guests:
                self.guests[uuid].state = state
                self.guests[uuid].saved &= state not in ON
            self._events.append(uuid)
            self._happened.notify_all()

    def crash(self, instance: Instance) -> None:
        """Let a guest die, as when somebody killed its process."""
        self.happens(instance.uuid, PowerState.CRASHED)

    def _defined(self, guest: Guest) -> FakeGuest:
        """The guest as *guest* says; the lock is held."""
        uuid = guest.instance.uuid
        if guest.rescued and uuid not in self.rescue_disks:
            raise errors.HypervisorError("The server has no rescue disk on its host.")
        fresh = FakeGuest(instance=guest.instance, state=PowerState.SHUTDOWN, console=self._consoles.get(uuid, b""))
        found = self.guests.setdefault(uuid, fresh)
        found.volumes = {volume.device.volume_id: volume for volume in guest.volumes}
        found.rescued = guest.rescued
        if found.state not in ON:
            found.cards = tuple(nic.mac_address for nic in guest.nics)
        return found

    def _check_cached(self, *images: Image | None) -> None:
        for image in images:
            if image is not None and _key(image) not in self._images:
                raise errors.HypervisorError(f"The image {image.id} is not in the cache of this host.")

    def _fetch(self, context: RequestContext, image: Image, reader: ImageReader, limit_gb: int) -> None:
        limit = 0 if image.disk_format in ("aki", "ari") else limit_gb
        size_bytes = self._images.get(_key(image))
        if size_bytes is None:
            size_bytes = _read(context, image, reader, limit, self._settings.disk_gb * GIB)
            self._images[_key(image)] = size_bytes
        if limit and size_bytes > limit * GIB:
            raise errors.InvalidImage(f"The image unpacks to {size_bytes} bytes, more than the flavor's disk.")

    @contextmanager
    def _running(self, instance: Instance) -> Iterator[FakeGuest]:
        with self._known(instance) as guest:
            if guest is None:
                raise errors.NotFound.of("server", instance.uuid)
            _check_on(guest)
            yield guest

    @contextmanager
    def _known(self, instance: Instance) -> Iterator[FakeGuest | None]:
        with self._lock:
            yield self.guests.get(instance.uuid)
            self._remember(instance.uuid)

    def _remember(self, uuid: str) -> None:
        """The lock is held."""
        if self._memory is None:
            return
        guest = self.guests.get(uuid)
        kept = Remembered(guest.instance, guest.state, guest.saved, guest.rescued) if guest else None
        self._memory.note(uuid, kept)

    def _enter(self, method: str) -> None:
        """Do what a test asked for at the beginning of a method."""
        self.calls.append(method)
        if method in self._delays:
            time.sleep(self._delays[method])
        faults = self._faults.get(method)
        if faults:
            raise faults.popleft()


def _check_on(guest: FakeGuest) -> None:
    if guest.state not in ON:
        raise errors.InvalidState(f"The guest of server {guest.instance.uuid} is off.")


def _boot(guest: FakeGuest) -> None:
    guest.state = PowerState.RUNNING
    guest.starts += 1
    said = f"fake: {guest.instance.hostname} is ready after 0 s (start {guest.starts})\n".encode()
    guest.console = (guest.console + said)[-CONSOLE_BYTES:]


def _key(image: Image) -> str:
    return f"{image.id} {image.hash_value or image.checksum}"


def _read(context: RequestContext, image: Image, reader: ImageReader, limit_gb: int, free_bytes: int) -> int:
    """Read, verify and inspect; the unpacked size."""
    inspection = Inspection(image.disk_format or "")
    digest = hashlib.new(image.hash_algo or "md5", usedforsecurity=False)
    for chunk in reader.read(context, image.id):
        digest.update(chunk)
        inspection.feed(chunk)
    wanted = image.hash_value if image.hash_algo else image.checksum
    if wanted is None or not same_secret(digest.hexdigest(), wanted):
        raise errors.InvalidImage(f"The bytes of image {image.id} do not have the digest of the image service.")
    facts = inspection.facts()
    check_fits(facts, limit_gb=limit_gb, free_bytes=free_bytes)
    return facts.virtual_size_bytes
