# SPDX-License-Identifier: Apache-2.0
"""Which steps each action on a compute host consists of: one row per action."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nova.compute.host import Host
from nova.compute.operations import (
    boot,
    cards,
    delete,
    evacuate,
    inside,
    live_migrate,
    power,
    reboot,
    rebuild,
    rescue,
    resize,
    shelve,
    snapshot,
    soft_delete,
    suspend,
    volumes,
    work,
)
from nova.compute.operations.moving import Moving
from nova.compute.operations.work import Work
from nova.context import RequestContext
from nova.domain.move import Phase
from nova.domain.orders import BuildOrder, InstanceOrder, Order, SnapshotOrder, VolumeOrder, instance_order
from nova.domain.transitions import Action
from nova.errors import InvalidInput, NovaError
from nova.workflow.steps import Control, Record, Step, never, run, undo

LOG = logging.getLogger(__name__)

Prepare = Callable[[RequestContext, Order, Host], Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of an action, and how their state object is made from an order."""

    steps: list[Step[Any]]
    prepare: Prepare
    settle: Callable[[Any], None] | None = None
    """What cannot be undone, done once nova-conductor has accepted that the steps ended well.  May be done twice."""


class Execution:
    """One order with its plan, ready to be run or to be undone."""

    def __init__(
        self, context: RequestContext, order: Order, host: Host, *, again: Callable[[Exception], bool] = never
    ) -> None:
        """:param again: whether an undo that failed is tried once more (see :func:`nova.workflow.steps.undo`)"""
        self._again = again
        plan = plan_for(instance_order(order))
        self._steps = plan.steps
        self._settle = plan.settle
        self._state = plan.prepare(context, order, host)

    def run(self, *, record: Record, control: Control, begun_before: frozenset[str]) -> None:
        """See :func:`nova.workflow.steps.run`."""
        self._state.control = control
        run(self._steps, self._state, record=record, control=control, begun_before=begun_before, again=self._again)

    @property
    def shared_storage(self) -> bool | None:
        """What the steps of a move found out about its storage."""
        found: bool | None = getattr(self._state, "shared_storage", None)
        return found

    def undo(self, begun: frozenset[str]) -> None:
        """Undo the steps that are named in *begun*."""
        undo(self._steps, self._state, begun=begun, again=self._again)

    def settle(self) -> None:
        """Do what cannot be undone; a failure is logged, and leaves something that is in nobody's way."""
        if self._settle is None:
            return
        try:
            self._settle(self._state)
        except NovaError:
            LOG.exception("What is left of an operation that has ended could not be removed.")


def plan_for(order: InstanceOrder) -> Plan:
    """The plan of an order, or of its leg; InvalidInput for one that no compute host does."""
    try:
        return LEG_PLANS[Phase(order.phase)] if order.phase else PLANS[Action(order.action)]
    except (KeyError, ValueError) as exc:
        what = f"{order.action} {order.phase}".strip()
        raise InvalidInput(f"A compute host cannot {what!r} a server.", action=order.action) from exc


def _work(context: RequestContext, order: Order, host: Host) -> Work:
    return Work(context=context, order=instance_order(order), host=host)


def _boot(context: RequestContext, order: Order, host: Host) -> boot.Boot:
    if not isinstance(order, BuildOrder):
        raise InvalidInput("A build needs a build order.")
    return boot.Boot(context=context, order=order.order, host=host, build=order)


def _rebuild(context: RequestContext, order: Order, host: Host) -> rebuild.Rebuild:
    if not isinstance(order, BuildOrder):
        raise InvalidInput("A rebuild needs a build order.")
    return rebuild.Rebuild(context=context, order=order.order, host=host, build=order)


def _rescue(context: RequestContext, order: Order, host: Host) -> rescue.Rescue:
    if not isinstance(order, BuildOrder):
        raise InvalidInput("A rescue needs an order with an image.")
    return rescue.Rescue(context=context, order=order.order, host=host, build=order)


def _password_change(context: RequestContext, order: Order, host: Host) -> inside.PasswordChange:
    if not isinstance(order, BuildOrder):
        raise InvalidInput("A new password needs an order that can hold one.")
    return inside.PasswordChange(context=context, order=order.order, host=host, password=order.admin_password)


def _moving(context: RequestContext, order: Order, host: Host) -> Moving:
    plain = instance_order(order)
    if plain.move is None:
        raise InvalidInput("A leg of a move needs an order with the move.")
    return Moving(context=context, order=plain, host=host, move=plain.move)


def _evacuation(context: RequestContext, order: Order, host: Host) -> evacuate.Evacuation:
    if not isinstance(order, BuildOrder) or order.order.move is None:
        raise InvalidInput("An evacuation needs an order with the move and the image.")
    return evacuate.Evacuation(context=context, order=order.order, host=host, move=order.order.move, build=order)


def _volume_work(context: RequestContext, order: Order, host: Host) -> volumes.VolumeWork:
    if not isinstance(order, VolumeOrder):
        raise InvalidInput("A volume operation needs a volume order.")
    return volumes.VolumeWork(context=context, order=order.order, host=host, device=order.device)


def _snapshot(context: RequestContext, order: Order, host: Host) -> snapshot.Snapshot:
    if not isinstance(order, SnapshotOrder):
        raise InvalidInput("A snapshot needs an order with an image to write.")
    return snapshot.Snapshot(context=context, order=order.order, host=host, snapshot=order)


PLANS: Mapping[Action, Plan] = {
    Action.CREATE: Plan(boot.STEPS, _boot),
    Action.DELETE: Plan(delete.STEPS, _work, settle=work.remove_filters),
    Action.SOFT_DELETE: Plan(soft_delete.SOFT_DELETE_STEPS, _work),
    Action.RESTORE: Plan(soft_delete.RESTORE_STEPS, _work, settle=rescue.delete_rescue_disk),
    Action.REBOOT: Plan(reboot.SOFT_STEPS, _work),
    Action.REBOOT_HARD: Plan(reboot.HARD_STEPS, _work),
    Action.STOP: Plan(power.STOP_STEPS, _work),
    Action.START: Plan(power.START_STEPS, _work),
    Action.PAUSE: Plan(suspend.PAUSE_STEPS, _work),
    Action.UNPAUSE: Plan(suspend.UNPAUSE_STEPS, _work),
    Action.SUSPEND: Plan(suspend.SUSPEND_STEPS, _work),
    Action.RESUME: Plan(suspend.RESUME_STEPS, _work),
    Action.CHANGE_PASSWORD: Plan(inside.CHANGE_PASSWORD_STEPS, _password_change),
    Action.TRIGGER_CRASH_DUMP: Plan(inside.TRIGGER_CRASH_DUMP_STEPS, _work),
    Action.RESET_NETWORK: Plan(cards.RESET_NETWORK_STEPS, _work),
    Action.INJECT_NETWORK_INFO: Plan(cards.INJECT_NETWORK_INFO_STEPS, _work),
    Action.ATTACH_VOLUME: Plan(volumes.ATTACH_STEPS, _volume_work),
    Action.DETACH_VOLUME: Plan(volumes.DETACH_STEPS, _volume_work),
    Action.ATTACH_INTERFACE: Plan(cards.ATTACH_STEPS, _work),
    Action.DETACH_INTERFACE: Plan(cards.DETACH_STEPS, _work),
    Action.RESCUE: Plan(rescue.RESCUE_STEPS, _rescue),
    Action.UNRESCUE: Plan(rescue.UNRESCUE_STEPS, _work, settle=rescue.delete_rescue_disk),
    Action.REBUILD: Plan(rebuild.STEPS, _rebuild, settle=rebuild.drop_previous_disks),
    Action.SHELVE: Plan(shelve.SHELVE_STEPS, _snapshot),
    Action.SHELVE_OFFLOAD: Plan(shelve.OFFLOAD_STEPS, _work, settle=shelve.remove_offloaded),
    Action.UNSHELVE: Plan(shelve.UNSHELVE_STEPS, _boot),
    Action.CREATE_IMAGE: Plan(snapshot.IMAGE_STEPS, _snapshot),
    Action.CREATE_BACKUP: Plan(snapshot.IMAGE_STEPS, _snapshot, settle=snapshot.delete_old_backups),
}
"""Of the actions that one host does."""

LEG_PLANS: Mapping[Phase, Plan] = {
    Phase.DEPART: Plan(resize.DEPART_STEPS, _moving),
    Phase.RECEIVE: Plan(resize.RECEIVE_STEPS, _moving),
    Phase.LAUNCH: Plan(resize.LAUNCH_STEPS, _moving),
    Phase.RETURN: Plan(resize.RETURN_STEPS, _moving),
    Phase.CLEAR: Plan(resize.CLEAR_STEPS, _moving),
    Phase.RETREAT: Plan(resize.RETREAT_STEPS, _moving),
    Phase.RESTORE: Plan(resize.RETURN_STEPS, _moving),
    Phase.PREPARE: Plan(live_migrate.PREPARE_STEPS, _moving),
    Phase.TRANSFER: Plan(live_migrate.TRANSFER_STEPS, _moving),
    Phase.SETTLE: Plan(live_migrate.SETTLE_STEPS, _moving),
    Phase.LEAVE: Plan(live_migrate.LEAVE_STEPS, _moving),
    Phase.DISCARD: Plan(live_migrate.DISCARD_STEPS, _moving),
    Phase.RECREATE: Plan(evacuate.RECREATE_STEPS, _evacuation),
}
"""Of the legs of actions that span hosts (:data:`nova.domain.move.LEGS`)."""
