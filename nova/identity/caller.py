# SPDX-License-Identifier: Apache-2.0
"""Who a proof of identity stands for, which roles count, and the one way from there to a request context.

The rules of the classic store: a role that the manual knows counts in a project when it is granted both to the user
and for that project; a *global* role needs only the grant to the user.  All other roles (``admin``, ``member`` …) count
where they are granted: in the project.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from nova.context import RequestContext, new_request_id
from nova.domain.identity import CLASSIC_ROLES, Project, User
from nova.secret import Secret

ADMIN_ROLE = "admin"
MANAGER_ROLE = "projectmanager"
"""Implied for the manager of a project; it cannot be granted."""
RESUMED_METHOD = "resumed"
"""How the cloud itself goes on with what a user asked for."""
DERIVED_METHODS = frozenset({"ec2credential", "access_key", RESUMED_METHOD})
"""Ways in whose tokens may not make new credentials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRules:
    """Which classic roles need no grant in a project, and which make an administrator."""

    global_roles: tuple[str, ...] = ("cloudadmin", "itsec")
    superuser_roles: tuple[str, ...] = ("cloudadmin",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A user, checked now: enabled, with the roles that hold at this moment in ``project`` (None: no project)."""

    user: User
    project: Project | None
    roles: tuple[str, ...]
    is_admin: bool
    methods: tuple[str, ...] = ("password",)
    issued_at: datetime.datetime | None = None
    expires_at: datetime.datetime | None = None
    audit_id: str = ""
    token_id: str = ""
    """The hash under which the store keeps the token that was shown; empty where none was."""


def effective_roles(
    granted: Iterable[tuple[str, str]], *, user: User, project: Project | None, rules: RoleRules
) -> tuple[str, ...]:
    """The roles that hold, in order of name.

    :param granted: (role, project id) pairs of the user; an empty project id is a grant to the user everywhere
    """
    pairs = set(granted)
    everywhere = {role for role, place in pairs if not place}
    found = {role for role in everywhere if role in rules.global_roles}
    if project is not None:
        here = {role for role, place in pairs if place == project.id}
        found |= {role for role in here if role not in CLASSIC_ROLES or role in everywhere}
        if project.manager_id == user.id:
            found.add(MANAGER_ROLE)
    if user.is_admin:
        found.add(ADMIN_ROLE)
    return tuple(sorted(found))


def is_admin(user: User, roles: Iterable[str], *, rules: RoleRules) -> bool:
    """Whether the caller administers the whole cloud."""
    return user.is_admin or any(role == ADMIN_ROLE or role in rules.superuser_roles for role in roles)


def context_of(
    caller: Caller, *, token: Secret | None = None, request_id: str | None = None, remote_address: str = ""
) -> RequestContext:
    """The request context of *caller*; every way into the built-in store ends here."""
    project = caller.project
    return RequestContext(
        request_id=request_id or new_request_id(),
        user_id=caller.user.id,
        user_name=caller.user.name,
        project_id=project.id if project else "",
        project_name=project.name if project else "",
        roles=caller.roles,
        is_admin=caller.is_admin,
        auth_token=token,
        remote_address=remote_address,
    )
