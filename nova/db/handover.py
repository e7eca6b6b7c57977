# SPDX-License-Identifier: Apache-2.0
"""Who has an operation in hand: guarded steps between nobody, a conductor and a compute host.

An operation that nobody has is ``requested``; a conductor has it while it is ``running`` without a host.  Its
``attempt`` goes up each time that it is taken from its holder, who is so kept from going on with it.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, select, update

from nova.db.instances.rows import INSTANCES
from nova.db.models.base import table_of
from nova.db.models.network import VirtualInterfaceRow
from nova.db.operations import ACTIONS
from nova.db.transaction import Transaction
from nova.domain.instance import Operation
from nova.domain.states import OperationState

C = ACTIONS.c
_CARDS = table_of(VirtualInterfaceRow)


def take_up(tx: Transaction, operation: Operation) -> bool:
    """Let the caller, a conductor, have an operation that nobody has; whether it was still so."""
    return _step(tx, operation, OperationState.REQUESTED, {"state": OperationState.RUNNING.value})


def hand_over(tx: Transaction, operation: Operation, *, host: str, phase: str = "") -> bool:
    """Give *host* an operation that the caller, a conductor, has; whether it was still so.

    :param phase: its leg there, where the operation spans hosts
    """
    return _step(tx, operation, OperationState.RUNNING, {"host": host, "phase": phase or None})


def hand_on(tx: Transaction, operation: Operation, *, host: str, phase: str, arguments: Mapping[str, Any]) -> bool:
    """Give *host* the next leg of an operation whose last leg another host has ended; whether it was still so."""
    values = {"host": host, "phase": phase, "arguments": json.dumps(dict(arguments))}
    return _step(tx, operation, operation.state, {**values, "state": OperationState.RUNNING.value})


def begin(tx: Transaction, operation_id: int, *, attempt: int, phase: str, host: str) -> bool:
    """Note that *host* is about to work on that attempt and leg; whether they are still open and in its hands."""
    open_states = (OperationState.REQUESTED.value, OperationState.RUNNING.value)
    leg: ColumnElement[bool] = C.phase == phase if phase else C.phase.is_(None)
    guard = (C.id == operation_id, C.attempt == attempt, leg, C.host == host, C.state.in_(open_states))
    values = {"state": OperationState.RUNNING.value, "updated_at": tx.now}
    return tx.execute(update(ACTIONS).where(*guard).values(values)).rowcount == 1


def holds(tx: Transaction, operation: Operation) -> bool:
    """Whether the caller, a conductor, still has the operation; if so nobody takes it before this commits."""
    return _step(tx, operation, OperationState.RUNNING, {})


def is_open(tx: Transaction, operation: Operation) -> bool:
    """Whether the operation has not ended, whoever has it."""
    chosen = select(C.state).where(C.id == operation.id)
    return tx.execute(chosen).scalar() in (OperationState.REQUESTED.value, OperationState.RUNNING.value)


def put_back(tx: Transaction, operation: Operation, *, arguments: Mapping[str, Any] | None = None) -> bool:
    """Let nobody have the operation any more, whoever has it in *operation*; whether he still had it.

    :param arguments: what its arguments are from now on
    """
    values: dict[str, Any] = {
        "state": OperationState.REQUESTED.value,
        "host": None,
        "phase": None,
        "attempt": operation.attempt + 1,
    }
    if arguments is not None:
        values["arguments"] = json.dumps(dict(arguments))
    return _step(tx, operation, operation.state, values)


def deleted_with_cards(tx: Transaction, *, before: datetime.datetime, limit: int = 100) -> list[str]:
    """Instances that were deleted before that moment, and whose network cards nobody has released yet."""
    held = select(_CARDS.c.instance_uuid).where(_CARDS.c.position.is_not(None))
    chosen = select(INSTANCES.c.uuid).where(INSTANCES.c.deleted != 0, INSTANCES.c.deleted_at < before)
    return list(tx.execute(chosen.where(INSTANCES.c.uuid.in_(held)).limit(limit)).scalars())


def _step(tx: Transaction, operation: Operation, state: OperationState, values: dict[str, Any]) -> bool:
    host: ColumnElement[bool] = C.host == operation.host if operation.host else C.host.is_(None)
    phase: ColumnElement[bool] = C.phase == operation.phase if operation.phase else C.phase.is_(None)
    guard = (C.id == operation.id, C.state == state.value, C.attempt == operation.attempt, host, phase)
    return tx.execute(update(ACTIONS).where(*guard).values(**values, updated_at=tx.now)).rowcount == 1
