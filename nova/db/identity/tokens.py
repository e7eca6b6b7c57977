# SPDX-License-Identifier: Apache-2.0
"""Tokens in the database, by hash.  A token holds while its row is there, its time is not over, and neither its user
nor its project was disabled or changed since: all that is asked in one statement."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, delete, insert, or_, select

from nova.db.engine import Transaction
from nova.db.identity.users import user_of
from nova.db.models.identity import GrantRow, ProjectRow, RoleRow, TokenRow, UserRow
from nova.domain.identity import Project, User

_tokens = TokenRow.__table__
_users = UserRow.__table__
_projects = ProjectRow.__table__
_grants = GrantRow.__table__
_roles = RoleRow.__table__

_P = "project_"

_LIVE = (
    select(
        *_users.c,
        *(column.label(f"{_P}{column.name}") for column in _projects.c),
        *(_tokens.c.id.label("token_id"), _tokens.c.methods, _tokens.c.audit_id),
        *(_tokens.c.issued_at, _tokens.c.expires_at),
        *(_roles.c.name.label("role"), _grants.c.project_id.label("granted_in")),
    )
    .select_from(_tokens)
    .join(_users, and_(_users.c.id == _tokens.c.user_id, _users.c.version == _tokens.c.user_version))
    .outerjoin(_projects, _projects.c.id == _tokens.c.project_id)
    .outerjoin(
        _grants,
        and_(
            _grants.c.user_id == _tokens.c.user_id,
            or_(_grants.c.project_id == _tokens.c.project_id, _grants.c.project_id == ""),
        ),
    )
    .outerjoin(_roles, _roles.c.id == _grants.c.role_id)
    .where(
        _users.c.enabled.is_(True),
        or_(
            _tokens.c.project_id.is_(None),
            and_(_projects.c.enabled.is_(True), _projects.c.version == _tokens.c.project_version),
        ),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRecord:
    """A token that holds: whose it is, and the (role, project id) grants that matter for it."""

    id: str
    user: User
    project: Project | None
    granted: tuple[tuple[str, str], ...]
    methods: tuple[str, ...]
    audit_id: str
    issued_at: datetime.datetime
    expires_at: datetime.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A token to be kept; it holds as long as user and project stay at the versions that they have here."""

    id: str
    user: User
    project: Project | None
    methods: tuple[str, ...]
    audit_id: str
    issued_at: datetime.datetime
    expires_at: datetime.datetime
    parent_id: str = ""


def find(tx: Transaction, token_id: str) -> TokenRecord | None:
    """The token with that hash, if it holds now: one statement."""
    rows = tx.execute(_LIVE.where(_tokens.c.id == token_id, _tokens.c.expires_at > tx.now)).all()
    if not rows:
        return None
    first = rows[0]
    return TokenRecord(
        id=first.token_id,
        user=user_of(first),
        project=_project(first) if first.project_id else None,
        granted=tuple((row.role, row.granted_in) for row in rows if row.role),
        methods=tuple(first.methods.split(",")),
        audit_id=first.audit_id,
        issued_at=first.issued_at,
        expires_at=first.expires_at,
    )


def _project(row: Row[Any]) -> Project:
    return Project(
        id=row.project_id,
        name=row.project_name,
        description=row.project_description or "",
        manager_id=row.project_manager_id or "",
        version=row.project_version,
    )


def create(tx: Transaction, token: NewToken) -> bool:
    """Keep a token; False, and nothing kept, where the one that it was made from is gone."""
    if token.parent_id and not _hold(tx, token.parent_id):
        return False
    tx.execute(
        insert(TokenRow).values(
            id=token.id,
            parent_id=token.parent_id or None,
            user_id=token.user.id,
            project_id=token.project.id if token.project else None,
            user_version=token.user.version,
            project_version=token.project.version if token.project else 0,
            methods=",".join(token.methods),
            audit_id=token.audit_id,
            issued_at=token.issued_at,
            expires_at=token.expires_at,
        )
    )
    return True


def _hold(tx: Transaction, token_id: str) -> bool:
    """Keep the row from being removed until this transaction ends; False where it is gone."""
    return tx.execute(select(_tokens.c.id).where(_tokens.c.id == token_id).with_for_update()).first() is not None


def revoke(tx: Transaction, token_id: str) -> bool:
    """Remove a token and, generation by generation, all that were made from it; whether it was there."""
    found = bool(tx.execute(delete(TokenRow).where(_tokens.c.id == token_id)).rowcount)
    generation = [token_id]
    while generation := _children(tx, generation):
        tx.execute(delete(TokenRow).where(_tokens.c.id.in_(generation)))
    return found


def _children(tx: Transaction, parents: Iterable[str]) -> list[str]:
    return list(tx.execute(select(_tokens.c.id).where(_tokens.c.parent_id.in_(list(parents)))).scalars())


def purge(tx: Transaction, *, limit: int = 1000) -> int:
    """Remove up to *limit* tokens whose time is over; how many there were."""
    old = list(tx.execute(select(_tokens.c.id).where(_tokens.c.expires_at <= tx.now).limit(limit)).scalars())
    if old:
        tx.execute(delete(TokenRow).where(_tokens.c.id.in_(old)))
    return len(old)
