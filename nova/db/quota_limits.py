# SPDX-License-Identifier: Apache-2.0
"""Repository of quota limits: of a project, of a user in it, and of the class ``default`` that holds for all others.

Which limit holds: the project's own, else that of class ``default``, else the operator's configuration.  A user's own
limit comes on top of the project's; without one he may use what the project has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Table, bindparam, delete, insert, literal, null, select, union_all, update

from nova.db.models.base import table_of
from nova.db.models.quota import ProjectUserQuotaRow, QuotaClassRow, QuotaRow, QuotaUsageRow
from nova.db.transaction import Transaction
from nova.domain.quota import UNLIMITED

PROJECT = table_of(QuotaRow)
USER = table_of(ProjectUserQuotaRow)
CLASS = table_of(QuotaClassRow)
_USAGES = table_of(QuotaUsageRow)
DEFAULT_CLASS = "default"

_U = _USAGES.c
_EVERYTHING = union_all(
    select(literal("project"), PROJECT.c.resource, PROJECT.c.hard_limit, null()).where(
        PROJECT.c.project_id == bindparam("project")
    ),
    select(literal("user"), USER.c.resource, USER.c.hard_limit, null()).where(
        USER.c.project_id == bindparam("project"), USER.c.user_id == bindparam("user")
    ),
    select(literal("class"), CLASS.c.resource, CLASS.c.hard_limit, null()).where(CLASS.c.class_name == DEFAULT_CLASS),
    select(literal("used"), _U.resource, _U.in_use, _U.user_id).where(
        _U.project_id == bindparam("project"), _U.user_id.in_(["", bindparam("user")])
    ),
)


@dataclass(frozen=True, slots=True)
class QuotaState:
    """Everything that the tables say on the quotas of a project and one user of it."""

    project: Mapping[str, int]
    user: Mapping[str, int]
    fallback: Mapping[str, int]
    in_use: Mapping[tuple[str, str], int]
    """By (user or empty, resource)"""

    def limit(self, resource: str, *, user: bool) -> int:
        """The limit that holds for the project, or for the user."""
        if user and resource in self.user:
            return self.user[resource]
        return self.project.get(resource, self.fallback.get(resource, UNLIMITED))


def limits_and_usage(tx: Transaction, project_id: str, *, user_id: str, defaults: Mapping[str, int]) -> QuotaState:
    """The limits and counters of a project and one user (or none, when empty), in one statement."""
    limits: dict[str, dict[str, int]] = {"project": {}, "user": {}, "class": {}}
    in_use: dict[tuple[str, str], int] = {}
    for kind, resource, amount, user in tx.execute(_EVERYTHING, {"project": project_id, "user": user_id}):
        if kind == "used":
            in_use[user, resource] = amount
        else:
            limits[kind][resource] = amount
    return QuotaState(limits["project"], limits["user"], {**defaults, **limits["class"]}, in_use)


def effective(tx: Transaction, project_id: str, *, user_id: str = "", defaults: Mapping[str, int]) -> dict[str, int]:
    """The limits that hold for a project, or for one user in it, for every resource in *defaults*."""
    state = limits_and_usage(tx, project_id, user_id=user_id, defaults=defaults)
    return {resource: state.limit(resource, user=bool(user_id)) for resource in defaults}


def set_limits(tx: Transaction, project_id: str, limits: Mapping[str, int], *, user_id: str = "") -> None:
    """Set limits of a project, or of one user in it."""
    names = {"project_id": project_id} | ({"user_id": user_id} if user_id else {})
    _set(tx, USER if user_id else PROJECT, names, limits)


def delete_limits(tx: Transaction, project_id: str, *, user_id: str = "") -> None:
    """Forget the limits of one user in a project, or of the project and all its users."""
    if not user_id:
        tx.execute(delete(PROJECT).where(PROJECT.c.project_id == project_id))
    scope = [USER.c.user_id == user_id] if user_id else []
    tx.execute(delete(USER).where(USER.c.project_id == project_id, *scope))


def class_limits(tx: Transaction, class_name: str = DEFAULT_CLASS) -> dict[str, int]:
    """The limits that a class sets."""
    chosen = select(CLASS.c.resource, CLASS.c.hard_limit).where(CLASS.c.class_name == class_name)
    return {row.resource: row.hard_limit for row in tx.execute(chosen)}


def set_class_limits(tx: Transaction, class_name: str, limits: Mapping[str, int]) -> None:
    """Set limits of a class."""
    _set(tx, CLASS, {"class_name": class_name}, limits)


def _set(tx: Transaction, table: Table, names: Mapping[str, str], limits: Mapping[str, int]) -> None:
    for resource, limit in sorted(limits.items()):
        scope = [table.c[column] == value for column, value in names.items()]
        changed = update(table).where(*scope, table.c.resource == resource)
        if tx.execute(changed.values(hard_limit=limit, updated_at=tx.now)).rowcount == 0:
            row = {**names, "resource": resource, "hard_limit": limit, "created_at": tx.now}
            with tx.unique("Another request is setting this limit just now.", resource=resource):
                tx.execute(insert(table).values(row))
