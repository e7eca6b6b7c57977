# SPDX-License-Identifier: Apache-2.0
"""Roles and who has them, in the database.  An empty project id is a grant to the user as such."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from nova import errors
from nova.db.engine import Transaction
from nova.db.models.identity import Ec2CredentialRow, GrantRow, ProjectRow, RoleRow, TokenRow, UserRow
from nova.domain.identity import Role

_roles = RoleRow.__table__
_grants = GrantRow.__table__
_users = UserRow.__table__
_projects = ProjectRow.__table__


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One role of one user, with the names for people."""

    user_id: str
    user_name: str
    project_id: str
    project_name: str
    role: Role


def roles(tx: Transaction, *, name: str | None = None) -> tuple[Role, ...]:
    """All roles that may be granted, by name."""
    statement = select(_roles.c.id, _roles.c.name).order_by(_roles.c.name)
    if name is not None:
        statement = statement.where(_roles.c.name == name)
    return tuple(Role(id=row.id, name=row.name) for row in tx.execute(statement))


def role(tx: Transaction, role_id: str) -> Role:
    """One role by id; NotFound."""
    row = tx.execute(select(_roles.c.id, _roles.c.name).where(_roles.c.id == role_id)).one_or_none()
    if row is None:
        raise errors.NotFound.of("role", role_id)
    return Role(id=row.id, name=row.name)


def create_role(tx: Transaction, wanted: Role) -> None:
    """Add a role; AlreadyExists."""
    with tx.unique(f"The role {wanted.name} exists already.", resource="role"):
        tx.execute(insert(RoleRow).values(id=wanted.id, name=wanted.name, created_at=tx.now))


def rename_role(tx: Transaction, role_id: str, name: str) -> None:
    """Give a role that is there another name; AlreadyExists."""
    with tx.unique(f"The role {name} exists already.", resource="role"):
        tx.execute(update(RoleRow).where(_roles.c.id == role_id).values(name=name))


def remove_role(tx: Transaction, role_id: str) -> None:
    """Remove a role and every grant of it; NotFound."""
    tx.execute(delete(GrantRow).where(_grants.c.role_id == role_id))
    if not tx.execute(delete(RoleRow).where(_roles.c.id == role_id)).rowcount:
        raise errors.NotFound.of("role", role_id)


def of_user(tx: Transaction, user_id: str) -> tuple[tuple[str, str], ...]:
    """All grants of a user, as (role name, project id) pairs."""
    statement = (
        select(_roles.c.name, _grants.c.project_id)
        .join(_grants, _grants.c.role_id == _roles.c.id)
        .where(_grants.c.user_id == user_id)
    )
    return tuple((row.name, row.project_id) for row in tx.execute(statement))


def find(
    tx: Transaction, *, user_id: str | None = None, project_id: str | None = None, role_id: str | None = None
) -> tuple[Grant, ...]:
    """All grants that fit, by project, user and role name."""
    statement = (
        select(
            *(_grants.c.user_id, _users.c.name.label("user_name"), _grants.c.project_id),
            *(_projects.c.name.label("project_name"), _roles.c.id.label("role_id"), _roles.c.name.label("role_name")),
        )
        .select_from(_grants)
        .join(_users, _users.c.id == _grants.c.user_id)
        .join(_roles, _roles.c.id == _grants.c.role_id)
        .outerjoin(_projects, _projects.c.id == _grants.c.project_id)
        .order_by(_projects.c.name, _users.c.name, _roles.c.name)
    )
    for column, value in (("user_id", user_id), ("project_id", project_id), ("role_id", role_id)):
        if value is not None:
            statement = statement.where(_grants.c[column] == value)
    return tuple(
        Grant(
            user_id=row.user_id,
            user_name=row.user_name,
            project_id=row.project_id,
            project_name=row.project_name or "",
            role=Role(id=row.role_id, name=row.role_name),
        )
        for row in tx.execute(statement)
    )


def add(tx: Transaction, *, user_id: str, project_id: str, role_id: str) -> None:
    """Grant; granting again changes nothing."""
    try:
        with tx.unique("The user has this role already."):
            values = {"user_id": user_id, "project_id": project_id, "role_id": role_id, "created_at": tx.now}
            tx.execute(insert(GrantRow).values(values))
    except errors.AlreadyExists:
        return


def remove(tx: Transaction, *, user_id: str, project_id: str, role_id: str) -> None:
    """Take a grant away; NotFound, and nothing changed, where the user does not have it."""
    same = (_grants.c.user_id == user_id) & (_grants.c.project_id == project_id) & (_grants.c.role_id == role_id)
    if not tx.execute(delete(GrantRow).where(same)).rowcount:
        raise errors.NotFound("The user does not have this role there.", resource="role", id=role_id)
    _forget_if_no_member(tx, user_id, project_id)


def remove_member(tx: Transaction, *, user_id: str, project_id: str) -> None:
    """Take all roles in a project away, with the keys and tokens for it; NotFound for no member."""
    same = (_grants.c.user_id == user_id) & (_grants.c.project_id == project_id)
    if not tx.execute(delete(GrantRow).where(same)).rowcount:
        raise errors.NotFound("The user is no member of that project.", resource="user", id=user_id)
    _forget_if_no_member(tx, user_id, project_id)


def _forget_if_no_member(tx: Transaction, user_id: str, project_id: str) -> None:
    """Whoever has no role left in a project loses keys and tokens for it."""
    if not project_id:
        return
    left = select(_grants.c.id).where((_grants.c.user_id == user_id) & (_grants.c.project_id == project_id)).limit(1)
    if tx.execute(left).first() is not None:
        return
    for row in (TokenRow, Ec2CredentialRow):
        table = row.__table__
        tx.execute(delete(row).where((table.c.user_id == user_id) & (table.c.project_id == project_id)))
