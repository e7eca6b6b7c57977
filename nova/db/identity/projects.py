# SPDX-License-Identifier: Apache-2.0
"""Projects in the database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from nova import errors
from nova.db.engine import Transaction
from nova.db.models.identity import Ec2CredentialRow, GrantRow, ProjectRow, TokenRow, UserRow
from nova.domain.identity import Project

_projects = ProjectRow.__table__
_grants = GrantRow.__table__


def project_of(row: Row[Any]) -> Project:
    """The domain object of a row that holds all columns of ``projects``."""
    return Project(
        id=row.id,
        name=row.name,
        description=row.description or "",
        enabled=row.enabled,
        manager_id=row.manager_id or "",
        version=row.version,
    )


def get(tx: Transaction, project_id: str) -> Project:
    """One project by id; NotFound."""
    row = tx.execute(select(_projects).where(_projects.c.id == project_id)).one_or_none()
    if row is None:
        raise errors.NotFound.of("project", project_id)
    return project_of(row)


def by_name(tx: Transaction, name: str) -> Project | None:
    """One project by name, or None."""
    row = tx.execute(select(_projects).where(_projects.c.name == name)).one_or_none()
    return project_of(row) if row else None


def by_id_or_name(tx: Transaction, text: str) -> Project | None:
    """The project with that id, or else that name."""
    rows = tx.execute(select(_projects).where((_projects.c.id == text) | (_projects.c.name == text))).all()
    found = sorted((project_of(row) for row in rows), key=lambda project: project.id != text)
    return found[0] if found else None


def find(tx: Transaction, *, name: str | None = None, enabled: bool | None = None) -> tuple[Project, ...]:
    """All projects that fit, by name."""
    statement = select(_projects).order_by(_projects.c.name)
    if name is not None:
        statement = statement.where(_projects.c.name == name)
    if enabled is not None:
        statement = statement.where(_projects.c.enabled.is_(enabled))
    return tuple(project_of(row) for row in tx.execute(statement))


def of_user(tx: Transaction, user_id: str, *, enabled_only: bool = True) -> tuple[Project, ...]:
    """The projects in which the user has a grant or which it manages, by name."""
    granted = select(_grants.c.project_id).where(_grants.c.user_id == user_id)
    mine = _projects.c.id.in_(granted) | (_projects.c.manager_id == user_id)
    statement = select(_projects).where(mine).order_by(_projects.c.name)
    if enabled_only:
        statement = statement.where(_projects.c.enabled.is_(True))
    return tuple(project_of(row) for row in tx.execute(statement))


def create(tx: Transaction, project: Project) -> None:
    """Add a project; AlreadyExists for a name or id that is taken."""
    with tx.unique(f"A project with the name {project.name} exists already.", resource="project"):
        tx.execute(insert(ProjectRow).values(**_columns(project), id=project.id, created_at=tx.now))


def save(tx: Transaction, project: Project, *, end_tokens: bool) -> None:
    """Write all of *project*; with *end_tokens* no token for it that was made before holds any longer."""
    values = {**_columns(project), "updated_at": tx.now}
    if end_tokens:
        values["version"] = _projects.c.version + 1
    with tx.unique(f"A project with the name {project.name} exists already.", resource="project"):
        changed = tx.execute(update(ProjectRow).where(_projects.c.id == project.id).values(values))
    if not changed.rowcount:
        raise errors.NotFound.of("project", project.id)


def remove(tx: Transaction, project_id: str) -> None:
    """Remove the project with all grants in it, its keys and its tokens; NotFound."""
    for row in (TokenRow, Ec2CredentialRow, GrantRow):
        table = row.__table__
        tx.execute(delete(row).where(table.c.project_id == project_id))
    users = UserRow.__table__
    tx.execute(update(UserRow).where(users.c.default_project_id == project_id).values(default_project_id=None))
    if not tx.execute(delete(ProjectRow).where(_projects.c.id == project_id)).rowcount:
        raise errors.NotFound.of("project", project_id)


def _columns(project: Project) -> dict[str, Any]:
    return {
        "name": project.name,
        "description": project.description or None,
        "enabled": project.enabled,
        "manager_id": project.manager_id or None,
    }
