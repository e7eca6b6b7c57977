# SPDX-License-Identifier: Apache-2.0
"""Repository of key pairs: a user's public keys."""

from __future__ import annotations

import dataclasses
from typing import Any

from sqlalchemy import Select, delete, func, insert, select

from nova import errors
from nova.db import quotas
from nova.db.models.base import table_of
from nova.db.models.key_pair import KeyPairRow
from nova.db.transaction import Transaction
from nova.domain.instance import KeyPair

KEY_PAIRS = table_of(KeyPairRow)
C = KEY_PAIRS.c
_COLUMNS: Select[Any] = select(C.id, C.name, C.user_id, C.public_key, C.fingerprint, C.type, C.created_at)


def create(tx: Transaction, pair: KeyPair, *, limit: int) -> KeyPair:
    """Record a key pair.

    Raises AlreadyExists, and QuotaExceeded when the user would have more than *limit* (-1: any number).
    """
    values = {
        "name": pair.name,
        "user_id": pair.user_id,
        "public_key": pair.public_key,
        "fingerprint": pair.fingerprint,
        "type": pair.type,
        "created_at": tx.now,
        "updated_at": tx.now,
    }
    with tx.unique(f"Key pair '{pair.name}' already exists.", resource="key_pair", id=pair.name):
        quotas.claim_one(tx, "key_pairs", project_id="", user_id=pair.user_id, limit=limit)
        key = tx.execute(insert(KEY_PAIRS).values(values)).inserted_primary_key
    return dataclasses.replace(pair, id=key[0] if key else 0, created_at=tx.now)


def get(tx: Transaction, user_id: str, name: str) -> KeyPair:
    """A user's key pair; raises NotFound."""
    row = tx.execute(_COLUMNS.where(C.user_id == user_id, C.name == name)).first()
    if row is None:
        raise errors.NotFound(f"Keypair {name} not found for user {user_id}", resource="key_pair", id=name)
    return _key_pair(row)


def find(tx: Transaction, user_id: str, *, marker: str = "", limit: int | None = None) -> list[KeyPair]:
    """A user's key pairs by name, those after *marker* (a name that must exist: InvalidInput)."""
    conditions = [C.user_id == user_id]
    if marker:
        if tx.execute(_COLUMNS.where(C.user_id == user_id, C.name == marker)).first() is None:
            raise errors.InvalidInput(f"marker [{marker}] not found", field="marker")
        conditions.append(C.name > marker)
    return [_key_pair(row) for row in tx.execute(_COLUMNS.where(*conditions).order_by(C.name).limit(limit))]


def count(tx: Transaction, user_id: str) -> int:
    """How many key pairs a user has."""
    return int(tx.execute(select(func.count()).select_from(KEY_PAIRS).where(C.user_id == user_id)).scalar_one())


def remove(tx: Transaction, user_id: str, name: str) -> None:
    """Remove a user's key pair for good; raises NotFound."""
    if tx.execute(delete(KEY_PAIRS).where(C.user_id == user_id, C.name == name)).rowcount == 0:
        raise errors.NotFound(f"Keypair {name} not found for user {user_id}", resource="key_pair", id=name)
    quotas.release(tx, {"key_pairs": 1}, project_id="", user_id=user_id)


def _key_pair(row: Any) -> KeyPair:
    number, name, user_id, public_key, fingerprint, kind, created_at = row
    return KeyPair(
        id=number,
        name=name,
        user_id=user_id,
        public_key=public_key,
        fingerprint=fingerprint,
        type=kind,
        created_at=created_at,
    )
