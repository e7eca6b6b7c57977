# SPDX-License-Identifier: Apache-2.0
"""What all tables share: constraint names, column types that mean the same on all databases, soft deletion.

Models describe tables and never leave ``nova.db``: repositories select from their tables and return domain objects.
An empty optional text is NULL in the database and ``""`` in the domain object.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar, cast

from sqlalchemy import Boolean, Column, DateTime, Float, Integer, MetaData, String, Table, Text, false
from sqlalchemy.dialects.mysql import DATETIME, DOUBLE, MEDIUMTEXT

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

TABLE_OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_nopad_bin",
    "mysql_row_format": "DYNAMIC",
}
"""MariaDB: names differ by case and by trailing spaces, as on the other two; indexes may span 3,072 bytes."""

Name = String(255)
"""A name or id of any script: 255 characters of up to four bytes."""
Uuid = String(36)
Moment = DateTime().with_variant(DATETIME(fsp=6), "mysql", "mariadb")
"""A naive UTC time with microseconds."""
LongText = Text().with_variant(MEDIUMTEXT(), "mysql", "mariadb")
"""Text up to 16 MB; JSON documents are kept as such text."""
Real = Float(53).with_variant(DOUBLE(asdecimal=False), "mysql", "mariadb")


T = TypeVar("T")


class Mapped(Generic[T]):
    """The annotation of a column: what its values are; ``| None`` lets it be empty."""


@dataclass(frozen=True, slots=True)
class _Declared:
    """A column that is made anew for each table."""

    parts: tuple[Any, ...]
    order: int
    options: dict[str, Any]


def mapped_column(*parts: Any, sort_order: int = 0, **options: Any) -> Mapped[Any]:
    """A column, as ``sqlalchemy.Column`` takes it but without its name; those of a lower *sort_order* come first."""
    return cast("Mapped[Any]", _Declared(parts, sort_order, options))


class Base:
    """The base of all models: a subclass with a ``__tablename__`` is a table of ``metadata``.

    It looks like a class that SQLAlchemy maps, and is none: only tables are used, and the mapper costs a daemon a tenth
    of a second and several megabytes.  A model with constraints of its own ends ``__table_args__`` with
    ``TABLE_OPTIONS``.
    """

    metadata: ClassVar = MetaData(naming_convention=NAMES)
    __tablename__: ClassVar[str]
    __table__: ClassVar[Table]
    __table_args__: ClassVar[Any] = TABLE_OPTIONS

    def __init_subclass__(cls) -> None:
        arguments = cls.__table_args__
        constraints, options = ((), arguments) if isinstance(arguments, dict) else (arguments[:-1], arguments[-1])
        cls.__table__ = Table(cls.__tablename__, cls.metadata, *_columns(cls), *constraints, **options)

    @classmethod
    def __clause_element__(cls) -> Table:
        """What SQLAlchemy takes the class for in ``insert``, ``update`` and ``delete``."""
        return cls.__table__


def _columns(model: type) -> Iterator[Column[Any]]:
    """The columns of *model* and of what it inherits from, in the order of the table."""
    declared = [
        (value.order, name, value, str(each.__annotations__[name]))
        for each in model.__mro__
        for name, value in vars(each).items()
        if isinstance(value, _Declared)
    ]
    for _, name, value, annotation in sorted(declared, key=lambda one: one[0]):
        options = {"nullable": "| None" in annotation, **value.options}
        yield Column(name, *value.parts, **options)


def table_of(model: type[Base]) -> Table:
    """The table that *model* describes, for statements."""
    return model.__table__


class Timestamps:
    """``created_at`` and ``updated_at``, set by the repositories from ``tx.now``."""

    created_at: Mapped[datetime.datetime | None] = mapped_column(Moment, sort_order=-40)
    updated_at: Mapped[datetime.datetime | None] = mapped_column(Moment, sort_order=-39)


class SoftDeleted(Timestamps):
    """A row that stays after its deletion.

    ``deleted`` is 0 while it lives and the row's own id afterwards, so a unique constraint that includes it lets a name
    be used again.
    """

    deleted_at: Mapped[datetime.datetime | None] = mapped_column(Moment, sort_order=-38)
    deleted: Mapped[int] = mapped_column(Integer, default=0, server_default="0", sort_order=-37)


def primary_key() -> Mapped[int]:
    """An integer primary key that the database numbers."""
    return mapped_column(Integer, primary_key=True, autoincrement=True, sort_order=-36)


def required_name(**options: Any) -> Mapped[str]:
    """A name that every row has."""
    return mapped_column(Name, nullable=False, **options)


def optional_name(**options: Any) -> Mapped[str | None]:
    """A name that a row may lack."""
    return mapped_column(Name, nullable=True, **options)


def flag() -> Mapped[bool]:
    """Yes or no, no by default."""
    return mapped_column(Boolean, nullable=False, default=False, server_default=false())


def number(default: int = 0) -> Mapped[int]:
    """A whole number that every row has."""
    return mapped_column(Integer, nullable=False, default=default, server_default=str(default))
