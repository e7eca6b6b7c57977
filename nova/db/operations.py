# SPDX-License-Identifier: Apache-2.0
"""Repository of operations: accepted requests on instances, which users see as instance actions, and their steps."""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, insert, select, update

from nova import errors
from nova.context import RequestContext
from nova.db.models.base import table_of
from nova.db.models.instance import InstanceActionEventRow, InstanceActionRow
from nova.db.transaction import Transaction
from nova.domain.instance import Operation, StepEvent
from nova.domain.states import OperationState
from nova.domain.transitions import Action

ACTIONS = table_of(InstanceActionRow)
EVENTS = table_of(InstanceActionEventRow)
C = ACTIONS.c
_OPEN = (OperationState.REQUESTED.value, OperationState.RUNNING.value)
_LONGEST_MESSAGE = 255

_COLUMNS: Select[Any] = select(
    *(C.id, C.instance_uuid, C.action, C.request_id, C.user_id, C.project_id, C.state, C.host, C.attempt),
    *(C.phase, C.arguments, C.message, C.start_time, C.updated_at, C.finish_time),
)


def open(
    tx: Transaction,
    action: Action | str,
    *,
    instance_uuids: Sequence[str],
    context: RequestContext,
    arguments: Mapping[str, Any] | None = None,
    state: OperationState = OperationState.REQUESTED,
    host: str = "",
    phase: str = "",
) -> list[Operation]:
    """Record that *action* was asked for on each of the instances; the operations come back in the same order.

    *action* is kept as it is given (``reboot_hard`` stays that); *arguments* are plain JSON values and no credentials.
    """
    text = json.dumps(dict(arguments or {}))
    rows = [
        {
            "action": str(action),
            "instance_uuid": uuid,
            "request_id": context.request_id,
            "user_id": context.user_id or None,
            "project_id": context.project_id or None,
            "state": state.value,
            "host": host or None,
            "attempt": 1,
            "phase": phase or None,
            "arguments": text,
            "start_time": tx.now,
            "created_at": tx.now,
            "updated_at": tx.now,
        }
        for uuid in instance_uuids
    ]
    if not rows:
        return []
    tx.execute(insert(ACTIONS), rows)
    mine = C.request_id == context.request_id
    chosen = _COLUMNS.where(C.instance_uuid.in_(instance_uuids), mine, C.action == str(action)).order_by(C.id)
    newest = {operation.instance_uuid: operation for operation in map(_operation, tx.execute(chosen))}
    return [newest[uuid] for uuid in instance_uuids]


def hand_to(tx: Transaction, operation_id: int, *, host: str, attempt: int | None = None) -> bool:
    """Note that *host* has the operation now and that it runs; whether it was still open."""
    values: dict[str, Any] = {"host": host or None, "state": OperationState.RUNNING.value, "updated_at": tx.now}
    if attempt is not None:
        values["attempt"] = attempt
    return tx.execute(update(ACTIONS).where(_still_open(operation_id)).values(values)).rowcount == 1


def touch(tx: Transaction, operation_id: int, *, host: str | None = None) -> bool:
    """Note that somebody is still at it (on *host*, if given); whether it is open there."""
    guard = [_still_open(operation_id), *([] if host is None else [C.host == host])]
    return tx.execute(update(ACTIONS).where(*guard).values(updated_at=tx.now)).rowcount == 1


def finish(
    tx: Transaction,
    operation_id: int,
    *,
    ok: bool,
    message: str = "",
    host: str | None = None,
    attempt: int | None = None,
) -> bool:
    """End the operation; only the first call does.  Whether it did.

    With *host* only while that host has it, and with *attempt* only that one.
    """
    state = OperationState.FINISHED if ok else OperationState.FAILED
    guard = [
        _still_open(operation_id),
        *([] if host is None else [C.host == host]),
        *([] if attempt is None else [C.attempt == attempt]),
    ]
    values = {"state": state.value, "message": message[:_LONGEST_MESSAGE] or None}
    ended = update(ACTIONS).where(*guard).values(finish_time=tx.now, updated_at=tx.now, **values)
    return tx.execute(ended).rowcount == 1


def note(tx: Transaction, operation: Operation, arguments: Mapping[str, Any]) -> None:
    """Add to the arguments of an operation that is open."""
    text = json.dumps({**operation.arguments, **arguments})
    tx.execute(update(ACTIONS).where(_still_open(operation.id)).values(arguments=text))


def add_events(tx: Transaction, operation_id: int, events: Sequence[StepEvent]) -> None:
    """Add steps to the operation's record, in one statement."""
    if not events:
        return
    rows = [
        {
            "action_id": operation_id,
            "event": event.name,
            "host": event.host or None,
            "start_time": event.started_at,
            "finish_time": event.finished_at,
            "result": event.result or None,
            "traceback": event.traceback or None,
            "created_at": tx.now,
            "updated_at": tx.now,
        }
        for event in events
    ]
    tx.execute(insert(EVENTS), rows)


def get(tx: Transaction, operation_id: int) -> Operation:
    """The operation; NotFound when there is none."""
    return _one(tx, C.id == operation_id, key=operation_id)


def get_by_request(tx: Transaction, instance_uuid: str, request_id: str) -> Operation:
    """The (newest) operation that a request asked for on an instance; NotFound when there is none."""
    return _one(tx, C.instance_uuid == instance_uuid, C.request_id == request_id, key=request_id)


def list_for_instance(tx: Transaction, instance_uuid: str, *, limit: int | None = None) -> list[Operation]:
    """The operations on an instance, newest first."""
    chosen = _COLUMNS.where(C.instance_uuid == instance_uuid).order_by(C.id.desc()).limit(limit)
    return [_operation(row) for row in tx.execute(chosen)]


def events_of(tx: Transaction, operation_id: int) -> list[StepEvent]:
    """The steps of an operation, in order."""
    e = EVENTS.c
    columns = (e.event, e.host, e.start_time, e.finish_time, e.result, e.traceback)
    return [
        StepEvent(
            name=event,
            host=host or "",
            started_at=started or tx.now,
            finished_at=finished,
            result=result or "",
            traceback=traceback or "",
        )
        for event, host, started, finished, result, traceback in tx.execute(
            select(*columns).where(e.action_id == operation_id).order_by(e.start_time, e.id)
        )
    ]


def unfinished_on(tx: Transaction, host: str) -> list[Operation]:
    """The operations that *host* was handed and whose end was never recorded, oldest first."""
    chosen = _COLUMNS.where(C.host == host, C.state.in_(_OPEN)).order_by(C.id)
    return [_operation(row) for row in tx.execute(chosen)]


def unfinished_of(tx: Transaction, instance_uuid: str) -> list[Operation]:
    """The open operations of one instance, oldest first."""
    chosen = _COLUMNS.where(C.instance_uuid == instance_uuid, C.state.in_(_OPEN)).order_by(C.id)
    return [_operation(row) for row in tx.execute(chosen)]


def requested(tx: Transaction, action: Action, *, instance_uuids: Sequence[str]) -> list[Operation]:
    """The operations of this kind on the instances that nobody has taken up, oldest first."""
    open_ones = (C.action == action.value, C.state == OperationState.REQUESTED.value)
    chosen = _COLUMNS.where(C.instance_uuid.in_(instance_uuids), *open_ones).order_by(C.id)
    return [_operation(row) for row in tx.execute(chosen)]


def stale(
    tx: Transaction, state: OperationState, *, older_than: datetime.datetime, limit: int = 100
) -> list[Operation]:
    """Operations in *state* of which nothing was heard since *older_than*, oldest first: work for recovery."""
    chosen = _COLUMNS.where(C.state == state.value, C.updated_at < older_than).order_by(C.updated_at).limit(limit)
    return [_operation(row) for row in tx.execute(chosen)]


def _still_open(operation_id: int) -> ColumnElement[bool]:
    return (C.id == operation_id) & C.state.in_(_OPEN)


def _one(tx: Transaction, *conditions: ColumnElement[bool], key: object) -> Operation:
    row = tx.execute(_COLUMNS.where(*conditions).order_by(C.id.desc()).limit(1)).first()
    if row is None:
        raise errors.NotFound.of("action", key)
    return _operation(row)


def _operation(row: Any) -> Operation:
    operation = Operation(
        id=row.id,
        instance_uuid=row.instance_uuid,
        action=row.action,
        request_id=row.request_id,
        user_id=row.user_id or "",
        project_id=row.project_id or "",
        state=OperationState(row.state),
        host=row.host or "",
        attempt=row.attempt,
        phase=row.phase or "",
        message=row.message or "",
        started_at=row.start_time,
        updated_at=row.updated_at,
        finished_at=row.finish_time,
    )
    return operation if row.arguments == "{}" else dataclasses.replace(operation, arguments=json.loads(row.arguments))
