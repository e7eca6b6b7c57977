# SPDX-License-Identifier: Apache-2.0
"""The end of an operation that a compute host was given: its report is applied in one transaction.

Runs in nova-conductor.  The same report twice changes nothing the second time.  A report on an operation that is not
in the reporter's hands is refused, and the reporter then undoes what it did.  A build that failed for reasons of its
host is put back, to be tried on another one.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging

from nova.conductor.cloud import Cloud, afterwards
from nova.conductor.operations import legs, shelve
from nova.conductor.operations.build import end_in_error
from nova.conductor.operations.cards import give_back_card
from nova.conductor.operations.rebuild import restore_image
from nova.conductor.operations.release import bury, release_quota
from nova.conductor.operations.unfinished_images import delete_unfinished_image
from nova.context import RequestContext
from nova.db import block_devices, compute_nodes, faults, handover, instances, operations, volumes
from nova.db.transaction import Transaction
from nova.domain.block_device import BlockDevice
from nova.domain.instance import Fault, Operation
from nova.domain.orders import BuildRequest, OperationReport
from nova.domain.states import OperationState, TaskState
from nova.domain.transitions import TRANSITIONS, Action
from nova.errors import Forbidden, NotFound

LOG = logging.getLogger(__name__)

GIVEN_BACK = frozenset({(Action.ATTACH_INTERFACE, False), (Action.DETACH_INTERFACE, True)})
"""Ends of operations on a card after which the server does not have it"""
IN_HAND = frozenset({OperationState.REQUESTED, OperationState.RUNNING})


def report_progress(
    tx: Transaction, *, operation_id: int, host: str, task_state: TaskState, percent: int | None = None
) -> None:
    """Go on to *task_state*, if the operation is in hand on *host* and its instance does nothing else."""
    if not operations.touch(tx, operation_id, host=host):
        return
    operation = operations.get(tx, operation_id)
    during = TRANSITIONS[Action(operation.action)].during
    if task_state in during:
        instances.progress(tx, operation.instance_uuid, task_state, expected=during, percent=percent)


def finish_operation(cloud: Cloud, context: RequestContext, report: OperationReport) -> None:
    """Apply *report*.  Raises Forbidden when the operation is not in the hands of ``report.host``."""
    cloud.pause_before_step("finish_operation")
    cloud.db.run(lambda tx: apply(cloud, tx, context, report))


def apply(cloud: Cloud, tx: Transaction, context: RequestContext, report: OperationReport) -> None:
    """The same within a transaction."""
    if report.phase:
        legs.advance(cloud, tx, context, report)
        return
    if report.action == Action.CREATE and report.fault is not None and report.may_retry_elsewhere:
        if _retry_elsewhere(cloud, tx, context, report):
            return
        report = dataclasses.replace(report, fault=_exhausted(tx, report, report.fault))
    ok, message = report.fault is None, report.fault.message if report.fault else ""
    if not operations.finish(tx, report.operation_id, ok=ok, message=message, host=report.host, attempt=report.attempt):
        _check_applied(tx, report)
        return
    operations.add_events(tx, report.operation_id, report.events)
    _apply_end(cloud, tx, context, report)


def _check_applied(tx: Transaction, report: OperationReport) -> None:
    """Nothing, when the operation ended on that host as the report says; Forbidden else."""
    found = operations.get(tx, report.operation_id)
    as_reported = OperationState.FINISHED if report.fault is None else OperationState.FAILED
    if (found.host, found.attempt, found.state) != (report.host, report.attempt, as_reported):
        raise Forbidden(f"Operation {report.operation_id} is not in the hands of host {report.host}.")


def _apply_end(cloud: Cloud, tx: Transaction, context: RequestContext, report: OperationReport) -> None:
    action, uuid, ok = Action(report.action), report.instance_uuid, report.fault is None
    if action is Action.CREATE and report.fault is not None:
        end_in_error(cloud, tx, context, uuid, fault=report.fault)
        return
    if action is Action.DELETE and ok:
        _bury(cloud, tx, context, uuid)
        return
    ended = instances.finish(tx, uuid, action, ok=ok, power_state=report.power_state)
    _settle_quota(tx, uuid, action, done=ok and ended)
    _settle_shelving(cloud, tx, context, report)
    if report.fault is not None:
        faults.add(tx, uuid, report.fault)
        operation = operations.get(tx, report.operation_id)
        delete_unfinished_image(cloud, tx, context, operation)
        restore_image(tx, operation)
    if (action, ok) in GIVEN_BACK:
        give_back_card(cloud, tx, context, operations.get(tx, report.operation_id))
    if report.device is not None:
        _settle_device(tx, report, report.device)
    elif action is Action.CREATE:
        _settle_volumes(tx, uuid)


def _bury(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str) -> None:
    try:
        instance = instances.get(tx, uuid)
    except NotFound:
        return
    bury(cloud, tx, context, instance)


def _settle_shelving(cloud: Cloud, tx: Transaction, context: RequestContext, report: OperationReport) -> None:
    """What an operation of shelving changes beyond the instance's states."""
    ok, action = report.fault is None, report.action
    if action == Action.SHELVE and ok:
        shelve.after_shelve(cloud, tx, operations.get(tx, report.operation_id))
    elif action == Action.SHELVE_OFFLOAD and ok:
        shelve.after_offload(cloud, tx, context, report)
    elif action == Action.UNSHELVE and ok:
        shelve.after_unshelve(cloud, tx, context, operations.get(tx, report.operation_id))
    elif action == Action.UNSHELVE:
        shelve.give_host_back(tx, report.instance_uuid, host=report.host)


def _settle_quota(tx: Transaction, uuid: str, action: Action, *, done: bool) -> None:
    """What is deleted softly is not counted any more; what was counted again and is not restored neither."""
    if (action is Action.SOFT_DELETE and done) or (action is Action.RESTORE and not done):
        with contextlib.suppress(NotFound):
            release_quota(tx, instances.get(tx, uuid))


def _settle_device(tx: Transaction, report: OperationReport, device: BlockDevice) -> None:
    """The device and its volume after an attach or a detach, whichever way it went."""
    ok, uuid = report.fault is None, report.instance_uuid
    if report.action == Action.ATTACH_VOLUME and ok:
        block_devices.update_device(tx, dataclasses.replace(device, attached=True))
        volumes.attached(tx, device.volume_id, uuid)
    elif report.action == Action.DETACH_VOLUME and not ok:
        block_devices.update_device(tx, dataclasses.replace(device, attached=True))
        volumes.detached(tx, device.volume_id, uuid, still_attached=True)
    else:
        block_devices.remove(tx, device.id)
        volumes.detached(tx, device.volume_id, uuid)


def _settle_volumes(tx: Transaction, uuid: str) -> None:
    """The volumes that a new server was given from its beginning."""
    for device in block_devices.for_instance(tx, uuid):
        if device.volume_id:
            block_devices.update_device(tx, dataclasses.replace(device, attached=True))
            volumes.attached(tx, device.volume_id, uuid)


def _retry_elsewhere(cloud: Cloud, tx: Transaction, context: RequestContext, report: OperationReport) -> bool:
    """Put the build back for another host, if it is in the reporter's hands, still wanted, and may be tried again."""
    operation = operations.get(tx, report.operation_id)
    request = BuildRequest.of(operation)
    tried = (*request.ignore_hosts, report.host)
    if not _may_retry(cloud, operation, request, report):
        return False
    if not instances.assign_host(tx, report.instance_uuid, host="", node=""):
        return False
    message = report.fault.message if report.fault else ""
    changed = dataclasses.replace(request, ignore_hosts=tried, failures=(*request.failures, message))
    handover.put_back(tx, operation, arguments=changed.as_arguments())
    instances.progress(tx, report.instance_uuid, TaskState.SCHEDULING, expected=TRANSITIONS[Action.CREATE].during)
    compute_nodes.release(tx, report.instance_uuid)
    operations.add_events(tx, operation.id, report.events)
    LOG.warning("The build of server %s failed on host %s; trying another.", report.instance_uuid, report.host)
    afterwards(
        tx,
        f"build {report.instance_uuid} elsewhere",
        lambda: cloud.conductor.build_instances(context, instance_uuids=(report.instance_uuid,), admin_password=None),
    )
    return True


def _may_retry(cloud: Cloud, operation: Operation, request: BuildRequest, report: OperationReport) -> bool:
    in_hand = operation.state in IN_HAND and (operation.host, operation.attempt) == (report.host, report.attempt)
    return in_hand and not request.force_host and len(request.ignore_hosts) + 1 < cloud.settings.max_attempts


def _exhausted(tx: Transaction, report: OperationReport, fault: Fault) -> Fault:
    """The last fault of a build that has been tried often enough, saying how often."""
    tried = len(BuildRequest.of(operations.get(tx, report.operation_id)).ignore_hosts) + 1
    if tried == 1:
        return fault
    message = f"No valid host was found. The build failed on {tried} hosts, the last time with: {fault.message}"
    return dataclasses.replace(fault, message=message)
