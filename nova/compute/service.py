# SPDX-License-Identifier: Apache-2.0
"""What nova-compute answers on one host: the Compute interface, each method by the operation of its name."""

from __future__ import annotations

from nova.compute.host import Host
from nova.compute.operations import console, live_migrate, moving
from nova.compute.periodic import departed
from nova.compute.periodic.filters import refresh_filters
from nova.compute.runner import Runner
from nova.context import RequestContext
from nova.domain.disk_offer import DiskOffer, Landing
from nova.domain.instance import Instance
from nova.domain.move import LEGS
from nova.domain.orders import BuildOrder, InstanceOrder, Order, SnapshotOrder, VolumeOrder, instance_order
from nova.domain.states import PowerState
from nova.domain.transitions import Action
from nova.errors import InvalidInput


class ComputeService:
    """The implementation of :class:`nova.interfaces.compute.Compute`.

    An order is in the journal when its method returns, and carried out after that.
    """

    def __init__(self, host: Host, runner: Runner) -> None:
        self._host = host
        self._runner = runner

    def build(self, context: RequestContext, *, order: BuildOrder) -> None:
        """See :mod:`nova.compute.operations.boot`."""
        self._accept(Action.CREATE, context, order)

    def delete(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """See :mod:`nova.compute.operations.delete`."""
        self._accept(Action.DELETE, context, order)

    def reboot(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """See :mod:`nova.compute.operations.reboot`."""
        self._accept(Action.REBOOT, context, order)

    def reboot_hard(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """See :mod:`nova.compute.operations.reboot`."""
        self._accept(Action.REBOOT_HARD, context, order)

    def stop(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """See :mod:`nova.compute.operations.power`."""
        self._accept(Action.STOP, context, order)

    def start(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """See :mod:`nova.compute.operations.power`."""
        self._accept(Action.START, context, order)

    def pause(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """See :mod:`nova.compute.operations.suspend`."""
        self._accept(Action.PAUSE, context, order)

    def unpause(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """See :mod:`nova.compute.operations.suspend`."""
        self._accept(Action.UNPAUSE, context, order)

    def suspend(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """See :mod:`nova.compute.operations.suspend`."""
        self._accept(Action.SUSPEND, context, order)

    def resume(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """See :mod:`nova.compute.operations.suspend`."""
        self._accept(Action.RESUME, context, order)

    def soft_delete(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """See :mod:`nova.compute.operations.soft_delete`."""
        self._accept(Action.SOFT_DELETE, context, order)

    def restore(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """See :mod:`nova.compute.operations.soft_delete`."""
        self._accept(Action.RESTORE, context, order)

    def reset_network(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """See :mod:`nova.compute.operations.cards`."""
        self._accept(Action.RESET_NETWORK, context, order)

    def inject_network_info(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """See :mod:`nova.compute.operations.cards`."""
        self._accept(Action.INJECT_NETWORK_INFO, context, order)

    def change_password(self, context: RequestContext, *, order: BuildOrder) -> None:
        """See :mod:`nova.compute.operations.inside`."""
        self._accept(Action.CHANGE_PASSWORD, context, order)

    def trigger_crash_dump(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """See :mod:`nova.compute.operations.inside`."""
        self._accept(Action.TRIGGER_CRASH_DUMP, context, order)

    def attach_volume(self, context: RequestContext, *, order: VolumeOrder) -> None:
        """See :mod:`nova.compute.operations.volumes`."""
        self._accept(Action.ATTACH_VOLUME, context, order)

    def detach_volume(self, context: RequestContext, *, order: VolumeOrder) -> None:
        """See :mod:`nova.compute.operations.volumes`."""
        self._accept(Action.DETACH_VOLUME, context, order)

    def attach_interface(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """See :mod:`nova.compute.operations.cards`."""
        self._accept(Action.ATTACH_INTERFACE, context, order)

    def detach_interface(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """See :mod:`nova.compute.operations.cards`."""
        self._accept(Action.DETACH_INTERFACE, context, order)

    def rescue(self, context: RequestContext, *, order: BuildOrder) -> None:
        """See :mod:`nova.compute.operations.rescue`."""
        self._accept(Action.RESCUE, context, order)

    def unrescue(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """See :mod:`nova.compute.operations.rescue`."""
        self._accept(Action.UNRESCUE, context, order)

    def rebuild(self, context: RequestContext, *, order: BuildOrder) -> None:
        """See :mod:`nova.compute.operations.rebuild`."""
        self._accept(Action.REBUILD, context, order)

    def shelve(self, context: RequestContext, *, order: SnapshotOrder) -> None:
        """See :mod:`nova.compute.operations.shelve`."""
        self._accept(Action.SHELVE, context, order)

    def shelve_offload(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """See :mod:`nova.compute.operations.shelve`."""
        self._accept(Action.SHELVE_OFFLOAD, context, order)

    def unshelve(self, context: RequestContext, *, order: BuildOrder) -> None:
        """See :mod:`nova.compute.operations.shelve`."""
        self._accept(Action.UNSHELVE, context, order)

    def create_image(self, context: RequestContext, *, order: SnapshotOrder) -> None:
        """See :mod:`nova.compute.operations.snapshot`."""
        self._accept(Action.CREATE_IMAGE, context, order)

    def create_backup(self, context: RequestContext, *, order: SnapshotOrder) -> None:
        """See :mod:`nova.compute.operations.snapshot`."""
        self._accept(Action.CREATE_BACKUP, context, order)

    def move(self, context: RequestContext, *, order: InstanceOrder) -> None:
        """See :mod:`nova.compute.operations.resize`."""
        self._accept_leg(context, order)

    def recreate(self, context: RequestContext, *, order: BuildOrder) -> None:
        """See :mod:`nova.compute.operations.evacuate`."""
        self._accept_leg(context, order)

    def offer_disks(self, context: RequestContext, *, order: InstanceOrder) -> DiskOffer:
        """See :mod:`nova.compute.operations.moving`."""
        return moving.offer_disks(self._host, order)

    def describe_disks(self, context: RequestContext, *, order: InstanceOrder) -> DiskOffer:
        """See :mod:`nova.compute.operations.live_migrate`."""
        return live_migrate.describe_disks(self._host, order)

    def landing(self, context: RequestContext, *, order: InstanceOrder) -> Landing:
        """See :mod:`nova.compute.operations.live_migrate`."""
        return live_migrate.landing(self._host, context, order)

    def guest_state(self, context: RequestContext, *, instance: Instance) -> PowerState:
        """See the interface."""
        return self._host.driver.power_state(instance)

    def abort_move(self, context: RequestContext, *, instance: Instance) -> None:
        """See the interface."""
        self._host.driver.abort_transfer(instance)

    def force_move(self, context: RequestContext, *, instance: Instance) -> None:
        """See the interface."""
        self._host.driver.force_transfer(instance)

    def forget(self, context: RequestContext, *, instance_uuids: tuple[str, ...]) -> None:
        """See :mod:`nova.compute.periodic.departed`."""
        departed.forget(self._host, self._runner, instance_uuids)

    def get_console_output(self, context: RequestContext, *, instance_uuid: str, name: str, max_bytes: int) -> bytes:
        """See :mod:`nova.compute.operations.console`."""
        return console.get_console_output(self._host.driver, name=name, max_bytes=max_bytes)

    def check_agent(self, context: RequestContext, *, instance: Instance) -> None:
        """See the interface."""
        self._host.driver.check_agent(instance)

    def diagnostics(self, context: RequestContext, *, instance: Instance) -> dict[str, int]:
        """See the interface."""
        return self._host.driver.diagnostics(instance)

    def refresh_filters(self, context: RequestContext, *, instance_uuids: tuple[str, ...]) -> None:
        """See :mod:`nova.compute.periodic.filters`."""
        refresh_filters(self._host, instance_uuids)

    def _accept_leg(self, context: RequestContext, order: InstanceOrder | BuildOrder) -> None:
        leg = instance_order(order)
        if leg.phase not in LEGS.get(Action(leg.action), {}):
            raise InvalidInput(f"An order to {leg.action!r} came without a leg of it.")
        self._runner.accept(context, order)

    def _accept(self, action: Action, context: RequestContext, order: Order) -> None:
        if instance_order(order).action != action:
            raise InvalidInput(f"An order to {instance_order(order).action!r} came where one to {action!r} belongs.")
        self._runner.accept(context, order)
