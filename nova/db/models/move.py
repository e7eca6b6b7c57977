# SPDX-License-Identifier: Apache-2.0
"""The table of moves between hosts, under the name that the API and its clients use."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, String

from nova.db.models.base import (
    TABLE_OPTIONS,
    Base,
    LongText,
    Mapped,
    SoftDeleted,
    Uuid,
    flag,
    mapped_column,
    number,
    optional_name,
    primary_key,
)


def _bytes() -> Mapped[int]:
    return mapped_column(BigInteger, nullable=False, default=0, server_default="0")


class MigrationRow(SoftDeleted, Base):
    """One move of a server; it stays when the server is gone."""

    __tablename__ = "migrations"

    id: Mapped[int] = primary_key()
    instance_uuid: Mapped[str] = mapped_column(Uuid, ForeignKey("instances.uuid"), nullable=False)
    migration_type: Mapped[str] = mapped_column(String(16), nullable=False)
    status: Mapped[str] = mapped_column(String(32), nullable=False)
    source_compute: Mapped[str | None] = optional_name()
    source_node: Mapped[str | None] = optional_name()
    dest_compute: Mapped[str | None] = optional_name()
    dest_node: Mapped[str | None] = optional_name()
    dest_host: Mapped[str | None] = optional_name()
    old_instance_type_id: Mapped[int] = number()
    new_instance_type_id: Mapped[int] = number()
    old_flavor: Mapped[str] = mapped_column(LongText, nullable=False)
    new_flavor: Mapped[str] = mapped_column(LongText, nullable=False)
    old_vm_state: Mapped[str] = mapped_column(String(32), nullable=False)
    shared_storage: Mapped[bool | None] = mapped_column(Boolean)
    block_migration: Mapped[bool | None] = mapped_column(Boolean)
    hidden: Mapped[bool] = flag()
    memory_total: Mapped[int] = _bytes()
    memory_processed: Mapped[int] = _bytes()
    memory_remaining: Mapped[int] = _bytes()
    disk_total: Mapped[int] = _bytes()
    disk_processed: Mapped[int] = _bytes()
    disk_remaining: Mapped[int] = _bytes()

    __table_args__ = (
        Index("ix_migrations_instance_uuid_status", "instance_uuid", "status"),
        Index("ix_migrations_source_compute_status", "source_compute", "status"),
        Index("ix_migrations_status_updated_at", "status", "updated_at"),
        TABLE_OPTIONS,
    )
