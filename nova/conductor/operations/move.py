# SPDX-License-Identifier: Apache-2.0
"""Moves between hosts: resize, migrate, live migration, evacuation.  Runs in nova-conductor.

    take up (nobody else has it) → room is claimed on a destination → the first leg is handed to its host

What follows, leg by leg, is in :mod:`nova.conductor.operations.legs`.  A move that fails here leaves the instance as it
was, with nothing claimed for it but where it is.
"""

from __future__ import annotations

import dataclasses
import logging

from nova.conductor.cloud import Cloud
from nova.conductor.operations.legs import end_failed, end_others, give_leg
from nova.context import RequestContext
from nova.db import compute_nodes, handover, instances, moves, operations
from nova.db.orders import MOVE
from nova.db.transaction import Transaction
from nova.domain.host import ClaimLimits
from nova.domain.instance import Fault, Instance, Operation
from nova.domain.move import LEGS, Move, first_phase, host_of
from nova.domain.orders import BuildRequest
from nova.domain.request_spec import HostClaim, RequestSpec
from nova.domain.states import OperationState
from nova.domain.transitions import Action
from nova.errors import NoCapacity, NotFound, NovaError, Timeout, Unavailable

LOG = logging.getLogger(__name__)

UNCHECKED = "unchecked"
"""The argument of an operation whose administrator wants the named host whatever the scheduler would say"""
SAME_HOST = "same_host"
"""The argument that lets the move end where it began"""


@dataclasses.dataclass(frozen=True, slots=True)
class _InHand:
    instance: Instance
    operation: Operation
    move: Move


def move_instance(cloud: Cloud, context: RequestContext, *, operation_id: int) -> None:
    """Begin with a recorded move, if nobody has."""
    cloud.pause_before_step("take_up")
    taken = cloud.db.run(lambda tx: _take_up(tx, operation_id))
    if taken is None:
        return
    cloud.pause_before_step("select_hosts")
    try:
        claim = _claim(cloud, context, taken)
    except NovaError as error:
        _give_up(cloud, context, taken, error=error)
        return
    cloud.pause_before_step("hand_over")
    if not cloud.db.run(lambda tx: _hand_over(cloud, tx, context, taken, claim=claim)):
        LOG.info("The move of server %s is not begun here.", taken.instance.uuid)


def _take_up(tx: Transaction, operation_id: int) -> _InHand | None:
    try:
        operation = operations.get(tx, operation_id)
        instance = instances.get(tx, operation.instance_uuid)
    except NotFound:
        return None
    if operation.state is not OperationState.REQUESTED or operation.host or not handover.take_up(tx, operation):
        return None
    move = moves.get(tx, int(operation.arguments[MOVE]))
    return _InHand(instance, dataclasses.replace(operation, state=OperationState.RUNNING), move)


def _claim(cloud: Cloud, context: RequestContext, taken: _InHand) -> HostClaim:
    request = BuildRequest.of(taken.operation)
    if taken.operation.arguments.get(UNCHECKED):
        return cloud.db.run(lambda tx: _claim_unchecked(tx, taken, request.force_host))
    spec = _spec(taken, request)
    found = cloud.scheduler.select_hosts(context, spec=spec)
    return found[0]


def _claim_unchecked(tx: Transaction, taken: _InHand, host: str) -> HostClaim:
    nodes = compute_nodes.find(tx, host=host)
    if not nodes:
        raise NoCapacity(f"There is no compute host {host}.")
    flavor, node = taken.move.new_flavor, nodes[0]
    compute_nodes.claim(
        tx,
        taken.instance.uuid,
        node_id=node.id,
        vcpus=flavor.vcpus,
        memory_mb=flavor.memory_mb,
        disk_gb=flavor.disk_gb,
        limits=ClaimLimits(),
        held_for=compute_nodes.MOVE,
    )
    return HostClaim(instance_uuid=taken.instance.uuid, host=node.host, node=node.node)


def _spec(taken: _InHand, request: BuildRequest) -> RequestSpec:
    instance, move = taken.instance, taken.move
    properties = {
        key.removeprefix("image_"): value for key, value in instance.system_metadata.items() if key.startswith("image_")
    }
    same_host = bool(taken.operation.arguments.get(SAME_HOST))
    return RequestSpec(
        instance_uuids=(instance.uuid,),
        project_id=instance.project_id,
        flavor=move.new_flavor,
        image_properties=properties,
        availability_zone="" if request.force_host else instance.availability_zone,
        force_host=request.force_host,
        exclude_hosts=() if same_host else (move.source_host,),
        moving=True,
    )


def _hand_over(cloud: Cloud, tx: Transaction, context: RequestContext, taken: _InHand, *, claim: HostClaim) -> bool:
    """Write down where it goes and that the first side has it, then tell that host; False when it is not ours now."""
    operation, uuid = taken.operation, taken.instance.uuid
    action = Action(operation.action)
    nodes = compute_nodes.find(tx, host=claim.host)
    address = nodes[0].host_ip if nodes else ""
    move = dataclasses.replace(taken.move, dest_host=claim.host, dest_node=claim.node, dest_address=address)
    phase = first_phase(action)
    host = host_of(move, LEGS[action][phase])
    if not handover.hand_over(tx, operation, host=host, phase=phase):
        if not handover.is_open(tx, operation):
            compute_nodes.release(tx, uuid, held_for=compute_nodes.MOVE)
        return False
    if action is Action.EVACUATE:
        end_others(cloud, tx, context, operation)
    moves.place(tx, move.id, host=claim.host, node=claim.node, address=address)
    give_leg(cloud, tx, context, dataclasses.replace(operation, host=host, phase=phase), move)
    return True


def _give_up(cloud: Cloud, context: RequestContext, taken: _InHand, *, error: NovaError) -> None:
    """End a move that cannot begin; one that may when the broker or the database is back is put back."""
    LOG.warning("Server %s cannot be moved: %s", taken.instance.uuid, error)
    passing = isinstance(error, Unavailable) and not isinstance(error, Timeout)
    if passing and taken.operation.attempt < cloud.settings.max_takeovers:
        cloud.db.run(lambda tx: put_back(tx, taken.operation))
        return
    silent = error.data.get("topic") if isinstance(error, Timeout) else None
    message = f"nova-{silent} did not answer in time." if silent else error.message
    fault = Fault(code=500, message=message, details=str(error))
    cloud.db.run(lambda tx: _fail_ours(cloud, tx, context, taken, fault))


def _fail_ours(cloud: Cloud, tx: Transaction, context: RequestContext, taken: _InHand, fault: Fault) -> None:
    if handover.holds(tx, taken.operation):
        fail(cloud, tx, context, taken.operation, fault=fault)


def put_back(tx: Transaction, operation: Operation) -> None:
    """Let nobody have the move any more, unless whoever had it has gone on with it; the room for it is given back."""
    if handover.put_back(tx, operation):
        compute_nodes.release(tx, operation.instance_uuid, held_for=compute_nodes.MOVE)


def fail(cloud: Cloud, tx: Transaction, context: RequestContext, operation: Operation, *, fault: Fault) -> None:
    """The move ends before any host had it; the instance is what it was."""
    if operations.finish(tx, operation.id, ok=False, message=fault.message):
        end_failed(cloud, tx, context, operation, fault=fault)
