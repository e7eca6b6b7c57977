# SPDX-License-Identifier: Apache-2.0
"""Which project a caller means, and whether the user has a place in it."""

from __future__ import annotations

from collections.abc import Iterable

from nova import errors
from nova.db.engine import Transaction
from nova.db.identity import projects
from nova.domain.identity import Project, User
from nova.identity.protocol import Scope


def project_in(tx: Transaction, user: User, scope: Scope) -> Project | None:
    """The project of *scope*, or the user's default one, or None; Unauthenticated for one that is named and unknown."""
    if scope.project_id or scope.project_name:
        found = _by_id(tx, scope.project_id) if scope.project_id else projects.by_name(tx, scope.project_name)
        if found is None:
            raise errors.Unauthenticated()
        return found
    if scope.unscoped or not user.default_project_id:
        return None
    return next((each for each in projects.of_user(tx, user.id) if each.id == user.default_project_id), None)


def project_or_first(tx: Transaction, user: User, text: str) -> Project | None:
    """The project with the id or name *text*; without text the user's default one, the namesake, or the first."""
    if text:
        return projects.by_id_or_name(tx, text)
    mine = projects.of_user(tx, user.id)
    return min(mine, key=lambda each: (each.id != user.default_project_id, each.name != user.name), default=None)


def ensure_member(user: User, project: Project | None, granted: Iterable[tuple[str, str]]) -> None:
    """Unauthenticated where the user has no place in the project: removal works at once, for tokens and keys."""
    if project is None or user.is_admin or project.manager_id == user.id:
        return
    if not any(place == project.id for _, place in granted):
        raise errors.Unauthenticated()


def _by_id(tx: Transaction, project_id: str) -> Project | None:
    try:
        return projects.get(tx, project_id)
    except errors.NotFound:
        return None
