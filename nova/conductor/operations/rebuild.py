# SPDX-License-Identifier: Apache-2.0
"""Rebuild: ask the scheduler's filters whether the server may stay on its host with its new image, then have it done.

Runs in nova-conductor.  When they refuse, nothing was done: the server keeps its image and its state, and the action
says why.  The host's report ends a rebuild that was begun (:mod:`nova.conductor.operations.finish`).
"""

from __future__ import annotations

import dataclasses
import logging

from nova.conductor.cloud import Cloud, afterwards
from nova.conductor.operations.build import Build, spec_of
from nova.context import RequestContext
from nova.db import faults, handover, instances, operations
from nova.db.orders import order_for
from nova.db.transaction import Transaction
from nova.domain.instance import Fault, Operation
from nova.domain.orders import BuildRequest
from nova.domain.states import OperationState
from nova.domain.transitions import Action
from nova.errors import NovaError, Timeout, Unavailable
from nova.interfaces.compute import give_order
from nova.secret import Secret

LOG = logging.getLogger(__name__)


def rebuild_instance(
    cloud: Cloud, context: RequestContext, *, instance_uuid: str, admin_password: Secret | None
) -> None:
    """Go on with the rebuild that was asked for; nothing happens when somebody has taken it up."""
    cloud.pause_before_step("take_up")
    build = cloud.db.run(lambda tx: _take_up(tx, instance_uuid))
    if build is None:
        return
    cloud.pause_before_step("ask_filters")
    try:
        reason = cloud.scheduler.refusal(context, spec=spec_of([build]), host=build.instance.host)
    except NovaError as error:
        if isinstance(error, Unavailable) and not isinstance(error, Timeout):
            cloud.db.run(lambda tx: handover.put_back(tx, build.operation))
            return
        reason = error.message
    cloud.pause_before_step("hand_over")
    if reason:
        LOG.warning("Server %s is not rebuilt: %s", instance_uuid, reason)
        cloud.db.run(lambda tx: _refuse(tx, build, reason))
    else:
        cloud.db.run(lambda tx: _hand_over(cloud, tx, context, build, admin_password))


def restore_image(tx: Transaction, operation: Operation) -> None:
    """Let the server of *operation*, if that is a rebuild, be made from what it was made from before."""
    before = BuildRequest.of(operation).before if operation.action == Action.REBUILD else None
    if before is not None:
        instances.set_made_from(tx, operation.instance_uuid, before)


def _take_up(tx: Transaction, uuid: str) -> Build | None:
    known = instances.get_many(tx, [uuid])
    for operation in operations.requested(tx, Action.REBUILD, instance_uuids=[uuid]):
        if uuid in known and not operation.host and handover.take_up(tx, operation):
            running = dataclasses.replace(operation, state=OperationState.RUNNING)
            return Build(known[uuid], running, BuildRequest.of(operation))
    return None


def _refuse(tx: Transaction, build: Build, reason: str) -> None:
    if not handover.holds(tx, build.operation):
        return
    operations.finish(tx, build.operation.id, ok=False, message=reason)
    if instances.abandon(tx, build.instance.uuid, Action.REBUILD):
        restore_image(tx, build.operation)
        faults.add(tx, build.instance.uuid, Fault(code=500, message=reason))


def _hand_over(
    cloud: Cloud, tx: Transaction, context: RequestContext, build: Build, admin_password: Secret | None
) -> None:
    host = build.instance.host
    if not handover.hand_over(tx, build.operation, host=host):
        return
    order = order_for(tx, build.operation, build.instance, admin_password=admin_password)
    afterwards(tx, f"rebuild {build.instance.uuid}", lambda: give_order(cloud.compute.on(host), context, order))
