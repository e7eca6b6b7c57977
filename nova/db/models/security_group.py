# SPDX-License-Identifier: Apache-2.0
"""Tables of security groups, their rules and members, and the rules of the provider that hold for every server."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Integer, UniqueConstraint

from nova.db.models.base import (
    TABLE_OPTIONS,
    Base,
    Mapped,
    SoftDeleted,
    Timestamps,
    Uuid,
    mapped_column,
    optional_name,
    primary_key,
    required_name,
)


class SecurityGroupRow(SoftDeleted, Base):
    """A named set of rules of one project."""

    __tablename__ = "security_groups"
    __table_args__ = (UniqueConstraint("project_id", "name", "deleted"), TABLE_OPTIONS)

    id: Mapped[int] = primary_key()
    name: Mapped[str] = required_name()
    description: Mapped[str | None] = optional_name()
    user_id: Mapped[str | None] = optional_name()
    project_id: Mapped[str] = required_name()


class SecurityGroupRuleRow(Timestamps, Base):
    """One rule.  ``rule_key`` is all that the rule says as one text, so that a group has no rule twice."""

    __tablename__ = "security_group_rules"
    __table_args__ = (UniqueConstraint("parent_group_id", "rule_key"), TABLE_OPTIONS)

    id: Mapped[int] = primary_key()
    parent_group_id: Mapped[int] = mapped_column(ForeignKey("security_groups.id"), nullable=False)
    protocol: Mapped[str | None] = optional_name()
    from_port: Mapped[int | None] = mapped_column(Integer)
    to_port: Mapped[int | None] = mapped_column(Integer)
    cidr: Mapped[str | None] = optional_name()
    group_id: Mapped[int | None] = mapped_column(ForeignKey("security_groups.id"), index=True)
    rule_key: Mapped[str] = required_name()


class SecurityGroupInstanceAssociationRow(Timestamps, Base):
    """A server is a member of a group."""

    __tablename__ = "security_group_instance_association"
    __table_args__ = (UniqueConstraint("security_group_id", "instance_uuid"), TABLE_OPTIONS)

    id: Mapped[int] = primary_key()
    security_group_id: Mapped[int] = mapped_column(ForeignKey("security_groups.id"), nullable=False)
    instance_uuid: Mapped[str] = mapped_column(Uuid, nullable=False, index=True)


class ProviderFirewallRuleRow(Timestamps, Base):
    """What the operator drops for every server."""

    __tablename__ = "provider_fw_rules"
    __table_args__ = (UniqueConstraint("rule_key"), TABLE_OPTIONS)

    id: Mapped[int] = primary_key()
    protocol: Mapped[str | None] = optional_name()
    from_port: Mapped[int | None] = mapped_column(Integer)
    to_port: Mapped[int | None] = mapped_column(Integer)
    cidr: Mapped[str | None] = optional_name()
    rule_key: Mapped[str] = required_name()
