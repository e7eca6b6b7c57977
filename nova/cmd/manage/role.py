# SPDX-License-Identifier: Apache-2.0
"""nova-manage role: who has which role, as such or in a project."""

from __future__ import annotations

from nova import errors
from nova.cmd.manage.frame import Action, Argument, Category
from nova.cmd.manage.operator import Operator
from nova.cmd.manage.user import named
from nova.db.engine import Transaction
from nova.domain.identity import CLASSIC_ROLES, Project
from nova.identity import administration
from nova.identity.caller import RoleRules


def _rules(operator: Operator) -> RoleRules:
    conf = operator.conf
    return RoleRules(global_roles=tuple(conf.global_roles), superuser_roles=tuple(conf.superuser_roles))


def _project(tx: Transaction, name: str) -> Project | None:
    return administration.find_project(tx, name) if name else None


def add(operator: Operator, *, user: str, role: str, project: str) -> None:
    """Give a role."""
    if project and role in CLASSIC_ROLES and role not in operator.conf.allowed_roles:
        raise errors.InvalidInput(f"The role {role} is not one of allowed_roles.", field="role")

    def work(tx: Transaction) -> None:
        administration.create_default_roles(tx)
        owner, place = named(tx, user), _project(tx, project)
        administration.add_role(tx, owner, role, project=place, rules=_rules(operator))

    operator.db.run(work)


def has(operator: Operator, *, user: str, role: str, project: str) -> None:
    """Print True or False."""

    def work(tx: Transaction) -> bool:
        return administration.has_role(tx, named(tx, user), role, project=_project(tx, project), rules=_rules(operator))

    operator.say(str(operator.db.run(work, write=False)))


def remove(operator: Operator, *, user: str, role: str, project: str) -> None:
    """Take a role away."""
    operator.db.run(lambda tx: administration.remove_role(tx, named(tx, user), role, project=_project(tx, project)))


_WORDS = (
    Argument("user", "name of the user", required=True),
    Argument("role", "name of the role", required=True),
    Argument("project", "the project; without one the role is the user's everywhere", default=""),
)

CATEGORY = Category(
    "role",
    "Roles of the users of the built-in identity store.",
    (
        Action("add", add, "Give a role.", _WORDS),
        Action("has", has, "Say whether a user has a role.", _WORDS),
        Action("remove", remove, "Take a role away.", _WORDS),
    ),
)
