# SPDX-License-Identifier: Apache-2.0
"""Tables of server groups and their members."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Integer, String, UniqueConstraint

from nova.db.models.base import (
    TABLE_OPTIONS,
    Base,
    Mapped,
    Timestamps,
    Uuid,
    mapped_column,
    number,
    primary_key,
    required_name,
)


class ServerGroupRow(Timestamps, Base):
    """A group; removed for good when its owner removes it."""

    __tablename__ = "server_groups"

    id: Mapped[int] = primary_key()
    uuid: Mapped[str] = mapped_column(Uuid, nullable=False)
    project_id: Mapped[str] = required_name()
    user_id: Mapped[str] = required_name()
    name: Mapped[str] = required_name()
    policy: Mapped[str] = mapped_column(String(32), nullable=False)
    turns: Mapped[int] = number()
    """Counted up by whoever looks where the members are in order to place one: so they come one after another."""

    __table_args__ = (UniqueConstraint("uuid"), TABLE_OPTIONS)


class ServerGroupMemberRow(Timestamps, Base):
    """A server in a group; it is in one at most, from its beginning on."""

    __tablename__ = "server_group_members"

    id: Mapped[int] = primary_key()
    group_id: Mapped[int] = mapped_column(Integer, ForeignKey("server_groups.id"), nullable=False, index=True)
    instance_uuid: Mapped[str] = mapped_column(Uuid, nullable=False)

    __table_args__ = (UniqueConstraint("instance_uuid"), TABLE_OPTIONS)
