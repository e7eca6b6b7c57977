# SPDX-License-Identifier: Apache-2.0
"""Move a running server to another host, and what may be said to that while it goes on.  Runs in nova-api.

What the database knows to stand against it (an unknown, dead or unlike host) is refused at once; what only the hosts
know ends the move, and the server stays where it is.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from nova.api.actions import moves as requests
from nova.api.actions import servers
from nova.api.actions.after_commit import tell
from nova.api.cloud import Cloud
from nova.api.policies.compute import PREFIX
from nova.context import RequestContext
from nova.db import compute_nodes, moves, operations
from nova.db.engine import Transaction
from nova.domain.fitting import misfits
from nova.domain.instance import Instance
from nova.domain.move import Move, MoveKind, MoveStatus
from nova.domain.states import TaskState
from nova.domain.transitions import Action
from nova.errors import InvalidInput, InvalidState, NotFound

RULE = PREFIX + "os-migrate-server:migrate_live"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveMigration:
    """What was asked for."""

    host: str = ""
    """Empty lets the scheduler choose"""
    block_migration: bool | None = None
    """Whether disks are copied; None leaves it to what the hosts share"""
    unchecked: bool = False
    """Take the host without asking the scheduler"""


def live_migrate(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, wanted: LiveMigration) -> None:
    """Let the server move while it runs.

    Raises NotFound, Forbidden, InvalidState, and InvalidInput for a host that cannot take it.
    """
    instance = servers.load(tx, context, uuid)
    servers.authorize(cloud, context, RULE, instance)
    if wanted.host:
        _check_host(cloud, tx, instance, wanted)
    requests.request_move(
        cloud,
        tx,
        context,
        instance,
        Action.LIVE_MIGRATE,
        kind=MoveKind.LIVE,
        arguments={"force_host": wanted.host, "unchecked": wanted.unchecked and bool(wanted.host)},
        block_migration=wanted.block_migration,
    )


def _check_host(cloud: Cloud, tx: Transaction, instance: Instance, wanted: LiveMigration) -> None:
    requests.compute_service(tx, wanted.host)
    if wanted.host == instance.host:
        raise InvalidInput(f"Server {instance.uuid} is on host {wanted.host} already.", field="host")
    if not requests.is_up(cloud, tx, wanted.host):
        raise InvalidInput(f"Compute service of {wanted.host} is unavailable at this time.", field="host")
    sources, destinations = (compute_nodes.find(tx, host=host) for host in (instance.host, wanted.host))
    if sources and destinations:
        found = misfits(sources[0], destinations[0], instance.flavor, copies_disks=wanted.block_migration is True)
        if found:
            raise InvalidInput(f"The server cannot go on on host {wanted.host}: {'; '.join(found)}.", field="host")


def running(
    tx: Transaction,
    context: RequestContext,
    uuid: str,
    move_id: str,
    *,
    under_way: Collection[MoveStatus] = frozenset(MoveStatus),
) -> tuple[Instance, Move]:
    """A live migration of the server, in one of these states; NotFound for another server's, or in another state."""
    instance = servers.load(tx, context, uuid)
    number = int(move_id) if move_id.isascii() and move_id.isdecimal() and len(move_id) < 10 else 0
    found = moves.find(tx, {"instance_uuid": instance.uuid, "id": number, "migration_type": MoveKind.LIVE.value})
    move = found[0] if found else None
    if move is None or move.status not in under_way:
        raise NotFound(f"Migration {move_id[:36]} for server {instance.uuid} could not be found.")
    return instance, move


def force_complete(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, move_id: str) -> None:
    """Let the guest wait for the rest of its move, so that it ends; InvalidState unless it is copied now."""
    instance, move = running(tx, context, uuid, move_id)
    if instance.task_state is not TaskState.MIGRATING or move.status is not MoveStatus.RUNNING:
        raise InvalidState(f"Migration {move.id} is {move.status}: only a running one can be forced.")
    tell(
        tx,
        f"force migration {move.id}",
        lambda: cloud.compute.on(move.source_host).force_move(context, instance=instance),
    )


def abort(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, move_id: str) -> None:
    """Call the move off; the guest stays where it is.  InvalidState when it is not under way any more."""
    instance, move = running(tx, context, uuid, move_id)
    under_way = (MoveStatus.ACCEPTED, MoveStatus.PREPARING, MoveStatus.RUNNING)
    if instance.task_state is not TaskState.MIGRATING or move.status not in under_way:
        raise InvalidState(f"Migration {move.id} is {move.status}: it cannot be called off.")
    for operation in operations.unfinished_of(tx, instance.uuid):
        if operation.action == Action.LIVE_MIGRATE:
            operations.note(tx, operation, {"aborted": True})
    tell(
        tx,
        f"abort migration {move.id}",
        lambda: cloud.compute.on(move.source_host).abort_move(context, instance=instance),
    )
