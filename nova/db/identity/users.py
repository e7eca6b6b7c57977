# SPDX-License-Identifier: Apache-2.0
"""Users in the database.  Password hashes leave this module only inside a :class:`Login`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from nova import errors
from nova.db.engine import Transaction
from nova.db.models.identity import Ec2CredentialRow, GrantRow, ProjectRow, TokenRow, UserRow
from nova.domain.identity import User
from nova.secret import Secret

_users = UserRow.__table__


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What is needed to check a password."""

    user: User
    password_hash: str | None


def user_of(row: Row[Any]) -> User:
    """The domain object of a row that holds all columns of ``users``."""
    return User(
        id=row.id,
        name=row.name,
        enabled=row.enabled,
        email=row.email or "",
        description=row.description or "",
        is_admin=row.is_admin,
        access_key=row.access_key or "",
        secret_key=Secret(row.secret_key) if row.secret_key else None,
        default_project_id=row.default_project_id or "",
        version=row.version,
    )


def get(tx: Transaction, user_id: str) -> User:
    """One user by id; NotFound."""
    row = tx.execute(select(_users).where(_users.c.id == user_id)).one_or_none()
    if row is None:
        raise errors.NotFound.of("user", user_id)
    return user_of(row)


def by_name(tx: Transaction, name: str) -> User | None:
    """One user by name, or None."""
    row = tx.execute(select(_users).where(_users.c.name == name)).one_or_none()
    return user_of(row) if row else None


def login(tx: Transaction, *, user_id: str = "", name: str = "") -> Login | None:
    """The user with that id, or else that name, with the password's hash."""
    which = _users.c.id == user_id if user_id else _users.c.name == name
    row = tx.execute(select(_users).where(which)).one_or_none()
    return Login(user=user_of(row), password_hash=row.password_hash) if row else None


def by_access_key(tx: Transaction, access_key: str) -> User | None:
    """The user with that key of the classic store."""
    row = tx.execute(select(_users).where(_users.c.access_key == access_key)).one_or_none() if access_key else None
    return user_of(row) if row else None


def find(tx: Transaction, *, name: str | None = None, enabled: bool | None = None) -> tuple[User, ...]:
    """All users that fit, by name."""
    statement = select(_users).order_by(_users.c.name)
    if name is not None:
        statement = statement.where(_users.c.name == name)
    if enabled is not None:
        statement = statement.where(_users.c.enabled.is_(enabled))
    return tuple(user_of(row) for row in tx.execute(statement))


def create(tx: Transaction, user: User, *, password_hash: str | None = None) -> None:
    """Add a user; AlreadyExists for a name, id or access key that is taken."""
    values = {
        **_columns(user),
        "id": user.id,
        "password_hash": password_hash,
        "created_at": tx.now,
    }
    with tx.unique(f"A user with the name {user.name} or these keys exists already.", resource="user"):
        tx.execute(insert(UserRow).values(values))


def save(tx: Transaction, user: User, *, end_tokens: bool) -> None:
    """Write all of *user* but the password.

    :param end_tokens: no token that was made before holds any longer
    """
    values = {**_columns(user), "updated_at": tx.now}
    if end_tokens:
        values["version"] = _users.c.version + 1
    with tx.unique(f"A user with the name {user.name} or these keys exists already.", resource="user"):
        changed = tx.execute(update(UserRow).where(_users.c.id == user.id).values(values))
    if not changed.rowcount:
        raise errors.NotFound.of("user", user.id)


def set_password(tx: Transaction, user_id: str, password_hash: str, *, end_tokens: bool = True) -> None:
    """Replace the hash; with *end_tokens* False it is the same password under a better hash."""
    values: dict[str, Any] = {"password_hash": password_hash}
    if end_tokens:
        values |= {"version": _users.c.version + 1, "updated_at": tx.now}
    if not tx.execute(update(UserRow).where(_users.c.id == user_id).values(values)).rowcount:
        raise errors.NotFound.of("user", user_id)


def remove(tx: Transaction, user_id: str) -> None:
    """Remove the user with all grants, keys and tokens; NotFound."""
    for row in (TokenRow, Ec2CredentialRow, GrantRow):
        table = row.__table__
        tx.execute(delete(row).where(table.c.user_id == user_id))
    projects = ProjectRow.__table__
    tx.execute(update(ProjectRow).where(projects.c.manager_id == user_id).values(manager_id=None))
    if not tx.execute(delete(UserRow).where(_users.c.id == user_id)).rowcount:
        raise errors.NotFound.of("user", user_id)


def _columns(user: User) -> dict[str, Any]:
    return {
        "name": user.name,
        "email": user.email or None,
        "description": user.description or None,
        "enabled": user.enabled,
        "is_admin": user.is_admin,
        "access_key": user.access_key or None,
        "secret_key": user.secret_key.reveal() if user.secret_key else None,
        "default_project_id": user.default_project_id or None,
    }
