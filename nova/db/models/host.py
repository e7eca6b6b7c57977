# SPDX-License-Identifier: Apache-2.0
"""Tables of daemons, compute nodes, what is claimed on them, and host aggregates."""

from __future__ import annotations

import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint

from nova.db.models.base import (
    TABLE_OPTIONS,
    Base,
    LongText,
    Mapped,
    Moment,
    SoftDeleted,
    Timestamps,
    Uuid,
    flag,
    mapped_column,
    number,
    optional_name,
    primary_key,
    required_name,
)


class ServiceRow(SoftDeleted, Base):
    """One daemon on one host; ``updated_at`` is its last heartbeat and nothing else sets it."""

    __tablename__ = "services"

    id: Mapped[int] = primary_key()
    host: Mapped[str] = required_name()
    binary: Mapped[str] = required_name()
    topic: Mapped[str] = required_name()
    report_count: Mapped[int] = number()
    disabled: Mapped[bool] = flag()
    disabled_reason: Mapped[str | None] = optional_name()
    forced_down: Mapped[bool] = flag()
    availability_zone: Mapped[str] = required_name(default="nova", server_default="nova")

    __table_args__ = (UniqueConstraint("host", "binary", "deleted"), TABLE_OPTIONS)


class ComputeNodeRow(SoftDeleted, Base):
    """A hypervisor: what it has, and how much of that is claimed."""

    __tablename__ = "compute_nodes"

    id: Mapped[int] = primary_key()
    service_id: Mapped[int] = mapped_column(Integer, ForeignKey("services.id"), nullable=False, index=True)
    host: Mapped[str] = required_name()
    hypervisor_hostname: Mapped[str] = required_name()
    vcpus: Mapped[int] = number()
    memory_mb: Mapped[int] = number()
    local_gb: Mapped[int] = number()
    vcpus_used: Mapped[int] = number()
    memory_mb_used: Mapped[int] = number()
    local_gb_used: Mapped[int] = number()
    disk_available_least: Mapped[int] = number()
    hypervisor_type: Mapped[str] = required_name()
    hypervisor_version: Mapped[int] = mapped_column(BigInteger, nullable=False, default=0, server_default="0")
    cpu_info: Mapped[str] = mapped_column(LongText, nullable=False)
    supported_instances: Mapped[str] = mapped_column(LongText, nullable=False)
    host_ip: Mapped[str | None] = mapped_column(String(39))
    running_vms: Mapped[int] = number()

    __table_args__ = (UniqueConstraint("host", "hypervisor_hostname", "deleted"), TABLE_OPTIONS)


class InstanceClaimRow(Base):
    """Room that an instance holds on a compute node: where it is, and while it moves also on the other side."""

    __tablename__ = "instance_claims"

    id: Mapped[int] = primary_key()
    instance_uuid: Mapped[str] = mapped_column(Uuid, nullable=False)
    node_id: Mapped[int] = mapped_column(Integer, ForeignKey("compute_nodes.id"), nullable=False, index=True)
    vcpus: Mapped[int] = number()
    memory_mb: Mapped[int] = number()
    disk_gb: Mapped[int] = number()
    held_for: Mapped[str] = mapped_column(String(8), nullable=False, default="home", server_default="home")
    """``home`` where the instance is, ``move`` on the other side of its move."""
    created_at: Mapped[datetime.datetime | None] = mapped_column(Moment)

    __table_args__ = (UniqueConstraint("instance_uuid", "held_for"), TABLE_OPTIONS)


class AggregateRow(SoftDeleted, Base):
    """A named set of hosts; one with metadata ``availability_zone`` is a zone."""

    __tablename__ = "aggregates"

    id: Mapped[int] = primary_key()
    uuid: Mapped[str] = mapped_column(Uuid, nullable=False)
    name: Mapped[str] = required_name()

    __table_args__ = (UniqueConstraint("name", "deleted"), UniqueConstraint("uuid"), TABLE_OPTIONS)


class AggregateHostRow(Timestamps, Base):
    """A host in an aggregate."""

    __tablename__ = "aggregate_hosts"

    id: Mapped[int] = primary_key()
    aggregate_id: Mapped[int] = mapped_column(Integer, ForeignKey("aggregates.id"), nullable=False)
    host: Mapped[str] = required_name()

    __table_args__ = (
        UniqueConstraint("aggregate_id", "host"),
        Index("ix_aggregate_hosts_host", "host"),
        TABLE_OPTIONS,
    )


class AggregateMetadataRow(Timestamps, Base):
    """One item of an aggregate's metadata."""

    __tablename__ = "aggregate_metadata"

    id: Mapped[int] = primary_key()
    aggregate_id: Mapped[int] = mapped_column(Integer, ForeignKey("aggregates.id"), nullable=False)
    key: Mapped[str] = required_name()
    value: Mapped[str] = required_name()

    __table_args__ = (
        UniqueConstraint("aggregate_id", "key"),
        Index("ix_aggregate_metadata_key", "key"),
        TABLE_OPTIONS,
    )
