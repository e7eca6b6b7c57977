# SPDX-License-Identifier: Apache-2.0
"""Finds what a crash, a lost message or a dead host left unfinished, and sees to its end.  Runs in nova-conductor.

Several conductors may look at once: each step is guarded, so the second one finds it done.  Besides operations
(:mod:`nova.conductor.remedy`) it looks after what deleted servers still hold: addresses that nova-network has not
released yet, and room on hosts.
"""

from __future__ import annotations

import dataclasses
import datetime
import logging
import time
from collections.abc import Callable

from nova.conductor.cloud import Cloud
from nova.conductor.operations import build, finish, move, unshelve
from nova.conductor.operations.delete import delete_instance
from nova.conductor.operations.hosts import is_alive
from nova.conductor.operations.rebuild import restore_image
from nova.conductor.operations.unfinished_images import delete_unfinished_image
from nova.conductor.quota_repair import recount_quotas
from nova.conductor.remedy import PLACED, Remedy, remedy_for
from nova.context import RequestContext, admin_context
from nova.db import block_devices, claim_audit, compute_nodes, faults, handover, instances, operations
from nova.db.orders import VOLUME_ACTIONS
from nova.db.transaction import Transaction
from nova.domain.block_device import BlockDevice
from nova.domain.instance import Fault, Operation
from nova.domain.move import LEGS, Silence, leg_of
from nova.domain.orders import OperationReport
from nova.domain.states import OperationState
from nova.domain.transitions import Action
from nova.errors import NotFound, NovaError

LOG = logging.getLogger(__name__)

CLAIMS_EVERY_S = 600.0
FORWARD_ONLY = frozenset({Action.SOFT_DELETE, Action.SHELVE_OFFLOAD})
"""Done without their host: what it still has of the server when it is back is powered off or removed then"""
DEAD_HOST = "The host of the server does not answer."
BUILDING = frozenset({Remedy.OFFER, Remedy.REPORT_DEAD_HOST})
"""After these a build goes on, on the same host or another."""


class Recovery:
    """One conductor's part in it."""

    def __init__(self, cloud: Cloud, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._cloud = cloud
        self._monotonic = monotonic
        self._began_at = monotonic()
        self._claims_at = self._began_at

    def turn(self) -> None:
        """Look once.  What goes wrong with one operation is logged, and the next one is looked at."""
        for state in (OperationState.REQUESTED, OperationState.RUNNING):
            for operation in self._stale(state):
                self._try(f"operation {operation.id}", self._mend, operation)
        for uuid in self._cloud.db.run(self._holding_addresses, write=False):
            self._try(f"addresses of {uuid}", self._release_addresses, uuid)
        if self._monotonic() - self._claims_at > CLAIMS_EVERY_S:
            self._claims_at = self._monotonic()
            self._try("claims on hosts", self._audit_claims)
            recount_quotas(self._cloud.db)

    def _audit_claims(self) -> None:
        """Make what hosts have in use exact again, should it ever be wrong."""
        added = self._cloud.db.run(claim_audit.add_missing)
        dropped = self._cloud.db.run(compute_nodes.recount)
        if added or dropped:
            LOG.warning("Claims on hosts were wrong: added for servers %s, dropped for %d others.", added, dropped)

    def _try(self, what: str, work: Callable[..., None], *arguments: object) -> None:
        try:
            work(*arguments)
        except NovaError as exc:
            LOG.warning("Recovery of %s does not succeed now: %s", what, exc)
        except Exception:
            LOG.exception("Recovery of %s failed unexpectedly.", what)

    def _stale(self, state: OperationState) -> list[Operation]:
        grace = datetime.timedelta(seconds=self._cloud.settings.requested_grace_s)
        return self._cloud.db.run(lambda tx: operations.stale(tx, state, older_than=tx.now - grace), write=False)

    def _mend(self, operation: Operation) -> None:
        cloud = self._cloud
        remedy = cloud.db.run(lambda tx: self._remedy(tx, operation), write=False)
        if remedy is Remedy.WAIT:
            return
        LOG.warning("Operation %s (%s) is unfinished: %s.", operation.id, operation.action, remedy.value)
        context = self._context(operation, remedy)
        if remedy is Remedy.OFFER:
            cloud.db.run(lambda tx: operations.touch(tx, operation.id))
            self._offer(context, operation)
        elif remedy is Remedy.DELETE:
            delete_instance(cloud, context, instance_uuid=operation.instance_uuid)
        else:
            cloud.db.run(lambda tx: self._end(tx, context, operation, remedy))

    def _offer(self, context: RequestContext, operation: Operation) -> None:
        """Send the message again by which conductors take it up."""
        uuid, conductor = operation.instance_uuid, self._cloud.conductor
        if Action(operation.action) in LEGS:
            conductor.move_instance(context, operation_id=operation.id)
        elif operation.action == Action.REBUILD:
            conductor.rebuild_instance(context, instance_uuid=uuid, admin_password=None)
        elif operation.action == Action.UNSHELVE:
            conductor.unshelve_instance(context, instance_uuid=uuid)
        else:
            conductor.build_instances(context, instance_uuids=(uuid,), admin_password=None)

    def _context(self, operation: Operation, remedy: Remedy) -> RequestContext:
        """For going on with *operation*; with a token of its user where a host may have to read an image for it."""
        user_id, project_id = operation.user_id, operation.project_id
        builds = operation.action in PLACED and remedy in BUILDING
        return dataclasses.replace(
            admin_context("recovery goes on with an accepted request", request_id=operation.request_id),
            user_id=user_id,
            project_id=project_id,
            auth_token=self._cloud.token_of(user_id, project_id) if builds else None,
        )

    def _remedy(self, tx: Transaction, operation: Operation) -> Remedy:
        settings = self._cloud.settings
        silence_s = self._cloud.silence_s(grace_s=settings.host_grace_s)
        judges = self._monotonic() - self._began_at > settings.host_grace_s
        dead = judges and bool(operation.host) and not is_alive(tx, operation.host, down_time_s=silence_s)
        return remedy_for(operation, now=tx.now, host_is_dead=dead, settings=settings)

    def _end(self, tx: Transaction, context: RequestContext, operation: Operation, remedy: Remedy) -> None:
        moves_on = Action(operation.action) in LEGS
        if remedy is Remedy.TAKE_BACK and moves_on:
            move.put_back(tx, operation)
        elif remedy is Remedy.TAKE_BACK and operation.action == Action.REBUILD:
            handover.put_back(tx, operation)
        elif remedy is Remedy.TAKE_BACK and operation.action == Action.UNSHELVE:
            unshelve.put_back(tx, operation)
        elif remedy is Remedy.TAKE_BACK:
            build.put_back(tx, operation)
        elif remedy is Remedy.REPORT_DEAD_HOST:
            finish.apply(self._cloud, tx, context, _report_of_dead_host(tx, operation))
        elif remedy is Remedy.TIME_OUT:
            _fail_in_place(tx, operation, Fault(code=500, message="The host did not build the server in time."))
        elif operation.action == Action.CREATE:
            fault = Fault(code=500, message=f"The build was given up after {operation.attempt} attempts.")
            build.fail(self._cloud, tx, context, operation, fault=fault)
        elif operation.action == Action.UNSHELVE:
            fault = Fault(code=500, message=f"The server could not be given a host in {operation.attempt} attempts.")
            unshelve.fail(tx, operation, fault)
        elif moves_on:
            fault = Fault(code=500, message=f"The move was given up after {operation.attempt} attempts.")
            move.fail(self._cloud, tx, context, operation, fault=fault)
        else:
            _fail_in_place(tx, operation, Fault(code=500, message=DEAD_HOST))
            delete_unfinished_image(self._cloud, tx, context, operation)
            restore_image(tx, operation)

    def _holding_addresses(self, tx: Transaction) -> list[str]:
        grace = datetime.timedelta(seconds=self._cloud.settings.requested_grace_s)
        return handover.deleted_with_cards(tx, before=tx.now - grace)

    def _release_addresses(self, uuid: str) -> None:
        context = admin_context("a deleted server still holds addresses")
        self._cloud.network.release(context, instance_uuid=uuid)


def _report_of_dead_host(tx: Transaction, operation: Operation) -> OperationReport:
    passes = bool(operation.phase) and leg_of(operation.action, operation.phase).silence is Silence.PASS
    details = f"nova-compute on host {operation.host} sends no heartbeats, and had operation {operation.id} in hand."
    done = operation.action in FORWARD_ONLY
    return OperationReport(
        operation_id=operation.id,
        instance_uuid=operation.instance_uuid,
        action=operation.action,
        host=operation.host,
        attempt=operation.attempt,
        phase=operation.phase,
        fault=None if done or passes else Fault(code=500, message=DEAD_HOST, details=details, host=operation.host),
        may_retry_elsewhere=True,
        device=_device(tx, operation),
    )


def _device(tx: Transaction, operation: Operation) -> BlockDevice | None:
    if operation.action not in VOLUME_ACTIONS:
        return None
    try:
        volume_id = str(operation.arguments["volume_id"])
        return block_devices.for_volume(tx, volume_id, instance_uuid=operation.instance_uuid)
    except NotFound:
        return None


def _fail_in_place(tx: Transaction, operation: Operation, fault: Fault) -> None:
    """End the operation as failed; what the instance holds stays with it until it is deleted."""
    if operations.finish(tx, operation.id, ok=False, message=fault.message):
        instances.finish(tx, operation.instance_uuid, Action(operation.action), ok=False)
        faults.add(tx, operation.instance_uuid, fault)
