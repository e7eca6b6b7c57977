# SPDX-License-Identifier: Apache-2.0
"""Tables of the built-in identity store: users, projects, grants, signing keys and tokens.

``version`` of a user or project counts the events that end its tokens: a token remembers the numbers it was made under.
"""

from __future__ import annotations

import datetime

from sqlalchemy import Boolean, ForeignKey, String, UniqueConstraint, true

from nova.db.models.base import (
    TABLE_OPTIONS,
    Base,
    LongText,
    Mapped,
    Moment,
    Timestamps,
    flag,
    mapped_column,
    number,
    optional_name,
    primary_key,
    required_name,
)

Id = String(64)


def _enabled() -> Mapped[bool]:
    return mapped_column(Boolean, nullable=False, default=True, server_default=true())


class UserRow(Timestamps, Base):
    """A user; the access and secret key are those of the classic store, good for every project of the user."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = required_name(unique=True)
    email: Mapped[str | None] = optional_name()
    description: Mapped[str | None] = mapped_column(LongText)
    enabled: Mapped[bool] = _enabled()
    is_admin: Mapped[bool] = flag()
    password_hash: Mapped[str | None] = optional_name()
    access_key: Mapped[str | None] = optional_name(unique=True)
    secret_key: Mapped[str | None] = optional_name()
    default_project_id: Mapped[str | None] = mapped_column(Id)
    version: Mapped[int] = number()


class ProjectRow(Timestamps, Base):
    """A project (tenant)."""

    __tablename__ = "projects"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = required_name(unique=True)
    description: Mapped[str | None] = mapped_column(LongText)
    enabled: Mapped[bool] = _enabled()
    manager_id: Mapped[str | None] = mapped_column(Id)
    version: Mapped[int] = number()


class RoleRow(Timestamps, Base):
    """A role that may be granted."""

    __tablename__ = "roles"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = required_name(unique=True)


class GrantRow(Timestamps, Base):
    """A role of a user: in one project, or, where ``project_id`` is empty, of the user as such."""

    __tablename__ = "role_assignments"

    id: Mapped[int] = primary_key()
    user_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id"), nullable=False)
    project_id: Mapped[str] = mapped_column(Id, nullable=False, index=True)
    role_id: Mapped[str] = mapped_column(Id, ForeignKey("roles.id"), nullable=False, index=True)

    __table_args__ = (UniqueConstraint("user_id", "project_id", "role_id"), TABLE_OPTIONS)


class Ec2CredentialRow(Timestamps, Base):
    """A signing key of a user for one project; neither ever changes."""

    __tablename__ = "ec2_credentials"

    access: Mapped[str] = mapped_column(Id, primary_key=True)
    secret: Mapped[str] = required_name()
    user_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id"), nullable=False, index=True)
    project_id: Mapped[str] = mapped_column(Id, ForeignKey("projects.id"), nullable=False, index=True)


class TokenRow(Base):
    """A token that holds until it expires; a revoked one has no row.  ``id`` is the SHA-256 of what the user has."""

    __tablename__ = "auth_tokens"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    parent_id: Mapped[str | None] = mapped_column(Id, index=True)
    user_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id"), nullable=False, index=True)
    project_id: Mapped[str | None] = mapped_column(Id, index=True)
    user_version: Mapped[int] = number()
    project_version: Mapped[int] = number()
    methods: Mapped[str] = required_name()
    audit_id: Mapped[str] = mapped_column(Id, nullable=False)
    issued_at: Mapped[datetime.datetime] = mapped_column(Moment, nullable=False)
    expires_at: Mapped[datetime.datetime] = mapped_column(Moment, nullable=False, index=True)
