# SPDX-License-Identifier: Apache-2.0
"""Signing keys of a user for one project, in the database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, insert, select

from nova import errors
from nova.db.engine import Transaction
from nova.db.models.identity import Ec2CredentialRow
from nova.domain.identity import Ec2Credential
from nova.secret import Secret

_keys = Ec2CredentialRow.__table__


def _credential(row: Row[Any]) -> Ec2Credential:
    return Ec2Credential(access=row.access, secret=Secret(row.secret), user_id=row.user_id, project_id=row.project_id)


def by_access(tx: Transaction, access: str) -> Ec2Credential | None:
    """The credential with that access key, or None."""
    row = tx.execute(select(_keys).where(_keys.c.access == access)).one_or_none()
    return _credential(row) if row else None


def of_user(tx: Transaction, user_id: str) -> tuple[Ec2Credential, ...]:
    """All of a user, oldest first."""
    statement = select(_keys).where(_keys.c.user_id == user_id).order_by(_keys.c.created_at, _keys.c.access)
    return tuple(_credential(row) for row in tx.execute(statement))


def create(tx: Transaction, credential: Ec2Credential) -> None:
    """Add a credential; AlreadyExists for an access key that is taken."""
    with tx.unique("A credential with this access key exists already.", resource="credential"):
        tx.execute(
            insert(Ec2CredentialRow).values(
                access=credential.access,
                secret=credential.secret.reveal(),
                user_id=credential.user_id,
                project_id=credential.project_id,
                created_at=tx.now,
            )
        )


def remove(tx: Transaction, *, access: str, user_id: str) -> None:
    """Remove a user's credential; NotFound, also for one of somebody else."""
    done = tx.execute(delete(Ec2CredentialRow).where((_keys.c.access == access) & (_keys.c.user_id == user_id)))
    if not done.rowcount:
        raise errors.NotFound("The credential could not be found.", resource="credential")
