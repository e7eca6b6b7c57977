# SPDX-License-Identifier: Apache-2.0
"""Tables of flavors; ``instance_types`` is the name that operators know."""

from __future__ import annotations

from sqlalchemy import Boolean as Bool
from sqlalchemy import ForeignKey, Index, Integer, UniqueConstraint, true

from nova.db.models.base import (
    TABLE_OPTIONS,
    Base,
    Mapped,
    Real,
    SoftDeleted,
    Timestamps,
    flag,
    mapped_column,
    number,
    primary_key,
    required_name,
)


class FlavorRow(SoftDeleted, Base):
    """One flavor; name and public id are unique among those that live."""

    __tablename__ = "instance_types"

    id: Mapped[int] = primary_key()
    name: Mapped[str] = required_name()
    flavorid: Mapped[str] = required_name()
    memory_mb: Mapped[int] = number()
    vcpus: Mapped[int] = number()
    root_gb: Mapped[int] = number()
    ephemeral_gb: Mapped[int] = number()
    swap: Mapped[int] = number()
    """In MB"""
    rxtx_factor: Mapped[float] = mapped_column(Real, nullable=False, default=1.0, server_default="1")
    is_public: Mapped[bool] = mapped_column(Bool, nullable=False, default=True, server_default=true())
    disabled: Mapped[bool] = flag()

    __table_args__ = (UniqueConstraint("flavorid", "deleted"), UniqueConstraint("name", "deleted"), TABLE_OPTIONS)


class FlavorExtraSpecRow(Timestamps, Base):
    """One extra spec of a flavor."""

    __tablename__ = "instance_type_extra_specs"

    id: Mapped[int] = primary_key()
    instance_type_id: Mapped[int] = mapped_column(Integer, ForeignKey("instance_types.id"), nullable=False)
    key: Mapped[str] = required_name()
    value: Mapped[str] = required_name()

    __table_args__ = (UniqueConstraint("instance_type_id", "key"), TABLE_OPTIONS)


class FlavorProjectRow(Timestamps, Base):
    """A project that may use a private flavor."""

    __tablename__ = "instance_type_projects"

    id: Mapped[int] = primary_key()
    instance_type_id: Mapped[int] = mapped_column(Integer, ForeignKey("instance_types.id"), nullable=False)
    project_id: Mapped[str] = required_name()

    __table_args__ = (
        UniqueConstraint("instance_type_id", "project_id"),
        Index("ix_instance_type_projects_project_id", "project_id"),
        TABLE_OPTIONS,
    )
