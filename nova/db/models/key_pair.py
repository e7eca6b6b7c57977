# SPDX-License-Identifier: Apache-2.0
"""The table of key pairs: public keys only."""

from __future__ import annotations

from sqlalchemy import String, UniqueConstraint

from nova.db.models.base import (
    TABLE_OPTIONS,
    Base,
    LongText,
    Mapped,
    Timestamps,
    mapped_column,
    primary_key,
    required_name,
)


class KeyPairRow(Timestamps, Base):
    """A user's public key under a name; removed for good when the user removes it."""

    __tablename__ = "key_pairs"

    id: Mapped[int] = primary_key()
    name: Mapped[str] = required_name()
    user_id: Mapped[str] = required_name()
    fingerprint: Mapped[str] = required_name()
    public_key: Mapped[str] = mapped_column(LongText, nullable=False)
    type: Mapped[str] = mapped_column(String(16), nullable=False, default="ssh", server_default="ssh")

    __table_args__ = (UniqueConstraint("user_id", "name"), TABLE_OPTIONS)
