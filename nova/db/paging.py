# SPDX-License-Identifier: Apache-2.0
"""Lists in pages: any number of sort keys, and the page after a marker, without offsets."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, and_, func, or_, select

_LOWEST: dict[type, Any] = {str: "", int: 0, bool: False, datetime.datetime: datetime.datetime(1970, 1, 1)}  # noqa: DTZ001


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of the order of a list.  NULL counts as the lowest value, so that the order is the same everywhere."""

    expression: ColumnElement[Any]
    descending: bool


def sort_key(column: Column[Any], *, descending: bool) -> SortKey:
    """The key for *column*."""
    if not column.nullable or column.name == "created_at":
        return SortKey(column, descending)
    return SortKey(func.coalesce(column, _LOWEST[column.type.python_type]), descending)


def ordered(statement: Select[Any], keys: Sequence[SortKey]) -> Select[Any]:
    """*statement* in the order of *keys*."""
    return statement.order_by(*(k.expression.desc() if k.descending else k.expression.asc() for k in keys))


def values_at(keys: Sequence[SortKey], marker: ColumnElement[bool]) -> Select[Any]:
    """A statement for the values of *keys* in the row that *marker* names."""
    return select(*(k.expression for k in keys)).where(marker)


def beyond(keys: Sequence[SortKey], values: Sequence[Any]) -> ColumnElement[bool]:
    """True for rows that come after the one with *values* in the order of *keys*."""
    branches = []
    for position, (key, value) in enumerate(zip(keys, values, strict=True)):
        same = [k.expression == v for k, v in zip(keys[:position], values[:position], strict=True)]
        further = key.expression < value if key.descending else key.expression > value
        branches.append(and_(*same, further))
    return or_(*branches)
