# SPDX-License-Identifier: Apache-2.0
"""Unshelve: give a server that is on no host a host again, and have it started there.  Runs in nova-conductor.

    take up (nobody else has it) → scheduler claims room → nova-network brings the addresses → hand over to the host

The host's report ends it (:mod:`nova.conductor.operations.finish`).  One that fails leaves the server as it was,
shelved and on no host, with nothing claimed and the reason in its action; it can be asked for again.
"""

from __future__ import annotations

import dataclasses
import logging

from nova.conductor.cloud import Cloud, afterwards
from nova.conductor.filters import refresh_neighbours
from nova.conductor.operations.build import Build, spec_of
from nova.context import RequestContext
from nova.db import compute_nodes, faults, handover, instances, operations
from nova.db.orders import order_for
from nova.db.transaction import Transaction
from nova.domain.instance import Fault, Operation
from nova.domain.orders import BuildRequest
from nova.domain.request_spec import HostClaim
from nova.domain.states import OperationState
from nova.domain.transitions import Action
from nova.errors import NovaError, Timeout, Unavailable
from nova.interfaces.compute import give_order

LOG = logging.getLogger(__name__)


def unshelve_instance(cloud: Cloud, context: RequestContext, *, instance_uuid: str) -> None:
    """Go on with the unshelve that was asked for; nothing happens when somebody has taken it up."""
    cloud.pause_before_step("take_up")
    build = cloud.db.run(lambda tx: _take_up(tx, instance_uuid))
    if build is None:
        return
    try:
        claim = _find_room(cloud, context, build)
    except NovaError as error:
        _give_up(cloud, build, error)
        return
    cloud.pause_before_step("hand_over")
    if not cloud.db.run(lambda tx: _hand_over(cloud, tx, context, build, claim)):
        LOG.info("The unshelve of server %s is not continued here.", instance_uuid)
        cloud.db.run(lambda tx: _release(tx, build.operation))


def _take_up(tx: Transaction, uuid: str) -> Build | None:
    known = instances.get_many(tx, [uuid])
    for operation in operations.requested(tx, Action.UNSHELVE, instance_uuids=[uuid]):
        if uuid in known and not operation.host and handover.take_up(tx, operation):
            running = dataclasses.replace(operation, state=OperationState.RUNNING)
            return Build(known[uuid], running, BuildRequest.of(operation))
    return None


def _find_room(cloud: Cloud, context: RequestContext, build: Build) -> HostClaim:
    instance = build.instance
    cloud.pause_before_step("select_hosts")
    (claim,) = cloud.scheduler.select_hosts(context, spec=spec_of([build]))
    cloud.pause_before_step("allocate")
    cloud.network.allocate(
        dataclasses.replace(context, project_id=instance.project_id, user_id=instance.user_id),
        instance_uuid=instance.uuid,
        hostname=instance.hostname,
        host=claim.host,
        requested=(),
    )
    return claim


def _hand_over(cloud: Cloud, tx: Transaction, context: RequestContext, build: Build, claim: HostClaim) -> bool:
    """Write down that the host has it, then tell the host; False when it is not ours, or not wanted, now."""
    uuid = build.instance.uuid
    if not handover.hand_over(tx, build.operation, host=claim.host):
        return False
    if not instances.come_to_host(tx, uuid, host=claim.host, node=claim.node):
        operations.finish(tx, build.operation.id, ok=False, message="The server is not shelved any more.")
        compute_nodes.release(tx, uuid)
        return True
    placed = dataclasses.replace(build.instance, host=claim.host, node=claim.node)
    order = order_for(tx, build.operation, placed)
    refresh_neighbours(cloud, tx, context, instance_uuid=uuid)
    afterwards(tx, f"unshelve {uuid}", lambda: give_order(cloud.compute.on(claim.host), context, order))
    return True


def _give_up(cloud: Cloud, build: Build, error: NovaError) -> None:
    LOG.warning("Server %s cannot be unshelved: %s", build.instance.uuid, error)
    passing = isinstance(error, Unavailable) and not isinstance(error, Timeout)
    if passing and build.operation.attempt < cloud.settings.max_takeovers:
        cloud.db.run(lambda tx: put_back(tx, build.operation))
    else:
        cloud.db.run(lambda tx: _fail_ours(tx, build, error))


def _fail_ours(tx: Transaction, build: Build, error: NovaError) -> None:
    if handover.holds(tx, build.operation):
        fail(tx, build.operation, Fault(code=500, message=error.message, details=str(error)))


def put_back(tx: Transaction, operation: Operation) -> None:
    """Let nobody have it any more, unless whoever had it has gone on with it; its room is given back."""
    if handover.put_back(tx, operation):
        compute_nodes.release(tx, operation.instance_uuid)


def fail(tx: Transaction, operation: Operation, fault: Fault) -> None:
    """The server stays shelved; nothing is claimed for it."""
    if operations.finish(tx, operation.id, ok=False, message=fault.message):
        compute_nodes.release(tx, operation.instance_uuid)
        instances.finish(tx, operation.instance_uuid, Action.UNSHELVE, ok=False)
        faults.add(tx, operation.instance_uuid, fault)


def _release(tx: Transaction, operation: Operation) -> None:
    """Somebody else has it, or nobody wants it: give back what was claimed, if it is not his."""
    current = operations.get(tx, operation.id)
    if current.state is OperationState.FAILED:
        compute_nodes.release(tx, operation.instance_uuid)
