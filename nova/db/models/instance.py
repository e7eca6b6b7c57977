# SPDX-License-Identifier: Apache-2.0
"""Tables of instances and of what belongs to one: metadata, faults, actions and their events, block devices."""

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


class InstanceRow(SoftDeleted, Base):
    """One server."""

    __tablename__ = "instances"

    id: Mapped[int] = primary_key()
    uuid: Mapped[str] = mapped_column(Uuid, nullable=False)
    user_id: Mapped[str] = required_name()
    project_id: Mapped[str] = required_name()
    image_ref: Mapped[str | None] = optional_name()
    kernel_id: Mapped[str | None] = optional_name()
    ramdisk_id: Mapped[str | None] = optional_name()
    launch_index: Mapped[int] = number()
    key_name: Mapped[str | None] = optional_name()
    key_data: Mapped[str | None] = mapped_column(LongText)
    power_state: Mapped[int] = number()
    vm_state: Mapped[str] = mapped_column(String(32), nullable=False)
    task_state: Mapped[str | None] = mapped_column(String(64))
    memory_mb: Mapped[int] = number()
    vcpus: Mapped[int] = number()
    root_gb: Mapped[int] = number()
    ephemeral_gb: Mapped[int] = number()
    hostname: Mapped[str] = required_name()
    host: Mapped[str | None] = optional_name()
    node: Mapped[str | None] = optional_name()
    instance_type_id: Mapped[int] = number()
    flavor: Mapped[str] = mapped_column(LongText, nullable=False)
    """The whole flavor at the time of creation, as JSON."""
    user_data: Mapped[str | None] = mapped_column(LongText)
    reservation_id: Mapped[str | None] = mapped_column(String(32))
    launched_at: Mapped[datetime.datetime | None] = mapped_column(Moment)
    terminated_at: Mapped[datetime.datetime | None] = mapped_column(Moment)
    display_name: Mapped[str] = required_name()
    display_description: Mapped[str | None] = optional_name()
    availability_zone: Mapped[str | None] = optional_name()
    locked: Mapped[bool] = flag()
    locked_by: Mapped[str | None] = mapped_column(String(16))
    os_type: Mapped[str | None] = optional_name()
    architecture: Mapped[str | None] = optional_name()
    vm_mode: Mapped[str | None] = optional_name()
    root_device_name: Mapped[str | None] = mapped_column(String(64))
    access_ip_v4: Mapped[str | None] = mapped_column(String(15))
    access_ip_v6: Mapped[str | None] = mapped_column(String(39))
    config_drive: Mapped[str | None] = mapped_column(String(64))
    progress: Mapped[int] = number()
    auto_disk_config: Mapped[bool] = flag()

    __table_args__ = (
        UniqueConstraint("uuid"),
        Index("ix_instances_project_id_deleted_created_at", "project_id", "deleted", "created_at"),
        Index("ix_instances_deleted_created_at", "deleted", "created_at"),
        Index("ix_instances_host_deleted", "host", "deleted"),
        Index("ix_instances_reservation_id", "reservation_id"),
        Index("ix_instances_updated_at_project_id", "updated_at", "project_id"),
        Index("ix_instances_task_state_updated_at", "task_state", "updated_at"),
        TABLE_OPTIONS,
    )


class InstanceMetadataRow(Timestamps, Base):
    """One item of a server's metadata; removed for good when its owner removes it."""

    __tablename__ = "instance_metadata"

    id: Mapped[int] = primary_key()
    instance_uuid: Mapped[str] = mapped_column(Uuid, ForeignKey("instances.uuid"), nullable=False)
    key: Mapped[str] = required_name()
    value: Mapped[str] = required_name()

    __table_args__ = (UniqueConstraint("instance_uuid", "key"), TABLE_OPTIONS)


class InstanceSystemMetadataRow(Timestamps, Base):
    """One item of what the cloud itself notes about a server."""

    __tablename__ = "instance_system_metadata"

    id: Mapped[int] = primary_key()
    instance_uuid: Mapped[str] = mapped_column(Uuid, ForeignKey("instances.uuid"), nullable=False)
    key: Mapped[str] = required_name()
    value: Mapped[str] = mapped_column(LongText, nullable=False)

    __table_args__ = (UniqueConstraint("instance_uuid", "key"), TABLE_OPTIONS)


class InstanceFaultRow(Timestamps, Base):
    """Why a server went to ERROR; the newest one is shown."""

    __tablename__ = "instance_faults"

    id: Mapped[int] = primary_key()
    instance_uuid: Mapped[str] = mapped_column(Uuid, ForeignKey("instances.uuid"), nullable=False)
    code: Mapped[int] = number()
    message: Mapped[str] = required_name()
    details: Mapped[str | None] = mapped_column(LongText)
    host: Mapped[str | None] = optional_name()

    __table_args__ = (Index("ix_instance_faults_instance_uuid_id", "instance_uuid", "id"), TABLE_OPTIONS)


class InstanceActionRow(Timestamps, Base):
    """One accepted request: what users see as an instance action, and the journal that recovery works from."""

    __tablename__ = "instance_actions"

    id: Mapped[int] = primary_key()
    action: Mapped[str] = mapped_column(String(64), nullable=False)
    instance_uuid: Mapped[str] = mapped_column(Uuid, ForeignKey("instances.uuid"), nullable=False)
    request_id: Mapped[str] = required_name()
    user_id: Mapped[str | None] = optional_name()
    project_id: Mapped[str | None] = optional_name()
    state: Mapped[str] = mapped_column(String(16), nullable=False)
    host: Mapped[str | None] = optional_name()
    attempt: Mapped[int] = number(1)
    phase: Mapped[str | None] = mapped_column(String(16))
    """The leg that is in hand, of an operation that spans hosts."""
    arguments: Mapped[str] = mapped_column(LongText, nullable=False)
    message: Mapped[str | None] = optional_name()
    start_time: Mapped[datetime.datetime | None] = mapped_column(Moment)
    finish_time: Mapped[datetime.datetime | None] = mapped_column(Moment)

    __table_args__ = (
        Index("ix_instance_actions_instance_uuid_id", "instance_uuid", "id"),
        Index("ix_instance_actions_instance_uuid_request_id", "instance_uuid", "request_id"),
        Index("ix_instance_actions_state_updated_at", "state", "updated_at"),
        Index("ix_instance_actions_host_state", "host", "state"),
        TABLE_OPTIONS,
    )


class InstanceActionEventRow(Timestamps, Base):
    """One step of an action."""

    __tablename__ = "instance_actions_events"

    id: Mapped[int] = primary_key()
    action_id: Mapped[int] = mapped_column(Integer, ForeignKey("instance_actions.id"), nullable=False, index=True)
    event: Mapped[str] = required_name()
    host: Mapped[str | None] = optional_name()
    start_time: Mapped[datetime.datetime | None] = mapped_column(Moment)
    finish_time: Mapped[datetime.datetime | None] = mapped_column(Moment)
    result: Mapped[str | None] = optional_name()
    traceback: Mapped[str | None] = mapped_column(LongText)


class BlockDeviceMappingRow(SoftDeleted, Base):
    """One disk of a server."""

    __tablename__ = "block_device_mapping"

    id: Mapped[int] = primary_key()
    instance_uuid: Mapped[str] = mapped_column(Uuid, ForeignKey("instances.uuid"), nullable=False)
    source_type: Mapped[str] = mapped_column(String(16), nullable=False)
    destination_type: Mapped[str] = mapped_column(String(16), nullable=False)
    boot_index: Mapped[int | None] = mapped_column(Integer)
    device_name: Mapped[str | None] = mapped_column(String(64))
    device_type: Mapped[str] = mapped_column(String(16), nullable=False, default="disk", server_default="disk")
    disk_bus: Mapped[str | None] = mapped_column(String(16))
    guest_format: Mapped[str | None] = mapped_column(String(32))
    volume_id: Mapped[str | None] = mapped_column(Uuid, index=True)
    snapshot_id: Mapped[str | None] = mapped_column(Uuid)
    image_id: Mapped[str | None] = mapped_column(Uuid)
    volume_size: Mapped[int | None] = mapped_column(BigInteger)
    delete_on_termination: Mapped[bool] = flag()
    no_device: Mapped[bool] = flag()
    attached: Mapped[bool] = flag()

    __table_args__ = (UniqueConstraint("instance_uuid", "deleted", "device_name"), TABLE_OPTIONS)
