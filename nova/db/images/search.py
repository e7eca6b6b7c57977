# SPDX-License-Identifier: Apache-2.0
"""Lists of images: filters, order and pages in one statement, and two more for properties and tags."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, true

from nova import errors
from nova.db.engine import Transaction
from nova.db.images import rows
from nova.domain.image import Image

_t = rows.images


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is looked for, as ``nova.image.protocol`` describes it; None asks nothing."""

    viewer: str | None
    ids: tuple[str, ...] | None = None
    names: tuple[str, ...] | None = None
    statuses: tuple[str, ...] | None = None
    visibility: str | None = None
    owner: str | None = None
    member_status: str = "accepted"
    tags: tuple[str, ...] = ()
    size_min: int | None = None
    size_max: int | None = None
    disk_formats: tuple[str, ...] | None = None
    container_formats: tuple[str, ...] | None = None
    protected: bool | None = None
    hidden: bool = False
    min_ram_mb: int | None = None
    min_disk_gb: int | None = None
    checksum: str | None = None
    hash_value: str | None = None
    changed_since: datetime.datetime | None = None
    properties: dict[str, str] = field(default_factory=dict)
    sort: tuple[tuple[str, bool], ...] = (("created_at", False),)
    marker: str = ""
    limit: int | None = None


def find(tx: Transaction, query: Query) -> tuple[Image, ...]:
    """The images that fit, in order; InvalidInput for a marker that the viewer cannot see."""
    statement = select(_t).where(*_conditions(query))
    if query.marker:
        statement = statement.where(_after(tx, query))
    found = tx.execute(_ordered(statement, query.sort).limit(query.limit)).all()
    return rows.load(tx, found)


def _conditions(query: Query) -> list[ColumnElement[bool]]:
    conditions = [_listed(query), _t.c.hidden.is_(query.hidden)]
    if query.changed_since is None:
        conditions.append(_t.c.deleted == 0)
    else:
        conditions.append(_t.c.updated_at >= query.changed_since)
    several = (
        (_t.c.uuid, query.ids),
        (_t.c.name, query.names),
        (_t.c.status, query.statuses),
        (_t.c.disk_format, query.disk_formats),
        (_t.c.container_format, query.container_formats),
    )
    conditions += [column.in_(values) for column, values in several if values is not None]
    single = (
        (_t.c.owner, query.owner),
        (_t.c.protected, query.protected),
        (_t.c.min_ram, query.min_ram_mb),
        (_t.c.min_disk, query.min_disk_gb),
        (_t.c.checksum, query.checksum),
        (_t.c.hash_value, query.hash_value),
    )
    conditions += [column == value for column, value in single if value is not None]
    if query.size_min is not None:
        conditions.append(_t.c.size >= query.size_min)
    if query.size_max is not None:
        conditions.append(_t.c.size <= query.size_max)
    return conditions + _nested(query)


def _nested(query: Query) -> list[ColumnElement[bool]]:
    tagged = [
        exists(select(rows.tags.c.value).where(rows.tags.c.image_id == _t.c.id, rows.tags.c.value == tag))
        for tag in query.tags
    ]
    having = [
        exists(
            select(rows.properties.c.name).where(
                rows.properties.c.image_id == _t.c.id, rows.properties.c.name == name, rows.properties.c.value == value
            )
        )
        for name, value in query.properties.items()
    ]
    return [*tagged, *having]


def _listed(query: Query) -> ColumnElement[bool]:
    """What is in the viewer's list: narrower than what may be seen by id."""
    viewer, visibility = query.viewer, query.visibility
    asked = _t.c.visibility == visibility if visibility not in (None, "all") else true()
    if viewer is None:
        return asked
    shared = rows.is_member(viewer, None if query.member_status == "all" else query.member_status)
    seen = or_(_t.c.visibility == "public", _t.c.owner == viewer, (_t.c.visibility == "shared") & shared)
    if visibility in ("all", "community") or query.ids is not None:
        seen = or_(seen, _t.c.visibility == "community")
    return and_(asked, seen)


def _ordered(statement: Select[Any], sort: tuple[tuple[str, bool], ...]) -> Select[Any]:
    for key, ascending in _keys(sort):
        column = _column(key)
        statement = statement.order_by(column.asc() if ascending else column.desc())
    return statement


def _keys(sort: tuple[tuple[str, bool], ...]) -> tuple[tuple[str, bool], ...]:
    """The order, made definite by the id."""
    if any(key == "id" for key, _ in sort):
        return sort
    return (*sort, ("id", sort[-1][1] if sort else False))


def _column(key: str) -> Any:
    """Columns to sort by; those that may be NULL count as empty, so that all databases order them alike."""
    if key == "id":
        return _t.c.uuid
    column = _t.c[key]
    if not column.nullable or key in ("created_at", "updated_at"):
        return column
    return func.coalesce(column, 0 if key == "size" else "")


def _after(tx: Transaction, query: Query) -> ColumnElement[bool]:
    """The condition for images behind the marker in that order."""
    keys = _keys(query.sort)
    wanted = select(*(_column(key) for key, _ in keys)).where(_t.c.uuid == query.marker, rows.visible_to(query.viewer))
    place = tx.execute(wanted.where(_t.c.deleted == 0)).one_or_none()
    if place is None:
        raise errors.InvalidInput("The marker is not an image that you see.", field="marker")
    alternatives = []
    for depth, (key, ascending) in enumerate(keys):
        equal = [_column(earlier) == place[index] for index, (earlier, _) in enumerate(keys[:depth])]
        beyond = _column(key) > place[depth] if ascending else _column(key) < place[depth]
        alternatives.append(and_(*equal, beyond))
    return or_(*alternatives)
