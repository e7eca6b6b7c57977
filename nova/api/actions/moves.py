# SPDX-License-Identifier: Apache-2.0
"""What the requests that move a server between hosts share.  Runs in nova-api, inside the request's transaction.

A move is recorded with its operation, and nova-conductor is told after the commit; it finds the other host.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nova.api.actions import host_orders
from nova.api.actions.after_commit import tell
from nova.api.cloud import Cloud
from nova.context import RequestContext
from nova.db import move_requests, moves, services
from nova.db.engine import Transaction
from nova.db.orders import MOVE
from nova.domain.flavor import Flavor
from nova.domain.host import Service
from nova.domain.instance import Instance, Operation
from nova.domain.move import LEGS, Move, MoveKind, first_phase, host_of
from nova.domain.transitions import Action
from nova.errors import InvalidInput, NotFound

COMPUTE = "nova-compute"


def request_move(
    cloud: Cloud,
    tx: Transaction,
    context: RequestContext,
    instance: Instance,
    action: Action,
    *,
    kind: MoveKind,
    flavor: Flavor | None = None,
    arguments: Mapping[str, Any] | None = None,
    shared_storage: bool | None = None,
    block_migration: bool | None = None,
) -> None:
    """Let *action* begin on the server, and record that it is to move (:func:`nova.db.move_requests.record`)."""
    operation = move_requests.record(
        tx,
        context,
        instance,
        action,
        kind=kind,
        flavor=flavor,
        arguments=arguments,
        shared_storage=shared_storage,
        block_migration=block_migration,
    )
    tell(
        tx,
        f"{action} {instance.uuid}",
        lambda: cloud.conductor.move_instance(context, operation_id=operation.id),
    )


def decide(
    cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, action: Action, *, rule: str
) -> tuple[Move, Operation]:
    """Let the owner's word on a finished move be done, by the host of its first leg.

    Raises InvalidState, and InvalidInput when there is no move to decide about.
    """
    move = moves.of_instance(tx, uuid)
    if move is not None:
        host, phase = host_of(move, LEGS[action][first_phase(action)]), first_phase(action)
        arguments = {MOVE: move.id}
        _, operation = host_orders.begin(
            cloud, tx, context, uuid, action, rule=rule, arguments=arguments, host=host, phase=phase
        )
        host_orders.send_order(cloud, tx, context, operation)
        return move, operation
    host_orders.begin(cloud, tx, context, uuid, action, rule=rule)
    raise InvalidInput("Instance has not been resized.")


def compute_service(tx: Transaction, host: str, *, field: str = "host") -> Service:
    """The nova-compute on *host*; InvalidInput when there is none."""
    try:
        return services.get_by_host(tx, host, COMPUTE)
    except NotFound as error:
        raise InvalidInput(f"Compute host {host[:255]} could not be found.", field=field) from error


def is_up(cloud: Cloud, tx: Transaction, host: str) -> bool:
    """Whether nova-compute on *host* was heard of lately."""
    try:
        found = services.get_by_host(tx, host, COMPUTE)
    except NotFound:
        return False
    return found.is_up(tx.now, down_time_s=cloud.settings.service_down_time_s)
