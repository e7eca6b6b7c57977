# SPDX-License-Identifier: Apache-2.0
"""Repository of moves between hosts.  A move that has not ended holds room, and perhaps quota, for its other side."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Select, insert, or_, select, update

from nova import errors
from nova.db.instances.rows import INSTANCES, flavor_from, flavor_text
from nova.db.models.base import table_of
from nova.db.models.move import MigrationRow
from nova.db.models.network import FixedIpRow
from nova.db.transaction import Transaction
from nova.domain.move import ENDED, Move, MoveKind, MoveStatus, Progress
from nova.domain.states import VmState

MOVES = table_of(MigrationRow)
C = MOVES.c
_FIXED_IPS = table_of(FixedIpRow)
_PROGRESS = tuple(asdict(Progress()))
_COLUMNS: Select[Any] = select(
    *(C.id, C.instance_uuid, C.migration_type, C.status, C.source_compute, C.source_node, C.dest_compute),
    *(C.dest_node, C.dest_host, C.old_flavor, C.new_flavor, C.old_vm_state, C.shared_storage, C.block_migration),
    *(C.created_at, C.updated_at, *(C[name] for name in _PROGRESS)),
)
_ENDED = sorted(status.value for status in ENDED)


def add(tx: Transaction, move: Move) -> Move:
    """Record a move that was asked for; what comes back has its number."""
    row = {
        "instance_uuid": move.instance_uuid,
        "migration_type": move.kind.value,
        "status": move.status.value,
        "source_compute": move.source_host or None,
        "source_node": move.source_node or None,
        "dest_compute": move.dest_host or None,
        "old_instance_type_id": move.old_flavor.id,
        "new_instance_type_id": move.new_flavor.id,
        "old_flavor": flavor_text(move.old_flavor),
        "new_flavor": flavor_text(move.new_flavor),
        "old_vm_state": move.old_vm_state.value,
        "shared_storage": move.shared_storage,
        "block_migration": move.block_migration,
        "created_at": tx.now,
        "updated_at": tx.now,
    }
    done = tx.execute(insert(MOVES).values(row)).inserted_primary_key
    return get(tx, done[0] if done else 0)


def get(tx: Transaction, move_id: int) -> Move:
    """One move; raises NotFound."""
    row = tx.execute(_COLUMNS.where(C.id == move_id)).first()
    if row is None:
        raise errors.NotFound.of("migration", move_id)
    return _move(row)


def of_instance(tx: Transaction, instance_uuid: str) -> Move | None:
    """The move of the instance that has not ended; there is at most one."""
    chosen = _COLUMNS.where(C.instance_uuid == instance_uuid, C.status.not_in(_ENDED)).order_by(C.id.desc()).limit(1)
    row = tx.execute(chosen).first()
    return None if row is None else _move(row)


def find(
    tx: Transaction,
    filters: Mapping[str, Any] | None = None,
    *,
    instance_uuids: Collection[str] | None = None,
    limit: int | None = None,
) -> list[Move]:
    """Moves, newest first.

    :param filters: ``host`` (either side), ``source_compute``, ``status``, ``migration_type``, ``instance_uuid``,
        ``hidden``
    """
    wanted = dict(filters or {})
    conditions: list[ColumnElement[bool]] = [C.deleted == 0]
    if host := wanted.pop("host", ""):
        conditions.append(or_(C.source_compute == host, C.dest_compute == host))
    conditions += [C[name] == value for name, value in wanted.items()]
    if instance_uuids is not None:
        conditions.append(C.instance_uuid.in_(sorted(instance_uuids)))
    return [_move(row) for row in tx.execute(_COLUMNS.where(*conditions).order_by(C.id.desc()).limit(limit))]


def place(tx: Transaction, move_id: int, *, host: str, node: str, address: str) -> None:
    """Write down where the move goes."""
    values = {"dest_compute": host, "dest_node": node or None, "dest_host": address or None, "updated_at": tx.now}
    tx.execute(update(MOVES).where(C.id == move_id).values(values))


def set_status(tx: Transaction, move_id: int, status: MoveStatus, *, shared_storage: bool | None = None) -> bool:
    """The move is so far; one that has ended stays as it ended.  Whether it had not."""
    values: dict[str, Any] = {"status": status.value, "updated_at": tx.now}
    if shared_storage is not None:
        values["shared_storage"] = shared_storage
    return tx.execute(update(MOVES).where(C.id == move_id, C.status.not_in(_ENDED)).values(values)).rowcount == 1


def set_progress(tx: Transaction, move_id: int, progress: Progress) -> None:
    """What was copied so far."""
    tx.execute(update(MOVES).where(C.id == move_id).values(**asdict(progress), updated_at=tx.now))


def relocate_addresses(tx: Transaction, instance_uuid: str, *, host: str) -> None:
    """The instance's addresses are used on *host* now."""
    c = _FIXED_IPS.c
    tx.execute(update(_FIXED_IPS).where(c.instance_uuid == instance_uuid).values(host=host, updated_at=tx.now))


def gone_from(tx: Transaction, host: str, instance_uuids: Collection[str]) -> dict[str, Move]:
    """Those of *instance_uuids* that live elsewhere, and of which *host* has nothing to keep, by their newest move.

    An instance that was never on *host* is not among them, nor one for whose open move *host* is a side.
    """
    here = or_(C.source_compute == host, C.dest_compute == host)
    chosen = _COLUMNS.where(C.instance_uuid.in_(sorted(instance_uuids)), here).order_by(C.id)
    newest = {row.instance_uuid: _move(row) for row in tx.execute(chosen)}
    i = INSTANCES.c
    living = select(i.uuid).where(i.uuid.in_(sorted(newest)), i.deleted == 0, i.host != host)
    elsewhere = set(tx.execute(living).scalars())
    return {uuid: move for uuid, move in newest.items() if uuid in elsewhere and move.status in ENDED}


def finished_before(tx: Transaction, moment: Any, *, limit: int = 100) -> list[Move]:
    """Resizes that wait for their owner's word since before *moment*, oldest first."""
    waiting = (C.status == MoveStatus.FINISHED.value, C.updated_at < moment, C.deleted == 0)
    return [_move(row) for row in tx.execute(_COLUMNS.where(*waiting).order_by(C.updated_at).limit(limit))]


def _move(row: Any) -> Move:
    return Move(
        id=row.id,
        instance_uuid=row.instance_uuid,
        kind=MoveKind(row.migration_type),
        status=MoveStatus(row.status),
        source_host=row.source_compute or "",
        source_node=row.source_node or "",
        dest_host=row.dest_compute or "",
        dest_node=row.dest_node or "",
        dest_address=row.dest_host or "",
        old_flavor=flavor_from(row.old_flavor),
        new_flavor=flavor_from(row.new_flavor),
        old_vm_state=VmState(row.old_vm_state),
        shared_storage=row.shared_storage,
        block_migration=row.block_migration,
        progress=Progress(**{name: getattr(row, name) for name in _PROGRESS}),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
