# SPDX-License-Identifier: Apache-2.0
"""Recording that an instance is to move to another host: its state, the move and its operation, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nova.context import RequestContext
from nova.db import instances, moves, operations
from nova.db.orders import MOVE
from nova.db.transaction import Transaction
from nova.domain.flavor import Flavor
from nova.domain.instance import Instance, Operation
from nova.domain.move import Move, MoveKind, MoveStatus
from nova.domain.transitions import Action


def record(
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
) -> Operation:
    """Let *action* begin, and write it down; raises InvalidState.  nova-conductor is to be told after the commit.

    :param flavor: what the instance is to have there; None is what it has
    :param arguments: what nova-conductor must know beyond the move
    """
    instances.begin(tx, instance.uuid, action, project_id=instance.project_id, ignore_lock=context.is_admin)
    move = moves.add(
        tx,
        Move(
            instance_uuid=instance.uuid,
            kind=kind,
            status=MoveStatus.ACCEPTED,
            source_host=instance.host,
            source_node=instance.node,
            old_flavor=instance.flavor,
            new_flavor=flavor or instance.flavor,
            old_vm_state=instance.vm_state,
            shared_storage=shared_storage,
            block_migration=block_migration,
        ),
    )
    (operation,) = operations.open(
        tx,
        action,
        instance_uuids=[instance.uuid],
        context=context,
        arguments={**(arguments or {}), MOVE: move.id},
    )
    return operation
