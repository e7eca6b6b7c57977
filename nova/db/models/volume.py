# SPDX-License-Identifier: Apache-2.0
"""Tables of volumes and of what volume hosts can still give."""

from __future__ import annotations

import datetime

from sqlalchemy import ForeignKey, Index, Integer, UniqueConstraint

from nova.db.models.base import (
    TABLE_OPTIONS,
    Base,
    LongText,
    Mapped,
    Moment,
    Name,
    Real,
    SoftDeleted,
    Timestamps,
    Uuid,
    mapped_column,
    optional_name,
    primary_key,
    required_name,
)


class VolumeRow(SoftDeleted, Base):
    """A volume.  ``uuid`` is its public id, ``id`` the number in its EC2 id."""

    __tablename__ = "volumes"
    __table_args__ = (
        UniqueConstraint("uuid"),
        Index(None, "project_id", "deleted"),
        Index(None, "host", "status"),
        Index(None, "instance_uuid"),
        TABLE_OPTIONS,
    )

    id: Mapped[int] = primary_key()
    uuid: Mapped[str] = mapped_column(Uuid, nullable=False)
    user_id: Mapped[str] = required_name()
    project_id: Mapped[str] = required_name()
    size: Mapped[int] = mapped_column(Integer, nullable=False)
    status: Mapped[str] = mapped_column(Name, nullable=False)
    host: Mapped[str | None] = optional_name()
    availability_zone: Mapped[str | None] = optional_name()
    instance_uuid: Mapped[str | None] = mapped_column(Uuid)
    attached_host: Mapped[str | None] = optional_name()
    mountpoint: Mapped[str | None] = optional_name()
    attach_time: Mapped[datetime.datetime | None] = mapped_column(Moment)
    display_name: Mapped[str | None] = optional_name()
    display_description: Mapped[str | None] = mapped_column(LongText)
    volume_type: Mapped[str | None] = optional_name()
    snapshot_id: Mapped[str | None] = mapped_column(Uuid)
    image_id: Mapped[str | None] = mapped_column(Uuid)
    fault: Mapped[str | None] = mapped_column(LongText)
    terminated_at: Mapped[datetime.datetime | None] = mapped_column(Moment)


class VolumeMetadataRow(Timestamps, Base):
    """One item of a volume's metadata."""

    __tablename__ = "volume_metadata"
    __table_args__ = (UniqueConstraint("volume_id", "key"), TABLE_OPTIONS)

    id: Mapped[int] = primary_key()
    volume_id: Mapped[int] = mapped_column(ForeignKey("volumes.id"), nullable=False)
    key: Mapped[str] = required_name()
    value: Mapped[str | None] = optional_name()


class VolumeExportRow(Timestamps, Base):
    """A volume exported to one host: the target's number, and the CHAP secret of this attachment."""

    __tablename__ = "iscsi_targets"
    __table_args__ = (UniqueConstraint("host", "target_num"), UniqueConstraint("volume_id"), TABLE_OPTIONS)

    id: Mapped[int] = primary_key()
    host: Mapped[str] = required_name()
    target_num: Mapped[int] = mapped_column(Integer, nullable=False)
    volume_id: Mapped[int] = mapped_column(ForeignKey("volumes.id"), nullable=False)
    initiator: Mapped[str] = required_name()
    initiator_host: Mapped[str] = required_name()
    username: Mapped[str] = required_name()
    password: Mapped[str] = required_name()


class VolumeCapacityRow(Timestamps, Base):
    """What a nova-volume host can still give, as it reported last."""

    __tablename__ = "volume_capacities"
    __table_args__ = (UniqueConstraint("host"), TABLE_OPTIONS)

    id: Mapped[int] = primary_key()
    host: Mapped[str] = required_name()
    driver: Mapped[str] = required_name()
    total_gb: Mapped[float] = mapped_column(Real, nullable=False)
    free_gb: Mapped[float] = mapped_column(Real, nullable=False)
