# SPDX-License-Identifier: Apache-2.0
"""What may be asked of nova-compute.  Always of the one on a host: ``compute.on(host).reboot(…)``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nova.context import RequestContext
from nova.domain.disk_offer import DiskOffer, Landing
from nova.domain.instance import Instance
from nova.domain.orders import BuildOrder, InstanceOrder, Order, SnapshotOrder, VolumeOrder, instance_order
from nova.domain.states import PowerState
from nova.domain.transitions import Action
from nova.rpc.interface import Interface, call, cast


class Compute(Interface):
    """Instances on one host.  Each order is journalled there first, and reported to nova-conductor at its end."""

    topic = "compute"
    version = "1.0"
    carries_token = True

    @cast
    def build(self, context: RequestContext, *, order: BuildOrder) -> None:
        """Make an instance and start it."""
        ...

    @cast
    def delete(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """Remove an instance, its disks, its filters and its volume connections, whatever its state."""
        ...

    @cast
    def reboot(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """Reboot by asking the guest; a guest that does not obey in time is reset."""
        ...

    @cast
    def reboot_hard(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """Reset the guest, rebuilding its domain."""
        ...

    @cast
    def stop(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """Power the guest off, asking it first."""
        ...

    @cast
    def start(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """Power the guest on."""
        ...

    @cast
    def pause(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """Stop the guest's processors; it stays in memory."""
        ...

    @cast
    def unpause(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """Let a paused guest go on."""
        ...

    @cast
    def suspend(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """Write the guest's memory to its host's disk, and power it off."""
        ...

    @cast
    def resume(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """Bring a suspended guest back."""
        ...

    @cast
    def soft_delete(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """Power the guest off and keep it."""
        ...

    @cast
    def restore(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """Start a guest that was deleted softly."""
        ...

    @cast
    def reset_network(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """Plug the guest's cards in again, with the filters that they should have."""
        ...

    @cast
    def inject_network_info(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """Make what the host enforces on the guest's cards anew."""
        ...

    @cast
    def change_password(self, context: RequestContext, *, order: BuildOrder) -> None:
        """Have the guest's agent set the administrator's password, which is in the order."""
        ...

    @cast
    def trigger_crash_dump(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """Send the guest the interrupt that makes its kernel write a crash dump."""
        ...

    @cast
    def attach_volume(self, context: RequestContext, *, order: VolumeOrder) -> None:
        """Connect a volume to the guest."""
        ...

    @cast
    def detach_volume(self, context: RequestContext, *, order: VolumeOrder) -> None:
        """Disconnect a volume from the guest."""
        ...

    @cast
    def attach_interface(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """Plug the order's card into the guest."""
        ...

    @cast
    def detach_interface(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """Take the order's card out of the guest."""
        ...

    @cast
    def rescue(self, context: RequestContext, *, order: BuildOrder) -> None:
        """Stop the guest, and boot another one from the order's image with the instance's root disk as its second."""
        ...

    @cast
    def unrescue(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """Stop the rescue guest, drop its disk, and boot the instance from its own disks."""
        ...

    @cast
    def rebuild(self, context: RequestContext, *, order: BuildOrder) -> None:
        """Make the guest anew from the order's image, with its own cards and volumes; one that was off stays off."""
        ...

    @cast
    def shelve(self, context: RequestContext, *, order: SnapshotOrder) -> None:
        """Power the guest off, and upload its root disk as the order's image."""
        ...

    @cast
    def shelve_offload(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """Remove what a shelved server has on the host; its volumes stay its own."""
        ...

    @cast
    def unshelve(self, context: RequestContext, *, order: BuildOrder) -> None:
        """Start a shelved server: with the disks that it has here, or with new ones from the order's image."""
        ...

    @cast
    def create_image(self, context: RequestContext, *, order: SnapshotOrder) -> None:
        """Copy the root disk, whatever the guest does meanwhile, and upload the copy as the order's image."""
        ...

    @cast
    def create_backup(self, context: RequestContext, *, order: SnapshotOrder) -> None:
        """The same; then delete the oldest backups of its type, down to the order's rotation."""
        ...

    @cast
    def move(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """Carry out one leg of a move between hosts, on this side of it."""
        ...

    @cast
    def recreate(self, context: RequestContext, *, order: BuildOrder) -> None:
        """Carry out the leg of an evacuation that makes the server here, from its shared disks or its image."""
        ...

    @call(timeout_s=60)
    def offer_disks(self, context: RequestContext, *, order: InstanceOrder) -> DiskOffer:
        """Let the host that *order*'s instance moves to read its disks, once; an earlier offer ends.

        Raises InvalidState when the guest runs here, or the instance's disks were not set aside for that move.
        """
        ...

    @call(timeout_s=60)
    def describe_disks(self, context: RequestContext, *, order: InstanceOrder) -> DiskOffer:
        """What the disks of a guest are that runs here and is about to move, and a mark to tell shared storage by."""
        ...

    @call(timeout_s=60)
    def landing(self, context: RequestContext, *, order: InstanceOrder) -> Landing:
        """Where a running guest is to go on here, once its destination was prepared."""
        ...

    @call(timeout_s=20)
    def guest_state(self, context: RequestContext, *, instance: Instance) -> PowerState:
        """What the hypervisor of this host says of a guest."""
        ...

    @cast
    def abort_move(self, context: RequestContext, *, instance: Instance) -> None:
        """Call off the live migration of a guest that leaves this host; nothing happens when none is under way."""
        ...

    @cast
    def force_move(self, context: RequestContext, *, instance: Instance) -> None:
        """Let a guest wait until its live migration has ended, so that it does end."""
        ...

    @cast
    def forget(self, context: RequestContext, *, instance_uuids: tuple[str, ...]) -> None:
        """Remove what is here of deleted servers, and of servers that live on another host."""
        ...

    @call(timeout_s=20)
    def get_console_output(self, context: RequestContext, *, instance_uuid: str, name: str, max_bytes: int) -> bytes:
        """The last *max_bytes* of what the guest *name* wrote to its serial console; NotFound when there is none."""
        ...

    @call(timeout_s=30)
    def check_agent(self, context: RequestContext, *, instance: Instance) -> None:
        """Whether a password could be set in the guest now.

        NotSupported for a guest without an agent's channel; InvalidState when it is off or its agent does not answer.
        """
        ...

    @call(timeout_s=20)
    def diagnostics(self, context: RequestContext, *, instance: Instance) -> dict[str, int]:
        """Counters of the running guest; InvalidState when it is off."""
        ...

    @cast
    def refresh_filters(self, context: RequestContext, *, instance_uuids: tuple[str, ...]) -> None:
        """Fetch the filters of these instances anew and apply them."""
        ...


CASTS: Mapping[Action, Callable[..., None]] = {
    Action.CREATE: Compute.build,
    Action.DELETE: Compute.delete,
    Action.REBOOT: Compute.reboot,
    Action.REBOOT_HARD: Compute.reboot_hard,
    Action.STOP: Compute.stop,
    Action.START: Compute.start,
    Action.PAUSE: Compute.pause,
    Action.UNPAUSE: Compute.unpause,
    Action.SUSPEND: Compute.suspend,
    Action.RESUME: Compute.resume,
    Action.SOFT_DELETE: Compute.soft_delete,
    Action.RESTORE: Compute.restore,
    Action.RESET_NETWORK: Compute.reset_network,
    Action.INJECT_NETWORK_INFO: Compute.inject_network_info,
    Action.CHANGE_PASSWORD: Compute.change_password,
    Action.TRIGGER_CRASH_DUMP: Compute.trigger_crash_dump,
    Action.ATTACH_VOLUME: Compute.attach_volume,
    Action.DETACH_VOLUME: Compute.detach_volume,
    Action.ATTACH_INTERFACE: Compute.attach_interface,
    Action.DETACH_INTERFACE: Compute.detach_interface,
    Action.RESCUE: Compute.rescue,
    Action.UNRESCUE: Compute.unrescue,
    Action.REBUILD: Compute.rebuild,
    Action.SHELVE: Compute.shelve,
    Action.SHELVE_OFFLOAD: Compute.shelve_offload,
    Action.UNSHELVE: Compute.unshelve,
    Action.CREATE_IMAGE: Compute.create_image,
    Action.CREATE_BACKUP: Compute.create_backup,
    Action.RESIZE: Compute.move,
    Action.MIGRATE: Compute.move,
    Action.CONFIRM_RESIZE: Compute.move,
    Action.REVERT_RESIZE: Compute.move,
    Action.LIVE_MIGRATE: Compute.move,
    Action.EVACUATE: Compute.recreate,
}
"""The method by which an order for each action goes to a host."""


def give_order(host: Compute, context: RequestContext, order: Order) -> None:
    """Give *order* to *host*, by the method of its action."""
    method = CASTS[Action(instance_order(order).action)]
    getattr(host, method.__name__)(context, order=order)
