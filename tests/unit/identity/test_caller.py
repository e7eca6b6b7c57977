# SPDX-License-Identifier: Apache-2.0
"""Which roles count."""

from __future__ import annotations

import pytest

from nova.domain.identity import Project, User
from nova.identity.caller import RoleRules, effective_roles, is_admin

USER = User(id="u", name="user")
PROJECT = Project(id="p", name="project")
RULES = RoleRules()


@pytest.mark.parametrize(
    ("granted", "expected"),
    [
        ([("member", "p")], ("member",)),
        ([("member", "q")], ()),
        ([("member", "")], ()),
        ([("sysadmin", "p")], ()),
        ([("sysadmin", "")], ()),
        ([("sysadmin", "p"), ("sysadmin", "")], ("sysadmin",)),
        ([("itsec", "")], ("itsec",)),
        ([("itsec", "p")], ()),
        ([("admin", "p"), ("reader", "p")], ("admin", "reader")),
    ],
)
def test_grants_count_where_the_classic_rules_say(granted: list[tuple[str, str]], expected: tuple[str, ...]) -> None:
    assert effective_roles(granted, user=USER, project=PROJECT, rules=RULES) == expected


def test_the_manager_of_a_project_has_the_implied_role() -> None:
    managed = Project(id="p", name="project", manager_id="u")
    assert effective_roles([], user=USER, project=managed, rules=RULES) == ("projectmanager",)


def test_without_a_project_only_global_roles_count() -> None:
    granted = [("cloudadmin", ""), ("member", "p"), ("netadmin", "")]
    assert effective_roles(granted, user=USER, project=None, rules=RULES) == ("cloudadmin",)


def test_who_administers_the_cloud() -> None:
    boss = User(id="b", name="boss", is_admin=True)
    assert is_admin(boss, (), rules=RULES)
    assert is_admin(USER, ("admin",), rules=RULES)
    assert is_admin(USER, ("cloudadmin",), rules=RULES)
    assert not is_admin(USER, ("itsec", "member", "projectmanager", "service"), rules=RULES)
