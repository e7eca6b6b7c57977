# SPDX-License-Identifier: Apache-2.0
"""Repository of host aggregates and, from them, of availability zones.

A host's zone is that of the aggregate with metadata ``availability_zone`` that it is in, else that of its daemon's row.
"""

from __future__ import annotations

import uuid as uuids
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, insert, select, update

from nova import errors
from nova.db.models.base import table_of
from nova.db.models.host import AggregateHostRow, AggregateMetadataRow, AggregateRow, ServiceRow
from nova.db.transaction import Transaction
from nova.domain.aggregate import ZONE_KEY, Aggregate

AGGREGATES = table_of(AggregateRow)
HOSTS = table_of(AggregateHostRow)
METADATA = table_of(AggregateMetadataRow)
_SERVICES = table_of(ServiceRow)
C = AGGREGATES.c
_COLUMNS: Select[Any] = select(C.id, C.uuid, C.name, C.created_at, C.updated_at).where(C.deleted == 0)


def create(tx: Transaction, name: str, *, availability_zone: str = "") -> Aggregate:
    """A new aggregate without hosts; AlreadyExists when the name is taken."""
    values = {"uuid": str(uuids.uuid4()), "name": name, "created_at": tx.now, "updated_at": tx.now}
    with tx.unique(f"Aggregate {name} already exists.", resource="aggregate", id=name):
        key = tx.execute(insert(AGGREGATES).values(values)).inserted_primary_key
    number = key[0] if key else 0
    if availability_zone:
        _write_metadata(tx, number, {ZONE_KEY: availability_zone})
    return get(tx, number)


def get(tx: Transaction, aggregate_id: int) -> Aggregate:
    """One aggregate; raises NotFound."""
    found = _find(tx, C.id == aggregate_id)
    if not found:
        raise errors.NotFound.of("aggregate", aggregate_id)
    return found[0]


def find(tx: Transaction, *, host: str = "") -> list[Aggregate]:
    """All aggregates, or those that *host* is in, by number; three statements for any number."""
    if not host:
        return _find(tx)
    return _find(tx, C.id.in_(select(HOSTS.c.aggregate_id).where(HOSTS.c.host == host)))


def metadata_by_host(tx: Transaction) -> dict[str, dict[str, frozenset[str]]]:
    """What the aggregates of each host say: host → key → values, one of each aggregate that has the key."""
    statement = (
        select(HOSTS.c.host, METADATA.c.key, METADATA.c.value)
        .join(METADATA, METADATA.c.aggregate_id == HOSTS.c.aggregate_id)
        .join(AGGREGATES, C.id == HOSTS.c.aggregate_id)
        .where(C.deleted == 0)
    )
    found: dict[str, dict[str, frozenset[str]]] = {}
    for host, key, value in tx.execute(statement):
        said = found.setdefault(host, {})
        said[key] = said.get(key, frozenset()) | {value}
    return found


def rename(tx: Transaction, aggregate_id: int, name: str) -> Aggregate:
    """Give an aggregate another name; NotFound, AlreadyExists."""
    with tx.unique(f"Aggregate {name} already exists.", resource="aggregate", id=name):
        tx.execute(update(AGGREGATES).where(C.id == aggregate_id, C.deleted == 0).values(name=name, updated_at=tx.now))
    return get(tx, aggregate_id)


def set_metadata(tx: Transaction, aggregate_id: int, items: Mapping[str, str | None]) -> Aggregate:
    """Add, change or (with None) remove metadata.  Raises NotFound, and Conflict when a host would be in two zones."""
    _touch(tx, aggregate_id)
    doomed = delete(METADATA).where(METADATA.c.aggregate_id == aggregate_id, METADATA.c.key.in_(list(items)))
    tx.execute(doomed)
    _write_metadata(tx, aggregate_id, {key: value for key, value in items.items() if value is not None})
    _refuse_two_zones(tx)
    return get(tx, aggregate_id)


def add_host(tx: Transaction, aggregate_id: int, host: str) -> Aggregate:
    """Put a host in.  Raises NotFound, AlreadyExists, and Conflict when it would be in two zones."""
    _touch(tx, aggregate_id)
    message = f"Aggregate {aggregate_id} already has host {host}."
    with tx.unique(message, resource="aggregate host", id=host):
        tx.execute(insert(HOSTS).values(aggregate_id=aggregate_id, host=host, created_at=tx.now))
    _refuse_two_zones(tx)
    return get(tx, aggregate_id)


def remove_host(tx: Transaction, aggregate_id: int, host: str) -> Aggregate:
    """Take a host out; NotFound when it is not in."""
    _touch(tx, aggregate_id)
    if tx.execute(delete(HOSTS).where(HOSTS.c.aggregate_id == aggregate_id, HOSTS.c.host == host)).rowcount == 0:
        raise errors.NotFound(f"Aggregate {aggregate_id} has no host {host}.", resource="aggregate host", id=host)
    return get(tx, aggregate_id)


def remove(tx: Transaction, aggregate_id: int) -> None:
    """Remove an aggregate.  Raises NotFound, and Conflict while it has hosts."""
    _touch(tx, aggregate_id)
    if tx.execute(select(HOSTS.c.id).where(HOSTS.c.aggregate_id == aggregate_id).limit(1)).first() is not None:
        raise errors.Conflict(f"Aggregate {aggregate_id} is not empty.", resource="aggregate", id=aggregate_id)
    tx.execute(delete(METADATA).where(METADATA.c.aggregate_id == aggregate_id))
    tx.execute(update(AGGREGATES).where(C.id == aggregate_id).values(deleted=C.id, deleted_at=tx.now))


def zones_of_hosts(tx: Transaction) -> dict[str, str]:
    """The availability zone of every host with a nova-compute or in a zone's aggregate."""
    s = _SERVICES.c
    own = select(s.host, s.availability_zone).where(s.deleted == 0, s.binary == "nova-compute")
    zones = {row.host: row.availability_zone for row in tx.execute(own)}
    return zones | {row.host: row.value for row in tx.execute(_zone_hosts())}


def zone_of(tx: Transaction, host: str) -> str:
    """The availability zone of one host; empty for a host nobody knows."""
    row = tx.execute(_zone_hosts().where(HOSTS.c.host == host)).first()
    if row is not None:
        return str(row.value)
    s = _SERVICES.c
    own = select(s.availability_zone).where(s.host == host, s.deleted == 0)
    return str(tx.execute(own.order_by(s.binary != "nova-compute", s.id).limit(1)).scalar() or "")


def _zone_hosts() -> Select[Any]:
    zones = select(HOSTS.c.host, METADATA.c.value).join(METADATA, METADATA.c.aggregate_id == HOSTS.c.aggregate_id)
    return zones.where(METADATA.c.key == ZONE_KEY)


def _refuse_two_zones(tx: Transaction) -> None:
    h, m = HOSTS.c, METADATA.c
    zones = select(h.host).join(METADATA, m.aggregate_id == h.aggregate_id).where(m.key == ZONE_KEY)
    twice = tx.execute(zones.group_by(h.host).having(func.count(m.value.distinct()) > 1).limit(1)).first()
    if twice is not None:
        tx.doom("a host was put into two availability zones")
        raise errors.Conflict(f"Host {twice.host} would be in two availability zones.", resource="aggregate")


def _touch(tx: Transaction, aggregate_id: int) -> None:
    touched = update(AGGREGATES).where(C.id == aggregate_id, C.deleted == 0).values(updated_at=tx.now)
    if tx.execute(touched).rowcount == 0:
        raise errors.NotFound.of("aggregate", aggregate_id)


def _write_metadata(tx: Transaction, aggregate_id: int, items: Mapping[str, str]) -> None:
    if items:
        rows = [
            {"aggregate_id": aggregate_id, "key": key, "value": value, "created_at": tx.now}
            for key, value in items.items()
        ]
        tx.execute(insert(METADATA), rows)


def _find(tx: Transaction, *conditions: ColumnElement[bool]) -> list[Aggregate]:
    rows = tx.execute(_COLUMNS.where(*conditions).order_by(C.id)).all()
    if not rows:
        return []
    numbers = [row.id for row in rows]
    hosts: dict[int, list[str]] = {number: [] for number in numbers}
    metadata: dict[int, dict[str, str]] = {number: {} for number in numbers}
    members = select(HOSTS.c.aggregate_id, HOSTS.c.host).where(HOSTS.c.aggregate_id.in_(numbers))
    for number, host in tx.execute(members.order_by(HOSTS.c.id)):
        hosts[number].append(host)
    m = METADATA.c
    for number, key, value in tx.execute(select(m.aggregate_id, m.key, m.value).where(m.aggregate_id.in_(numbers))):
        metadata[number][key] = value
    return [
        Aggregate(
            id=row.id,
            uuid=row.uuid,
            name=row.name,
            hosts=tuple(hosts[row.id]),
            metadata=metadata[row.id],
            created_at=row.created_at,
            updated_at=row.updated_at,
        )
        for row in rows
    ]
