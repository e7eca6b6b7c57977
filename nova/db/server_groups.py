# SPDX-License-Identifier: Apache-2.0
"""Repository of server groups.

Where a member may go is decided under a lock on its group, in the transaction that claims the room: any number of
schedulers at once keep to the group's policy exactly.
"""

from __future__ import annotations

import dataclasses
import uuid as uuids
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, insert, select, union_all, update

from nova import errors
from nova.db.instances.rows import INSTANCES
from nova.db.models.base import table_of
from nova.db.models.host import ComputeNodeRow, InstanceClaimRow
from nova.db.models.server_group import ServerGroupMemberRow, ServerGroupRow
from nova.db.transaction import Transaction
from nova.domain.server_group import Policy, ServerGroup

GROUPS = table_of(ServerGroupRow)
MEMBERS = table_of(ServerGroupMemberRow)
_CLAIMS = table_of(InstanceClaimRow)
_NODES = table_of(ComputeNodeRow)
C = GROUPS.c
M = MEMBERS.c
_COLUMNS: Select[Any] = select(C.id, C.uuid, C.project_id, C.user_id, C.name, C.policy)


def create(tx: Transaction, group: ServerGroup) -> ServerGroup:
    """Record a new group under a uuid of its own."""
    made = dataclasses.replace(group, uuid=str(uuids.uuid4()))
    values = {
        "uuid": made.uuid,
        "project_id": made.project_id,
        "user_id": made.user_id,
        "name": made.name,
        "policy": made.policy.value,
        "turns": 0,
        "created_at": tx.now,
        "updated_at": tx.now,
    }
    key = tx.execute(insert(GROUPS).values(values)).inserted_primary_key
    return dataclasses.replace(made, id=key[0] if key else 0)


def find(tx: Transaction, project_id: str | None = None) -> list[ServerGroup]:
    """The groups of a project, or of all, oldest first."""
    return _find(tx, *([] if project_id is None else [C.project_id == project_id]))


def get(tx: Transaction, project_id: str | None, uuid: str) -> ServerGroup:
    """One group; NotFound when there is none, or (with *project_id*) when it is another project's."""
    scope = [] if project_id is None else [C.project_id == project_id]
    found = _find(tx, C.uuid == uuid, *scope)
    if not found:
        raise errors.NotFound(f"Server group {uuid[:64]} could not be found.", resource="server group", id=uuid)
    return found[0]


def remove(tx: Transaction, group: ServerGroup) -> bool:
    """Forget a group; its servers stay.  Whether it was there."""
    tx.execute(delete(MEMBERS).where(M.group_id == group.id))
    return tx.execute(delete(GROUPS).where(C.id == group.id)).rowcount == 1


def add_members(tx: Transaction, group: ServerGroup, instance_uuids: Sequence[str], *, limit: int) -> None:
    """Put new servers into a group, of at most *limit* (-1: any number); QuotaExceeded, NotFound when it is gone."""
    if not _take_turn(tx, group.id):
        raise errors.NotFound(f"Server group {group.uuid} could not be found.", resource="server group", id=group.uuid)
    living = tx.execute(
        select(func.count())
        .select_from(MEMBERS)
        .join(INSTANCES, INSTANCES.c.uuid == M.instance_uuid)
        .where(M.group_id == group.id, INSTANCES.c.deleted == 0, M.instance_uuid.not_in(instance_uuids))
    ).scalar_one()
    if limit >= 0 and living + len(instance_uuids) > limit:
        tx.doom("a server group was made too large")
        raise errors.QuotaExceeded(
            f"Quota exceeded for server_group_members: Requested {len(instance_uuids)}, but already used {living} of "
            f"{limit} server_group_members",
            resource="server_group_members",
            limit=limit,
            in_use=living,
            requested=len(instance_uuids),
        )
    times = {"created_at": tx.now, "updated_at": tx.now}
    rows = [{"group_id": group.id, "instance_uuid": uuid, **times} for uuid in instance_uuids]
    if rows:
        tx.execute(insert(MEMBERS), rows)


def of_instance(tx: Transaction, instance_uuid: str) -> ServerGroup | None:
    """The group that a server is in (without its members), or None."""
    statement = _COLUMNS.join(MEMBERS, M.group_id == C.id).where(M.instance_uuid == instance_uuid)
    row = tx.execute(statement).first()
    return None if row is None else _group(row, ())


def hosts_of_others(tx: Transaction, group_id: int, instance_uuid: str) -> Counter[str]:
    """How many members beside *instance_uuid* are, or are about to be, on each host."""
    others = (M.group_id == group_id, M.instance_uuid != instance_uuid)
    claimed = (
        select(M.instance_uuid, _NODES.c.host)
        .join(_CLAIMS, _CLAIMS.c.instance_uuid == M.instance_uuid)
        .join(_NODES, _NODES.c.id == _CLAIMS.c.node_id)
        .where(*others)
    )
    living = (
        select(M.instance_uuid, INSTANCES.c.host)
        .join(INSTANCES, INSTANCES.c.uuid == M.instance_uuid)
        .where(*others, INSTANCES.c.deleted == 0, INSTANCES.c.host.is_not(None))
    )
    pairs = {(row.instance_uuid, row.host) for row in tx.execute(union_all(claimed, living)) if row.host}
    return Counter(host for _, host in pairs)


def admits(tx: Transaction, group: ServerGroup, instance_uuid: str, *, host: str) -> bool:
    """Whether the group lets its member go to *host* now; nobody else places a member until this transaction ends.

    Called before anything is read in the transaction.
    """
    _take_turn(tx, group.id)
    return group.policy.admits(host, hosts_of_others(tx, group.id, instance_uuid))


def _take_turn(tx: Transaction, group_id: int) -> bool:
    return tx.execute(update(GROUPS).where(C.id == group_id).values(turns=C.turns + 1)).rowcount == 1


def _find(tx: Transaction, *conditions: ColumnElement[bool]) -> list[ServerGroup]:
    rows = tx.execute(_COLUMNS.where(*conditions).order_by(C.id)).all()
    members: dict[int, list[str]] = {}
    if rows:
        living = (
            select(M.group_id, M.instance_uuid)
            .join(INSTANCES, INSTANCES.c.uuid == M.instance_uuid)
            .where(M.group_id.in_([row.id for row in rows]), INSTANCES.c.deleted == 0)
            .order_by(M.id)
        )
        for row in tx.execute(living):
            members.setdefault(row.group_id, []).append(row.instance_uuid)
    return [_group(row, tuple(members.get(row.id, ()))) for row in rows]


def _group(row: Any, members: tuple[str, ...]) -> ServerGroup:
    return ServerGroup(
        id=row.id,
        uuid=row.uuid,
        project_id=row.project_id,
        user_id=row.user_id,
        name=row.name,
        policy=Policy(row.policy),
        members=members,
    )
