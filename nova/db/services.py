# SPDX-License-Identifier: Apache-2.0
"""Repository of daemons: their heartbeats, and what administrators say about them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, select, update

from nova import errors
from nova.db.models.base import table_of
from nova.db.models.host import ComputeNodeRow, InstanceClaimRow, ServiceRow
from nova.db.transaction import Transaction
from nova.db.upserts import insert_missing
from nova.domain.host import Service

SERVICES = table_of(ServiceRow)
_NODES = table_of(ComputeNodeRow)
_CLAIMS = table_of(InstanceClaimRow)
C = SERVICES.c

_COLUMNS: Select[Any] = select(
    *(C.id, C.host, C.binary, C.topic, C.availability_zone, C.report_count, C.disabled, C.disabled_reason),
    *(C.forced_down, C.created_at, C.updated_at),
)


def heartbeat(
    tx: Transaction, *, host: str, binary: str, topic: str, availability_zone: str = "nova", enabled: bool = True
) -> None:
    """The daemon *binary* on *host* is alive; its row is made at its first heartbeat, disabled unless *enabled*."""
    alive = update(SERVICES).where(C.host == host, C.binary == binary, C.deleted == 0)
    alive = alive.values(updated_at=tx.now, report_count=C.report_count + 1)
    if tx.execute(alive).rowcount == 0:
        row = {
            "host": host,
            "binary": binary,
            "topic": topic,
            "availability_zone": availability_zone,
            "disabled": not enabled,
            "report_count": 0,
            "created_at": tx.now,
            "updated_at": tx.now,
            "deleted": 0,
        }
        insert_missing(tx, SERVICES, [row])
        tx.execute(alive)


def find(tx: Transaction, *, host: str = "", binary: str = "", topic: str = "") -> list[Service]:
    """The daemons with what is given, in the order they came to be known."""
    given = ((C.host, host), (C.binary, binary), (C.topic, topic))
    return _find(tx, *(column == value for column, value in given if value))


def get(tx: Transaction, service_id: int) -> Service:
    """One daemon by the number of its row; raises NotFound."""
    return _one(tx, C.id == service_id, key=service_id)


def get_by_host(tx: Transaction, host: str, binary: str) -> Service:
    """One daemon by its host and name; raises NotFound."""
    return _one(tx, C.host == host, C.binary == binary, key=f"{binary} on {host}")


def set_enabled(tx: Transaction, host: str, binary: str, *, enabled: bool, reason: str = "") -> Service:
    """Let a daemon get new work or not, and say why not; raises NotFound."""
    return _set(tx, host, binary, {"disabled": not enabled, "disabled_reason": None if enabled else reason or None})


def set_forced_down(tx: Transaction, host: str, binary: str, *, forced_down: bool) -> Service:
    """Hold a daemon for dead whatever its heartbeats say, or no longer; raises NotFound."""
    return _set(tx, host, binary, {"forced_down": forced_down})


def remove(tx: Transaction, service_id: int) -> None:
    """Mark a daemon's row deleted, with its compute nodes; NotFound, and Conflict while instances hold room on them."""
    get(tx, service_id)
    held = select(_CLAIMS.c.id).join(_NODES, _NODES.c.id == _CLAIMS.c.node_id).where(_NODES.c.service_id == service_id)
    if tx.execute(held.limit(1)).first() is not None:
        raise errors.Conflict("Unable to delete compute service that is hosting instances.", resource="service")
    for table, named in ((_NODES, _NODES.c.service_id), (SERVICES, C.id)):
        gone = update(table).where(named == service_id, table.c.deleted == 0)
        tx.execute(gone.values(deleted=table.c.id, deleted_at=tx.now))


def _set(tx: Transaction, host: str, binary: str, values: dict[str, Any]) -> Service:
    tx.execute(update(SERVICES).where(C.host == host, C.binary == binary, C.deleted == 0).values(values))
    return get_by_host(tx, host, binary)


def _one(tx: Transaction, *conditions: ColumnElement[bool], key: object) -> Service:
    found = _find(tx, *conditions)
    if not found:
        raise errors.NotFound.of("service", key)
    return found[0]


def _find(tx: Transaction, *conditions: ColumnElement[bool]) -> list[Service]:
    return [
        Service(
            id=row.id,
            host=row.host,
            binary=row.binary,
            topic=row.topic,
            availability_zone=row.availability_zone,
            report_count=row.report_count,
            disabled=row.disabled,
            disabled_reason=row.disabled_reason or "",
            forced_down=row.forced_down,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )
        for row in tx.execute(_COLUMNS.where(*conditions, C.deleted == 0).order_by(C.id))
    ]
