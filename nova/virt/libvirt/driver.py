# SPDX-License-Identifier: Apache-2.0
"""The libvirt driver, put together from its parts.  Runs in nova-compute."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from nova.context import RequestContext
from nova.domain.block_device import BlockDevice, Connector
from nova.domain.disk_offer import DiskOffer, Landing
from nova.domain.flavor import Flavor
from nova.domain.host import HostResources
from nova.domain.image import Image
from nova.domain.injection import Injection
from nova.domain.instance import Instance
from nova.domain.move import Progress
from nova.domain.network import Nic
from nova.domain.states import PowerState
from nova.secret import Secret
from nova.virt.driver import AttachedVolume, DiskCopy, Guest, ImageReader
from nova.virt.images.cache import CacheSettings, ImageCache
from nova.virt.images.qemu_img import QemuImg, Runner
from nova.virt.libvirt import agent, cards, console, diagnostics
from nova.virt.libvirt.connection import Connection, RunBlocking, run_directly
from nova.virt.libvirt.containers import ContainerBuilder, ContainerDisks
from nova.virt.libvirt.disk_copies import DiskCopies
from nova.virt.libvirt.disks import LocalDisks
from nova.virt.libvirt.events import GuestEvents
from nova.virt.libvirt.guest import GuestBuilder
from nova.virt.libvirt.host import Host
from nova.virt.libvirt.initiators import Initiator, QemuInitiator, qemu_initiator
from nova.virt.libvirt.layout import Layout
from nova.virt.libvirt.lifecycle import Guests
from nova.virt.libvirt.moving_disks import MovingDisks
from nova.virt.libvirt.open_iscsi import HostInitiator
from nova.virt.libvirt.previous_disks import PreviousDisks
from nova.virt.libvirt.settings import LibvirtSettings
from nova.virt.libvirt.transfers import Transfers
from nova.virt.libvirt.volumes import GuestVolumes

WHOLE_DISK_S = 4 * 3600
"""What qemu-img may take for a whole disk, of processor time and of time"""


class LibvirtDriver:
    """KVM and QEMU guests of one libvirtd (``nova.virt.driver.Driver``)."""

    def __init__(
        self,
        settings: LibvirtSettings,
        *,
        runner: Runner,
        run_blocking: RunBlocking = run_directly,
        prepare_bridges: Callable[[Iterable[Nic]], None] = lambda _nics: None,
    ) -> None:
        """
        :param runner: runs qemu-img and the like
        :param run_blocking: runs calls into libvirt so that they block nobody
        :param prepare_bridges: makes the bridges that cards are plugged into, where they are missing
        """
        self._runner = runner
        self._settings = settings
        self._prepare_bridges = prepare_bridges
        self._layout = Layout(settings.instances_path)
        self._connection = Connection(settings.uri, run_blocking)
        initiator: Initiator = QemuInitiator(self._connection, name=qemu_initiator(settings.host))
        if settings.volume_initiator == "host":
            initiator = HostInitiator(runner)
        self._has_containers = settings.virt_type == "lxc"
        build, make = (ContainerBuilder, ContainerDisks) if self._has_containers else (GuestBuilder, LocalDisks)
        self._builder = builder = build(settings, layout=self._layout, initiator=initiator)
        qemu_img = QemuImg(runner)
        cache = ImageCache(_cache_settings(settings, self._layout), qemu_img=qemu_img, runner=runner)
        self._disks = make(settings, layout=self._layout, cache=cache, qemu_img=qemu_img, runner=runner)
        self._previous = PreviousDisks(self._layout)
        patient = QemuImg(runner, cpu_s=WHOLE_DISK_S, wall_s=WHOLE_DISK_S)
        self._copies = DiskCopies(settings, layout=self._layout, connection=self._connection, qemu_img=patient)
        self._guests = Guests(
            connection=self._connection,
            builder=builder,
            initiator=initiator,
            layout=self._layout,
            prepare_bridges=prepare_bridges,
            containers=self._has_containers,
        )
        self._moving = MovingDisks(settings, layout=self._layout, disks=self._disks, qemu_img=qemu_img)
        self._transfers = Transfers(
            settings,
            connection=self._connection,
            builder=builder,
            initiator=initiator,
            prepare_bridges=prepare_bridges,
        )
        self._volumes = GuestVolumes(settings, connection=self._connection, initiator=initiator)
        self._events = GuestEvents(settings.uri, run_blocking)
        self._host = Host(settings, connection=self._connection)

    def fetch_images(
        self, context: RequestContext, images: tuple[Image, ...], reader: ImageReader, *, limit_gb: int = 0
    ) -> None:
        """Bring images into the cache of this host."""
        self._disks.fetch_images(context, images, reader, limit_gb=limit_gb)

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
        """Root, ephemeral and swap disks as flavor and devices say."""
        self._disks.create(instance, image=image, kernel=kernel, ramdisk=ramdisk, devices=devices, injection=injection)

    def create_config_drive(self, instance: Instance, files: Mapping[str, bytes]) -> None:
        """A drive with *files*."""
        self._disks.create_config_drive(instance, files)

    def create_rescue_disk(
        self, instance: Instance, *, image: Image, kernel: Image | None, ramdisk: Image | None
    ) -> None:
        """A disk for the guest to be rescued with."""
        self._disks.create_rescue(instance, image=image, kernel=kernel, ramdisk=ramdisk)

    def delete_rescue_disk(self, instance: Instance) -> None:
        """Remove it."""
        self._disks.delete_rescue(instance)

    def delete_disks(self, instance: Instance) -> None:
        """Remove all that belongs to the instance on this host's disk."""
        self._disks.delete(instance)

    def copy_root_disk(self, instance: Instance, *, name: str, on_progress: Callable[[float], None]) -> DiskCopy:
        """Copy the root disk as it is at one moment."""
        return self._copies.copy(instance, name=name, on_progress=on_progress)

    def read_disk_copy(self, instance: Instance, copy: DiskCopy) -> Iterator[bytes]:
        """The bytes of a copy."""
        return self._copies.read(instance, copy)

    def drop_disk_copies(self, instance: Instance) -> None:
        """Remove all copies."""
        self._copies.drop(instance)

    def set_aside_disks(self, instance: Instance, *, key: str, keep_ephemeral: bool) -> None:
        """Put the local disks aside."""
        self._previous.set_aside(instance, key=key, keep_ephemeral=keep_ephemeral)

    def restore_disks(self, instance: Instance, *, key: str) -> None:
        """Put them back."""
        self._previous.restore(instance, key=key)

    def drop_previous_disks(self, instance: Instance) -> None:
        """Remove them."""
        self._previous.drop(instance)

    def stored_instances(self) -> frozenset[str]:
        """The uuids of the instances that have a directory here."""
        return self._layout.stored_instances()

    def age_out_images(self, *, min_age_s: float) -> tuple[Path, ...]:
        """For a periodic task: remove bases that no instance uses and nobody asked for in *min_age_s* seconds."""
        return self._disks.age_out(min_age_s=min_age_s)

    def set_disks_aside(self, instance: Instance, *, move_id: int) -> None:
        """Keep the disks under another name."""
        self._moving.set_aside(instance, move_id=move_id)

    def bring_disks_back(self, instance: Instance, *, move_id: int) -> None:
        """Give them their name again."""
        self._moving.bring_back(instance, move_id=move_id)

    def delete_disks_aside(self, instance: Instance, *, move_id: int | None = None) -> None:
        """Remove what was set aside."""
        self._moving.delete_aside(instance, move_id=move_id)

    def offer_disks(self, instance: Instance, *, move_id: int) -> DiskOffer:
        """Let another host read what was set aside."""
        return self._moving.offer(instance, move_id=move_id)

    def withdraw_disks(self, instance: Instance) -> None:
        """End what was offered."""
        self._moving.withdraw(instance)

    def fetch_disks(
        self,
        instance: Instance,
        offer: DiskOffer,
        *,
        move_id: int,
        old_flavor: Flavor,
        devices: Sequence[BlockDevice] = (),
    ) -> None:
        """Copy offered disks."""
        self._moving.fetch(instance, offer, move_id=move_id, old_flavor=old_flavor, devices=devices)

    def mark_moved_disks(self, instance: Instance, *, move_id: int) -> None:
        """Write down which move made the disks."""
        self._moving.mark(instance, move_id=move_id)

    def has_moved_disks(self, instance: Instance, *, move_id: int) -> bool:
        """Whether that move made them."""
        return self._moving.has_moved(instance, move_id=move_id)

    def delete_moved_disks(self, instance: Instance, *, move_id: int) -> None:
        """Remove them if that move made them."""
        self._moving.delete_moved(instance, move_id=move_id)

    def describe_disks(self, instance: Instance, *, move_id: int) -> DiskOffer:
        """The disks of a running guest."""
        return self._moving.describe(instance, move_id=move_id)

    def shares_disks(self, instance: Instance, offer: DiskOffer) -> bool:
        """Whether both hosts have the same storage."""
        return self._moving.shares(instance, offer)

    def make_landing_disks(self, instance: Instance, offer: DiskOffer, *, move_id: int) -> None:
        """Empty disks to copy to."""
        self._moving.make_landing(instance, offer, move_id=move_id)

    def landing(self, guest: Guest, *, copies_disks: bool) -> Landing:
        """Where the guest is to go on here."""
        return self._transfers.landing(guest, copies_disks=copies_disks)

    def transfer(self, instance: Instance, landing: Landing) -> None:
        """Move a running guest."""
        self._transfers.transfer(instance, landing)

    def transfer_progress(self, instance: Instance) -> Progress:
        """How far that is."""
        return self._transfers.progress(instance)

    def abort_transfer(self, instance: Instance) -> None:
        """Call it off."""
        self._transfers.abort(instance)

    def force_transfer(self, instance: Instance) -> None:
        """Let the guest wait for its end."""
        self._transfers.force(instance)

    def settle(self, guest: Guest, *, paused: bool) -> None:
        """Keep the definition of a guest that has arrived."""
        self._transfers.settle(guest, paused=paused)

    def start(self, guest: Guest) -> None:
        """Define the guest and run it."""
        self._guests.start(guest)

    def define(self, guest: Guest) -> None:
        """Keep the guest's definition, and leave it off."""
        self._guests.define(guest)

    def destroy(self, instance: Instance) -> None:
        """Stop the guest at once and forget its definition."""
        self._guests.destroy(instance)

    def shut_down(self, instance: Instance, *, timeout_s: float) -> None:
        """Ask the guest to power off, then cut its power."""
        self._guests.shut_down(instance, timeout_s=timeout_s)

    def reboot(self, guest: Guest, *, timeout_s: float) -> None:
        """Ask the guest to reboot; one that has not gone down in time is reset."""
        self._guests.reboot(guest, timeout_s=timeout_s)

    def pause(self, instance: Instance) -> None:
        """Stop the guest's processors."""
        self._guests.pause(instance)

    def unpause(self, instance: Instance) -> None:
        """Let a paused guest go on."""
        self._guests.unpause(instance)

    def suspend(self, instance: Instance) -> None:
        """Write the guest's memory to the disk and power it off."""
        self._guests.suspend(instance)

    def power_state(self, instance: Instance) -> PowerState:
        """What the guest does now."""
        return self._guests.power_state(instance)

    def power_states(self) -> dict[str, PowerState]:
        """The same for all guests that this driver made."""
        return self._guests.power_states()

    def replug(self, guest: Guest) -> None:
        """Let the guest see its cards lose their link and get it back."""
        cards.replug(self._connection, guest)

    def set_cards(self, guest: Guest) -> None:
        """Let the running guest have exactly these cards."""
        self._prepare_bridges(guest.nics)
        wanted = {nic.mac_address: self._builder.card(guest, nic) for nic in guest.nics}
        cards.set_cards(self._connection, guest.instance.uuid, wanted, timeout_s=self._settings.detach_timeout_s)

    def connector(self) -> Connector:
        """Who this host is to a storage target."""
        return self._volumes.connector()

    def attach_volume(self, guest: Guest, volume: AttachedVolume) -> None:
        """Give the guest one more disk."""
        self._volumes.attach(guest, volume)

    def detach_volume(self, guest: Guest, device: BlockDevice) -> None:
        """Take the disk away again."""
        self._volumes.detach(guest, device)

    def check_agent(self, instance: Instance) -> None:
        """Whether the guest's agent answers."""
        agent.check(self._connection, instance)

    def set_admin_password(self, instance: Instance, password: Secret) -> None:
        """Have the guest's agent set the administrator's password."""
        agent.set_password(self._connection, instance, password)

    def interrupt(self, instance: Instance) -> None:
        """Send the interrupt that cannot be masked."""
        self._guests.interrupt(instance)

    def diagnostics(self, instance: Instance) -> dict[str, int]:
        """Live counters."""
        return diagnostics.of(self._connection, instance)

    def console_output(self, name: str, *, max_bytes: int) -> bytes:
        """The end of what the guest *name* has written."""
        log = console.log_of(self._connection, name)
        if self._has_containers:
            console.keep(self._connection, name, log)
        return console.tail(log, max_bytes=max_bytes, runner=self._runner)

    def wait_for_changes(self, *, timeout_s: float) -> frozenset[str] | None:
        """Wait until something happened to guests."""
        return self._events.wait(timeout_s=timeout_s)

    def resources(self) -> HostResources:
        """What the host has."""
        return self._host.resources()

    def check(self) -> None:
        """Raise Unavailable when libvirtd does not answer."""
        self._host.check()

    def close(self) -> None:
        """Let go of libvirtd."""
        self._connection.close()


def _cache_settings(settings: LibvirtSettings, layout: Layout) -> CacheSettings:
    return CacheSettings(
        directory=layout.bases,
        host=settings.host,
        reserved_disk_bytes=settings.reserved_disk_bytes,
        max_image_bytes=settings.max_image_bytes,
        extra_formats=settings.extra_image_formats,
    )
