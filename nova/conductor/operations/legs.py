# SPDX-License-Identifier: Apache-2.0
"""From leg to leg of a move, as :data:`nova.domain.move.LEGS` says.  Runs in nova-conductor.

A host's report on its leg is applied in one transaction: what the leg changed (where the instance is, what is claimed),
and who has the operation now.  The same report twice changes nothing the second time; one on a leg that is not in the
reporter's hands is refused, and the reporter undoes what it did.
"""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

from nova.conductor.cloud import Cloud, afterwards, later
from nova.conductor.filters import refresh_neighbours
from nova.context import RequestContext
from nova.db import compute_nodes, faults, handover, instances, moves, operations, quotas
from nova.db.orders import MOVE, order_for
from nova.db.transaction import Transaction
from nova.domain.instance import Fault, Instance, Operation
from nova.domain.move import LEGS, Leg, Move, MoveKind, MoveStatus, Phase, Progress, Silence, host_of, leg_of, more_than
from nova.domain.orders import OperationReport
from nova.domain.states import OperationState, TaskState, VmState
from nova.domain.transitions import TRANSITIONS, Action
from nova.errors import Conflict, Forbidden, NotFound
from nova.interfaces.compute import give_order

LOG = logging.getLogger(__name__)

TRAIL = "trail"
"""The argument that says which legs have ended and how: ``[["depart", true], …]``"""
FAILURE = "failure"
"""The argument that says why the move failed, while a leg undoes it"""
ABORTED = "aborted"
"""The argument of a move that somebody called off"""
OPEN = frozenset({OperationState.REQUESTED, OperationState.RUNNING})
GOING = frozenset({TaskState.DELETING, TaskState.SOFT_DELETING})

THERE = frozenset({(Phase.RECEIVE, Phase.LAUNCH), (Phase.TRANSFER, Phase.SETTLE)})
"""After these legs the instance is on its destination."""
BACK = frozenset({(Phase.LAUNCH, Phase.RETURN), (Phase.RETREAT, Phase.RESTORE)})
"""After these it is on its source again."""
GOOD_ENDS: dict[Action, MoveStatus] = {
    Action.RESIZE: MoveStatus.FINISHED,
    Action.MIGRATE: MoveStatus.FINISHED,
    Action.CONFIRM_RESIZE: MoveStatus.CONFIRMED,
    Action.REVERT_RESIZE: MoveStatus.REVERTED,
    Action.LIVE_MIGRATE: MoveStatus.COMPLETED,
    Action.EVACUATE: MoveStatus.DONE,
}


def advance(cloud: Cloud, tx: Transaction, context: RequestContext, report: OperationReport) -> None:
    """Apply a report on a leg.  Raises Forbidden when the leg was not, and is not, in the hands of ``report.host``."""
    operation = operations.get(tx, report.operation_id)
    if (operation.host, operation.phase) != (report.host, report.phase) or operation.state not in OPEN:
        _check_applied(operation, report)
        return
    phase, action = Phase(report.phase), Action(operation.action)
    leg, move = LEGS[action][phase], moves.get(tx, int(operation.arguments[MOVE]))
    ok = report.fault is None or leg.silence is Silence.PASS
    following = leg.then if ok else leg.otherwise
    if report.shared_storage is not None:
        moves.set_status(tx, move.id, move.status, shared_storage=report.shared_storage)
    operations.add_events(tx, operation.id, report.events)
    if not ok and report.fault is not None:
        faults.add(tx, operation.instance_uuid, report.fault)
    if following is None:
        _end(cloud, tx, context, operation, move, report=report, ok=ok and not leg.undoes)
    else:
        _go_on(cloud, tx, context, operation, move, report=report, following=following)


def _check_applied(operation: Operation, report: OperationReport) -> None:
    """Nothing, when the leg ended on that host as the report says; Forbidden else."""
    ok = report.fault is None
    as_reported = OperationState.FINISHED if ok else OperationState.FAILED
    here = (operation.host, operation.phase) == (report.host, report.phase)
    last = here and (operation.state is as_reported or _undoes(operation))
    if not last and [report.phase, ok] not in operation.arguments.get(TRAIL, []):
        raise Forbidden(f"Operation {report.operation_id} is not in the hands of host {report.host}.")


def report_progress(tx: Transaction, operation_id: int, *, host: str, progress: Progress) -> None:
    """Write down how far a transfer is, if it is in the reporter's hands."""
    if not operations.touch(tx, operation_id, host=host):
        return
    operation = operations.get(tx, operation_id)
    moves.set_progress(tx, int(operation.arguments[MOVE]), progress)
    instances.update(tx, operation.instance_uuid, {"progress": progress.percent})


def _undoes(operation: Operation) -> bool:
    """Whether the operation was at a leg after which it has failed, however the leg ended."""
    return bool(operation.phase) and leg_of(operation.action, operation.phase).undoes


def _go_on(
    cloud: Cloud,
    tx: Transaction,
    context: RequestContext,
    operation: Operation,
    move: Move,
    *,
    report: OperationReport,
    following: Phase,
) -> None:
    """Hand the operation to the side of the next leg."""
    action, phase = Action(operation.action), Phase(report.phase)
    if not _still_wanted(tx, operation):
        _abandon(tx, operation, report)
        return
    if following is Phase.TRANSFER and operation.arguments.get(ABORTED):
        following = Phase.DISCARD
    host = host_of(move, LEGS[action][following])
    arguments = _noted(operation, report)
    if not handover.hand_on(tx, operation, host=host, phase=following, arguments=arguments):
        raise Conflict(f"Operation {operation.id} was handed on by another conductor just now.")
    if (phase, following) in THERE:
        _relocate(cloud, tx, context, operation, move, there=True)
    elif (phase, following) in BACK:
        _relocate(cloud, tx, context, operation, move, there=False)
    changed = dataclasses.replace(operation, host=host, phase=following, arguments=arguments)
    give_leg(cloud, tx, context, changed, moves.get(tx, move.id))


def _noted(operation: Operation, report: OperationReport) -> dict[str, Any]:
    trail = [*operation.arguments.get(TRAIL, []), [report.phase, report.fault is None]]
    failure = {FAILURE: report.fault.message} if report.fault is not None else {}
    return {**operation.arguments, TRAIL: trail, **failure}


def give_leg(cloud: Cloud, tx: Transaction, context: RequestContext, operation: Operation, move: Move) -> None:
    """Show that the leg of *operation* begins, and after the commit give the order for it to its host."""
    action = Action(operation.action)
    leg: Leg = LEGS[action][Phase(operation.phase)]
    if leg.task is not None:
        instances.progress(tx, operation.instance_uuid, leg.task, expected=TRANSITIONS[action].during)
    if leg.status is not None:
        moves.set_status(tx, move.id, leg.status)
    order = order_for(tx, operation, instances.get(tx, operation.instance_uuid))

    def send() -> None:
        cloud.pause_before_step("order")
        give_order(cloud.compute.on(operation.host), context, order)

    afterwards(tx, f"{operation.action} {operation.phase} of {operation.instance_uuid}", send)


def _still_wanted(tx: Transaction, operation: Operation) -> bool:
    """Whether the instance is not being deleted."""
    try:
        return instances.get(tx, operation.instance_uuid).task_state not in GOING
    except NotFound:
        return False


def _abandon(tx: Transaction, operation: Operation, report: OperationReport) -> None:
    """Go no further; whoever deletes the instance has both sides cleaned."""
    LOG.info("The move of server %s is not continued: the server is being deleted.", operation.instance_uuid)
    message = "The server was deleted while it was moved."
    operations.finish(tx, operation.id, ok=False, message=message, host=report.host)


def _relocate(
    cloud: Cloud, tx: Transaction, context: RequestContext, operation: Operation, move: Move, *, there: bool
) -> None:
    """The instance changes sides: its row, its addresses, its claims."""
    host, node, flavor = (
        (move.dest_host, move.dest_node, move.new_flavor)
        if there
        else (move.source_host, move.source_node, move.old_flavor)
    )
    uuid = operation.instance_uuid
    instances.relocate(tx, uuid, host=host, node=node, flavor=flavor)
    moves.relocate_addresses(tx, uuid, host=host)
    compute_nodes.exchange(tx, uuid)
    refresh_neighbours(cloud, tx, context, instance_uuid=uuid)
    what = f"the network's part in the move of {uuid}"
    later(cloud, tx, what, lambda: cloud.network.move(context, instance_uuid=uuid, host=host))


def _end(
    cloud: Cloud,
    tx: Transaction,
    context: RequestContext,
    operation: Operation,
    move: Move,
    *,
    report: OperationReport,
    ok: bool,
) -> None:
    action = Action(operation.action)
    message = "" if ok else str(operation.arguments.get(FAILURE) or (report.fault.message if report.fault else ""))
    if not operations.finish(tx, operation.id, ok=ok, message=message, host=report.host):
        raise Conflict(f"Operation {operation.id} was ended by another conductor just now.")
    if not ok:
        _end_badly(cloud, tx, context, operation, move, report=report)
        return
    if action is Action.EVACUATE:
        _relocate(cloud, tx, context, operation, move, there=True)
    if action not in (Action.RESIZE, Action.MIGRATE):
        compute_nodes.release(tx, operation.instance_uuid, held_for=compute_nodes.MOVE)
    _settle_quota(tx, operation, move)
    moves.set_status(tx, move.id, GOOD_ENDS[action])
    instances.finish(
        tx,
        operation.instance_uuid,
        action,
        ok=True,
        power_state=report.power_state,
        vm_state=_as_before(action, move),
    )


def _as_before(action: Action, move: Move) -> VmState | None:
    """STOPPED for a server that was off when its move began, where the table says so."""
    off = TRANSITIONS[action].ends_as_before and move.old_vm_state is VmState.STOPPED
    return VmState.STOPPED if off else None


def _end_badly(
    cloud: Cloud, tx: Transaction, context: RequestContext, operation: Operation, move: Move, *, report: OperationReport
) -> None:
    action, phase = Action(operation.action), report.phase
    if action in (Action.CONFIRM_RESIZE, Action.REVERT_RESIZE) and phase != Phase.RESTORE:
        moves.set_status(tx, move.id, MoveStatus.FINISHED)
        instances.finish(tx, operation.instance_uuid, action, ok=False)
        return
    lost = phase in (Phase.RETURN, Phase.RESTORE) and report.fault is not None
    end_failed(cloud, tx, context, operation, vm_state=VmState.ERROR if lost else None, report=report)


def end_failed(
    cloud: Cloud,
    tx: Transaction,
    context: RequestContext,
    operation: Operation,
    *,
    fault: Fault | None = None,
    vm_state: VmState | None = None,
    report: OperationReport | None = None,
) -> None:
    """The move of an operation that has failed is over: nothing stays held for it."""
    action, uuid = Action(operation.action), operation.instance_uuid
    move = moves.get(tx, int(operation.arguments[MOVE]))
    compute_nodes.release(tx, uuid, held_for=compute_nodes.MOVE)
    owner = instances.get(tx, uuid)
    _give_back(tx, owner, more_than(move.new_flavor, move.old_flavor))
    called_off = bool(operation.arguments.get(ABORTED))
    moves.set_status(tx, move.id, MoveStatus.CANCELLED if called_off else MoveStatus.ERROR)
    power_state = report.power_state if report and report.host == owner.host else None
    instances.finish(tx, uuid, action, ok=False, vm_state=vm_state, power_state=power_state)
    if fault is not None:
        faults.add(tx, uuid, fault)


def _settle_quota(tx: Transaction, operation: Operation, move: Move) -> None:
    """Both flavors' larger amounts are held until the owner has decided; then only those of the one that it has."""
    if operation.action == Action.CONFIRM_RESIZE:
        spare = more_than(move.old_flavor, move.new_flavor)
    elif operation.action == Action.REVERT_RESIZE:
        spare = more_than(move.new_flavor, move.old_flavor)
    else:
        return
    _give_back(tx, instances.get(tx, operation.instance_uuid), spare)


def _give_back(tx: Transaction, owner: Instance, amounts: dict[str, int]) -> None:
    quotas.release(tx, amounts, project_id=owner.project_id, user_id=owner.user_id)


def end_others(cloud: Cloud, tx: Transaction, context: RequestContext, operation: Operation) -> None:
    """An evacuation takes the instance away from all that its dead host still had in hand of it."""
    own = int(operation.arguments[MOVE])
    for other in operations.unfinished_of(tx, operation.instance_uuid):
        if other.id != operation.id:
            operations.finish(tx, other.id, ok=False, message="The server was evacuated.")
    for move in moves.find(tx, {"instance_uuid": operation.instance_uuid}):
        if move.id != own and moves.set_status(tx, move.id, MoveStatus.ERROR):
            owner = instances.get(tx, operation.instance_uuid)
            _give_back(tx, owner, _held_beside(move, owner))
            LOG.warning("Migration %s of server %s ends with its evacuation.", move.id, owner.uuid)


def _held_beside(move: Move, owner: Instance) -> dict[str, int]:
    """What of the quota an open move holds above what its instance takes."""
    bigger = more_than(move.old_flavor, owner.flavor), more_than(move.new_flavor, owner.flavor)
    return {name: max(each[name] for each in bigger) for name in bigger[0]}


def end_with_server(cloud: Cloud, tx: Transaction, context: RequestContext, instance: Instance) -> None:
    """Its server is deleted: the open move, if there is one, is over, and the other side removes what it has of it.

    To be called before the instance's own amounts and claims are given back.
    """
    move = moves.of_instance(tx, instance.uuid)
    if move is None:
        return
    _give_back(tx, instance, _held_beside(move, instance))
    waiting = move.kind in (MoveKind.RESIZE, MoveKind.MIGRATION) and move.status is MoveStatus.FINISHED
    moves.set_status(tx, move.id, MoveStatus.CONFIRMED if waiting else MoveStatus.CANCELLED)
    for host in {move.source_host, move.dest_host} - {"", instance.host}:
        afterwards(tx, f"forget {instance.uuid} on {host}", _forgetting(cloud, context, host, instance.uuid))


def _forgetting(cloud: Cloud, context: RequestContext, host: str, uuid: str) -> Any:
    return lambda: cloud.compute.on(host).forget(context, instance_uuids=(uuid,))
