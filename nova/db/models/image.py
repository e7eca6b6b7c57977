# SPDX-License-Identifier: Apache-2.0
"""Tables of the built-in image service, and the numbers that EC2 knows images by."""

from __future__ import annotations

import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String

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


def _big_number() -> Mapped[int]:
    return mapped_column(BigInteger, nullable=False, default=0, server_default="0")


class ImageRow(SoftDeleted, Base):
    """An image's description.

    While bytes come in, ``upload_id`` names the one upload that may finish, ``reserved_bytes`` is what it has claimed
    of the owner's quota, and ``touched_at`` is its last sign of life.
    """

    __tablename__ = "images"

    id: Mapped[int] = primary_key()
    uuid: Mapped[str] = mapped_column(Uuid, nullable=False, unique=True)
    name: Mapped[str | None] = optional_name()
    status: Mapped[str] = mapped_column(String(32), nullable=False)
    visibility: Mapped[str] = mapped_column(String(16), nullable=False)
    owner: Mapped[str] = mapped_column(String(64), nullable=False)
    size: Mapped[int | None] = mapped_column(BigInteger)
    virtual_size: Mapped[int | None] = mapped_column(BigInteger)
    checksum: Mapped[str | None] = mapped_column(String(32))
    hash_algo: Mapped[str | None] = mapped_column(String(16))
    hash_value: Mapped[str | None] = mapped_column(String(128))
    disk_format: Mapped[str | None] = mapped_column(String(32))
    container_format: Mapped[str | None] = mapped_column(String(32))
    min_disk: Mapped[int] = number()
    min_ram: Mapped[int] = number()
    protected: Mapped[bool] = flag()
    hidden: Mapped[bool] = flag()
    upload_id: Mapped[str | None] = mapped_column(Uuid)
    reserved_bytes: Mapped[int] = _big_number()
    touched_at: Mapped[datetime.datetime | None] = mapped_column(Moment)

    __table_args__ = (
        Index(None, "deleted", "owner"),
        Index(None, "deleted", "visibility", "created_at"),
        TABLE_OPTIONS,
    )


class ImagePropertyRow(Base):
    """A property that the image's owner set."""

    __tablename__ = "image_properties"

    image_id: Mapped[int] = mapped_column(Integer, ForeignKey("images.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    value: Mapped[str] = mapped_column(LongText, nullable=False)


class ImageTagRow(Base):
    """A tag of an image."""

    __tablename__ = "image_tags"

    image_id: Mapped[int] = mapped_column(Integer, ForeignKey("images.id"), primary_key=True)
    value: Mapped[str] = mapped_column(String(255), primary_key=True)


class ImageMemberRow(Timestamps, Base):
    """A project with which an image is shared."""

    __tablename__ = "image_members"

    image_id: Mapped[int] = mapped_column(Integer, ForeignKey("images.id"), primary_key=True)
    project_id: Mapped[str] = mapped_column(String(64), primary_key=True, index=True)
    status: Mapped[str] = mapped_column(String(16), nullable=False)


class ImageStoreOwnerRow(Base):
    """One row per project: whoever claims quota writes it first, so that claims of one project come one by one."""

    __tablename__ = "image_owners"

    project_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    claims: Mapped[int] = _big_number()


class ImageNumberRow(Base):
    """The number of an image id in EC2 names.  Rows are never removed: an id that was used stays used."""

    __tablename__ = "s3_images"

    id: Mapped[int] = primary_key()
    uuid: Mapped[str] = required_name(unique=True)
