# SPDX-License-Identifier: Apache-2.0
"""A compute host asks whether it may begin with an order that it has.  Runs in nova-conductor.

A message may come late: after its host was thought dead and recovery ended the operation, or gave it to another host.
Carried out then, it would change a server of which the database says something else, or that has gone on since.
"""

from __future__ import annotations

from nova.db import handover, instances, operations
from nova.db.transaction import Transaction
from nova.domain.transitions import TRANSITIONS, Action
from nova.errors import NotFound


def begin_operation(tx: Transaction, *, operation_id: int, attempt: int, phase: str, host: str) -> bool:
    """See the interface.  An instance whose row has a task for that goes on to it."""
    try:
        operation = operations.get(tx, operation_id)
    except NotFound:
        return False
    if not handover.begin(tx, operation_id, attempt=attempt, phase=phase, host=host):
        return operation.action == Action.DELETE and _is_deleted(tx, operation.instance_uuid)
    transition = TRANSITIONS[Action(operation.action)]
    if transition.on_host is not None:
        instances.progress(tx, operation.instance_uuid, transition.on_host, expected=transition.during)
    return True


def _is_deleted(tx: Transaction, uuid: str) -> bool:
    """Whether nothing but its traces on a host is left of the instance."""
    try:
        return instances.get(tx, uuid, deleted=True).deleted
    except NotFound:
        return False
