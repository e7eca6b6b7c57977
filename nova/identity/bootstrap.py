# SPDX-License-Identifier: Apache-2.0
"""The first users of a new cloud: roles, an administrator with a project, and the service user.  Safe to run again."""

from __future__ import annotations

from dataclasses import dataclass

from nova.db.engine import Database, Transaction
from nova.db.identity import grants, projects, users
from nova.domain.identity import Project, User
from nova.identity import administration
from nova.identity.passwords import PasswordHasher
from nova.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstUser:
    """A user to be there, with a project and a role in it."""

    name: str
    password: Secret
    project: str
    role: str = "admin"
    is_admin: bool = False


def bootstrap(db: Database, *, hasher: PasswordHasher, wanted: tuple[FirstUser, ...]) -> tuple[User, ...]:
    """Make roles, users and projects that are missing; an existing user gets the password that is asked for."""
    hashes = [hasher.hash(user.password) for user in wanted]

    def work(tx: Transaction) -> tuple[User, ...]:
        administration.create_default_roles(tx)
        return tuple(_ensure(tx, user, password_hash=hashed) for user, hashed in zip(wanted, hashes, strict=True))

    return db.run(work)


def _ensure(tx: Transaction, wanted: FirstUser, *, password_hash: str) -> User:
    user = users.by_name(tx, wanted.name)
    if user is None:
        user = administration.create_user(tx, wanted.name, password_hash=password_hash, is_admin=wanted.is_admin)
    else:
        users.set_password(tx, user.id, password_hash)
    project = projects.by_name(tx, wanted.project) or administration.create_project(tx, wanted.project)
    _grant(tx, user, project, wanted.role)
    if not user.default_project_id:
        user = administration.modify_user(tx, user, default_project_id=project.id)
    return user


def _grant(tx: Transaction, user: User, project: Project, role: str) -> None:
    role_id = administration.find_role(tx, role).id
    grants.add(tx, user_id=user.id, project_id=project.id, role_id=role_id)
