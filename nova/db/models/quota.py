# SPDX-License-Identifier: Apache-2.0
"""Tables of limits and of what is used."""

from __future__ import annotations

from sqlalchemy import BigInteger, String, UniqueConstraint

from nova.db.models.base import TABLE_OPTIONS, Base, Mapped, Name, Timestamps, mapped_column, primary_key, required_name

_RESOURCE = String(64)


class QuotaRow(Timestamps, Base):
    """A limit of one project."""

    __tablename__ = "quotas"

    id: Mapped[int] = primary_key()
    project_id: Mapped[str] = required_name()
    resource: Mapped[str] = mapped_column(_RESOURCE, nullable=False)
    hard_limit: Mapped[int] = mapped_column(BigInteger, nullable=False)

    __table_args__ = (UniqueConstraint("project_id", "resource"), TABLE_OPTIONS)


class ProjectUserQuotaRow(Timestamps, Base):
    """A limit of one user within one project."""

    __tablename__ = "project_user_quotas"

    id: Mapped[int] = primary_key()
    project_id: Mapped[str] = required_name()
    user_id: Mapped[str] = required_name()
    resource: Mapped[str] = mapped_column(_RESOURCE, nullable=False)
    hard_limit: Mapped[int] = mapped_column(BigInteger, nullable=False)

    __table_args__ = (UniqueConstraint("project_id", "user_id", "resource"), TABLE_OPTIONS)


class QuotaClassRow(Timestamps, Base):
    """A limit of a class of projects; class ``default`` holds for all projects without a limit of their own."""

    __tablename__ = "quota_classes"

    id: Mapped[int] = primary_key()
    class_name: Mapped[str] = required_name()
    resource: Mapped[str] = mapped_column(_RESOURCE, nullable=False)
    hard_limit: Mapped[int] = mapped_column(BigInteger, nullable=False)

    __table_args__ = (UniqueConstraint("class_name", "resource"), TABLE_OPTIONS)


class QuotaUsageRow(Timestamps, Base):
    """What a project uses (``user_id`` empty), and what each of its users does.

    What a user has without any project (key pairs) stands under an empty ``project_id``.
    """

    __tablename__ = "quota_usages"

    id: Mapped[int] = primary_key()
    project_id: Mapped[str] = mapped_column(Name, nullable=False, default="")
    user_id: Mapped[str] = mapped_column(Name, nullable=False, default="")
    resource: Mapped[str] = mapped_column(_RESOURCE, nullable=False)
    in_use: Mapped[int] = mapped_column(BigInteger, nullable=False, default=0, server_default="0")

    __table_args__ = (UniqueConstraint("project_id", "user_id", "resource"), TABLE_OPTIONS)
