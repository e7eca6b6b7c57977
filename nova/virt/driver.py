# SPDX-License-Identifier: Apache-2.0
"""What nova-compute needs of a hypervisor, as a handful of small interfaces.

A driver is any object that has them all (:class:`Driver`).  All methods may block; nova-compute calls them as plain
functions.  Every method may be repeated: doing it again when it is done already changes nothing and raises nothing.
Errors: HypervisorError with the hypervisor's own words as detail; InvalidImage for bytes that must not be booted;
NoCapacity when the disk is full; NotFound for an unknown guest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from nova.context import RequestContext
from nova.domain.block_device import BlockDevice, Connector, VolumeConnection
from nova.domain.disk_offer import DiskOffer, Landing
from nova.domain.flavor import Flavor
from nova.domain.host import HostResources
from nova.domain.image import Image
from nova.domain.injection import Injection
from nova.domain.instance import Instance
from nova.domain.move import Progress
from nova.domain.network import Nic
from nova.domain.security_group import InstanceFilter
from nova.domain.states import PowerState
from nova.secret import Secret


class ImageReader(Protocol):
    """Where a driver gets an image's bytes from; passed in."""

    def read(self, context: RequestContext, image_id: str) -> Iterator[bytes]:
        """The bytes of an image, in chunks; NotFound, Forbidden or Unavailable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedVolume:
    """A volume of a guest: its place in the guest and the way to it."""

    device: BlockDevice
    connection: VolumeConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """All that a driver must know to start a guest."""

    instance: Instance
    image: Image | None = None
    """As it was at creation; None on later starts, where the disks are there."""
    nics: tuple[Nic, ...] = ()
    volumes: tuple[AttachedVolume, ...] = ()
    rescued: bool = False
    """Whether to boot from its rescue disk, with its own root disk as the second one and no other"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskCopy:
    """A copy of a root disk that is whole in itself: nothing is below it."""

    name: str
    disk_format: str
    """raw or qcow2"""
    size_bytes: int


class Disks(Protocol):
    """The instance's directory and its local disks."""

    def fetch_images(
        self, context: RequestContext, images: tuple[Image, ...], reader: ImageReader, *, limit_gb: int = 0
    ) -> None:
        """Bring images into the cache of this host: once each, however many ask at once; checked and converted.

        :param limit_gb: the flavor's root disk: a larger image is refused before it takes room; 0 is no limit
        """
        ...

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
        """Root, ephemeral and swap disks, from the cache: as the flavor says, or *devices* where they name some.

        :param injection: what is written into the files of a root disk that is new, as far as the host does that
        """
        ...

    def create_config_drive(self, instance: Instance, files: Mapping[str, bytes]) -> None:
        """A drive with *files* (content by path), which the guest finds at its next start; an older one is replaced.

        The instance's disks have been made.
        """
        ...

    def create_rescue_disk(
        self, instance: Instance, *, image: Image, kernel: Image | None, ramdisk: Image | None
    ) -> None:
        """A disk from the cache to rescue the guest with, as large as its root disk; an older one is replaced."""
        ...

    def delete_rescue_disk(self, instance: Instance) -> None:
        """Remove it; the instance's own disks stay."""
        ...

    def delete_disks(self, instance: Instance) -> None:
        """Remove all that belongs to the instance on this host's disk."""
        ...


class PreviousDisks(Protocol):
    """The disks that an instance had before it is made anew, until that is settled."""

    def set_aside_disks(self, instance: Instance, *, key: str, keep_ephemeral: bool) -> None:
        """Put all local disks of a guest that is off aside, but for ephemeral ones that are to be kept in use.

        When they are aside already under that *key*, whatever is in their place stays as it is.
        """
        ...

    def restore_disks(self, instance: Instance, *, key: str) -> None:
        """Put the disks that were set aside under *key* back, in place of any that were made since."""
        ...

    def drop_previous_disks(self, instance: Instance) -> None:
        """Remove all disks that were set aside."""
        ...


class DiskCopies(Protocol):
    """Copies of a guest's root disk, for images; they are part of the instance's directory until they are dropped."""

    def copy_root_disk(self, instance: Instance, *, name: str, on_progress: Callable[[float], None]) -> DiskCopy:
        """Copy the root disk with all that is below it, as it is at one moment, without stopping a guest that runs.

        A finished copy of that *name* is left as it is.

        :param on_progress: is called now and then with the part that is done, 0 to 1; what it raises ends the copying
        """
        ...

    def read_disk_copy(self, instance: Instance, copy: DiskCopy) -> Iterator[bytes]:
        """Its bytes, in chunks."""
        ...

    def drop_disk_copies(self, instance: Instance) -> None:
        """Remove all copies, finished or not."""
        ...


class MovingDisks(Protocol):
    """Local disks of instances that move between hosts."""

    def set_disks_aside(self, instance: Instance, *, move_id: int) -> None:
        """Keep the disks under another name, which is that move's; the guest is off and forgotten."""
        ...

    def bring_disks_back(self, instance: Instance, *, move_id: int) -> None:
        """Give disks that were set aside their name again; nothing happens when none were."""
        ...

    def delete_disks_aside(self, instance: Instance, *, move_id: int | None = None) -> None:
        """Remove disks that were set aside, for that move or for any."""
        ...

    def offer_disks(self, instance: Instance, *, move_id: int) -> DiskOffer:
        """Let another host read the disks that were set aside, each once, with a key that is made now.

        :raises errors.InvalidState: none were set aside
        """
        ...

    def withdraw_disks(self, instance: Instance) -> None:
        """End what was offered of the instance; a copy that is being made fails."""
        ...

    def fetch_disks(
        self,
        instance: Instance,
        offer: DiskOffer,
        *,
        move_id: int,
        old_flavor: Flavor,
        devices: Sequence[BlockDevice] = (),
    ) -> None:
        """Copy offered disks, those that are larger in the instance's flavor than in *old_flavor* grown to it.

        :raises errors.Unavailable: the other host does not answer, or has withdrawn them
        """
        ...

    def mark_moved_disks(self, instance: Instance, *, move_id: int) -> None:
        """Write down that the disks here were made by that move."""
        ...

    def has_moved_disks(self, instance: Instance, *, move_id: int) -> bool:
        """Whether the instance's disks here were made by that move."""
        ...

    def delete_moved_disks(self, instance: Instance, *, move_id: int) -> None:
        """Remove the instance's disks if they were made by that move; others stay."""
        ...


class LiveMoves(Protocol):
    """Guests that go to another host while they run."""

    def describe_disks(self, instance: Instance, *, move_id: int) -> DiskOffer:
        """The local disks of a running guest; what it only reads, and is booted with, may be read by the other host."""
        ...

    def shares_disks(self, instance: Instance, offer: DiskOffer) -> bool:
        """Whether the mark of *offer* is here too: then both hosts have the same disks below them."""
        ...

    def make_landing_disks(self, instance: Instance, offer: DiskOffer, *, move_id: int) -> None:
        """Empty disks of the sizes of *offer*, and copies of what the guest only reads."""
        ...

    def landing(self, guest: Guest, *, copies_disks: bool) -> Landing:
        """Where the guest is to go on here: the definition is this host's."""
        ...

    def transfer(self, instance: Instance, landing: Landing) -> None:
        """Move a running guest, and wait until it runs there and no longer here.

        A transfer that is under way already, from before a restart, is waited for.

        :raises errors.HypervisorError: it failed or was called off; the guest goes on here
        """
        ...

    def transfer_progress(self, instance: Instance) -> Progress:
        """How far the transfer is."""
        ...

    def abort_transfer(self, instance: Instance) -> None:
        """Call a transfer off; nothing happens when none is under way."""
        ...

    def force_transfer(self, instance: Instance) -> None:
        """Let the guest wait, so that nothing changes any more and the transfer comes to its end."""
        ...

    def settle(self, guest: Guest, *, paused: bool) -> None:
        """Keep the definition of a guest that has just arrived, and let it run unless it was *paused* by its owner."""
        ...


class Lifecycle(Protocol):
    """Guests: start, stop, look."""

    def start(self, guest: Guest) -> None:
        """Define the guest and run it, with all its disks and cards; a suspended one goes on where it was."""
        ...

    def define(self, guest: Guest) -> None:
        """Keep the guest's definition for its next start, and leave it off."""
        ...

    def destroy(self, instance: Instance) -> None:
        """Stop the guest at once and forget its definition, and the memory of a suspended one; the disks stay."""
        ...

    def shut_down(self, instance: Instance, *, timeout_s: float) -> None:
        """Ask the guest to power off; after *timeout_s* seconds (0: at once) cut its power."""
        ...

    def reboot(self, guest: Guest, *, timeout_s: float) -> None:
        """Ask the guest to reboot; one that has not gone down after *timeout_s* is reset."""
        ...

    def pause(self, instance: Instance) -> None:
        """Stop the guest's processors; NotFound, and InvalidState for one that is off."""
        ...

    def unpause(self, instance: Instance) -> None:
        """Let a paused guest go on; NotFound, and InvalidState for one that is off."""
        ...

    def suspend(self, instance: Instance) -> None:
        """Write the guest's memory to the disk and power it off; its next start goes on from there.

        NotFound, and InvalidState for a guest that is off and has no such memory.
        """
        ...

    def power_state(self, instance: Instance) -> PowerState:
        """What the guest does now; NOSTATE when the hypervisor does not know it."""
        ...

    def power_states(self) -> dict[str, PowerState]:
        """The same for all guests that this driver made, by instance uuid."""
        ...


class Nics(Protocol):
    """Cards of running guests."""

    def replug(self, guest: Guest) -> None:
        """Let the guest see each of its cards lose its link and get it back; nothing for a guest that is off."""
        ...

    def set_cards(self, guest: Guest) -> None:
        """Plug cards into a running guest and take cards out, until it has exactly those of *guest*.

        Nothing for a guest that is off: it gets its cards at its next start.

        :raises errors.HypervisorError: the guest does not let go of a card in time, and keeps it
        """
        ...


class Volumes(Protocol):
    """Volumes of running and stopped guests."""

    def connector(self) -> Connector:
        """Who this host is to a storage target."""
        ...

    def attach_volume(self, guest: Guest, volume: AttachedVolume) -> None:
        """Give the guest one more disk."""
        ...

    def detach_volume(self, guest: Guest, device: BlockDevice) -> None:
        """Take the disk away again, and wait until the guest has let go of it."""
        ...


class Inside(Protocol):
    """What a running guest shows, and what can be done in it.  InvalidState for a guest that is off."""

    def check_agent(self, instance: Instance) -> None:
        """Raise NotSupported where the guest has no channel for an agent, InvalidState where nobody answers there."""
        ...

    def set_admin_password(self, instance: Instance, password: Secret) -> None:
        """Have the agent set the password of the administrator; raises as :meth:`check_agent`."""
        ...

    def interrupt(self, instance: Instance) -> None:
        """Send the interrupt that cannot be masked, at which a guest that is set up so writes a crash dump."""
        ...

    def diagnostics(self, instance: Instance) -> dict[str, int]:
        """Counters by name: ``cpu0_time`` (ns), ``memory`` (KB), ``vda_read`` (bytes), ``<card>_rx`` (bytes), …"""
        ...


class Console(Protocol):
    """The serial console."""

    def console_output(self, name: str, *, max_bytes: int) -> bytes:
        """The end of what the guest has written, over its reboots."""
        ...


class Filters(Protocol):
    """Packet filters on the guests' cards."""

    def apply(self, filters: tuple[tuple[InstanceFilter, tuple[Nic, ...]], ...]) -> None:
        """Put the filters of some instances in force on their cards, in one pass, before the cards carry traffic."""
        ...

    def retain(self, instance_uuids: frozenset[str]) -> None:
        """Withdraw the filters of all instances but these."""
        ...

    def remove(self, instance_uuid: str) -> None:
        """Withdraw the filter of an instance."""
        ...


class Events(Protocol):
    """What happens to guests, whoever does it."""

    def wait_for_changes(self, *, timeout_s: float) -> frozenset[str] | None:
        """Wait until guests started, stopped, paused or vanished: the uuids of those, perhaps of strangers among them.

        Empty when nothing happened in *timeout_s* seconds.  None when something may have been missed: at the first
        call, and after Unavailable was raised.  For one thread of a process.
        """
        ...


class HostInfo(Protocol):
    """The host itself."""

    def resources(self) -> HostResources:
        """What the host has, and what is free on its disk."""
        ...

    def check(self) -> None:
        """Raise Unavailable, with the reason, when no guest could be started now."""
        ...


class Housekeeping(Protocol):
    """What is on the host's disk and may have to go."""

    def stored_instances(self) -> frozenset[str]:
        """The uuids of the instances that have a directory here, under their own name or set aside."""
        ...

    def age_out_images(self, *, min_age_s: float) -> tuple[Path, ...]:
        """Drop cached images that no disk here uses and nobody asked for in *min_age_s* seconds; which they were."""
        ...


class Driver(
    Disks,
    MovingDisks,
    LiveMoves,
    DiskCopies,
    PreviousDisks,
    Lifecycle,
    Nics,
    Volumes,
    Inside,
    Console,
    Events,
    HostInfo,
    Housekeeping,
    Protocol,
):
    """A whole driver."""
