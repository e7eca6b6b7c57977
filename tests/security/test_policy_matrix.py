# SPDX-License-Identifier: Apache-2.0
"""Each role at each route of each API: what the table of rules says is what happens, neither more nor less.

What a role may is written down here a second time, by hand, so that a rule that opens too much is seen.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from paste.deploy import loadapp
from webob import Response

from nova.api.cloud import deploying
from nova.api.ec2.actions import ACTIONS
from nova.api.policies import ALL_RULES
from nova.api.policies.base import ADMIN, ANYONE, NETWORK_USER, READER, SERVER_USER
from nova.api.policies.identity import SERVICE
from nova.api.routing import PUBLIC, Route
from nova.db.identity import grants
from nova.db.models.base import table_of
from nova.db.models.identity import TokenRow
from nova.identity.bootstrap import FirstUser, bootstrap
from nova.image.files import ImageFiles
from nova.image.local import LocalImages
from nova.secret import Secret
from tests.functional.cloud import cheap_hasher, password_auth, send
from tests.functional.compute_cloud import PASTE
from tests.functional.ec2_cloud import Ec2Cloud, code_of
from tests.functional.osapi.test_hostile import fill, sample
from tests.security.doors import Doors
from tests.security.test_identity_tokens import OLD

CHECKS = {rule.name: rule.check for rule in ALL_RULES}
MAY = {
    "root": {ADMIN, READER, SERVER_USER, NETWORK_USER, ANYONE, SERVICE},
    "alice": {READER, SERVER_USER, NETWORK_USER, ANYONE},
    "rita": {READER, ANYONE},
    "sysadmin": {READER, SERVER_USER, ANYONE},
    "netadmin": {READER, NETWORK_USER, ANYONE},
    "developer": {READER, ANYONE},
    "nova": {READER, SERVER_USER, NETWORK_USER, ANYONE, SERVICE},
}
"""Users by what they may: an administrator, a member, a reader, three of the classic roles, a service."""
OF_PROJECTS = ("/os-simple-tenant-usage/", "/os-quota-sets/")
"""What is named by a project, and asks the rule for that one"""
ASKED_AGAIN = {"os_compute_api:os-console-output", "os_compute_api:os-volumes"}
"""Reads a console with a POST; and the older address of volumes, where the operations ask the rules of volumes"""
CLASSIC = ("sysadmin", "netadmin", "developer")
APPS = {"compute": "osapi_compute", "volume": "osapi_volume", "identity": "identity", "image": "image"}
TABLES = {name: table for name, table in Doors.tables().items() if name not in ("compute 2.1", "compute 2.19")}


class Matrix:
    """All APIs over one store of users, and a token of each."""

    def __init__(self, directory: Path) -> None:
        self.cloud = Ec2Cloud()
        db = self.cloud.db
        more = tuple(
            FirstUser(name=name, password=Secret(f"{name}-pw"), project="apples", role="member") for name in CLASSIC
        )
        made = bootstrap(db, hasher=cheap_hasher(), wanted=more)
        self.cloud.users |= {user.name: user for user in made}
        with db.transaction() as tx:
            roles = {role.name: role.id for role in grants.roles(tx)}
            for user in made:
                project_id = user.default_project_id
                grants.remove(tx, user_id=user.id, role_id=roles["member"], project_id=project_id)
                for place in (project_id, ""):
                    grants.add(tx, user_id=user.id, role_id=roles[user.name], project_id=place)
        own = dataclasses.replace(self.cloud.cloud, images=LocalImages(db, ImageFiles(directory / "store")))
        with deploying(own):
            self.apps = {kind: loadapp(f"config:{PASTE}", name=name) for kind, name in APPS.items()}
        self.tokens = {name: self.new_token(name) for name in MAY}

    def new_token(self, name: str) -> str:
        answer = send(self.apps["identity"], "POST", "/v3/auth/tokens", body=password_auth(name))
        assert answer.status_int == 201, (name, answer.text)
        return str(answer.headers["X-Subject-Token"])

    def ask(self, name: str, route: Route, token: str, *, project: str = "1") -> Response:
        """One request with a fitting body, for things that are not there; *project* is the caller's own."""
        table = TABLES[name]
        body: Any = sample(route.bodies[-1][1]) if route.bodies else None
        body = {route.action: None} if route.action and not body else body
        headers = {"OpenStack-API-Version": f"compute {table.version}"} if table.versioned else {}
        path = table.base + fill(route, project if route.path.startswith(OF_PROJECTS) else "1")
        return send(self.apps[name.split()[0]], route.method, path, token=token, body=body, headers=headers)


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    made = Matrix(tmp_path_factory.mktemp("matrix"))
    yield made
    made.cloud.close()


def guarded(name: str) -> list[Route]:
    table = TABLES[name]
    return [route for route in table.routes if route.policy != PUBLIC and route.covers(table.version)]


def is_refused(answer: Response, rule: str) -> bool:
    """Whether the rule of the route itself said no."""
    return answer.status_int == 403 and f"Policy doesn't allow {rule} to be performed" in answer.text


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("user", MAY)
def test_each_role_gets_what_the_rules_say(matrix: Matrix, name: str, user: str) -> None:
    """OSSN-0083, CVE-2012-4456"""
    for route in guarded(name):
        check = CHECKS[route.policy]
        assert check in MAY["root"], f"{route.policy} has a check that this test does not know: {check}"
        answer = matrix.ask(name, route, matrix.tokens[user], project=matrix.cloud.users[user].default_project_id)
        shown = f"{user} {name} {route.name}: {answer.status} {answer.text:.200}"
        assert answer.status_int != 401, shown
        assert answer.status_int < 500 or answer.status_int == 501, shown
        assert is_refused(answer, route.policy) == (check not in MAY[user]), shown


@pytest.mark.parametrize("user", MAY)
def test_each_role_gets_the_same_from_ec2(matrix: Matrix, user: str) -> None:
    """CVE-2014-0167"""
    for action in ACTIONS:
        answer = matrix.cloud.ask(action.name, user=user)
        allowed = CHECKS[action.policy] in MAY[user]
        refused = answer.status_int == 403 and code_of(answer, status=403) == "UnauthorizedOperation"
        assert refused != allowed, f"{user} {action.name}: {answer.status} {answer.text:.300}"


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("kind", ["nobody", "expired", "revoked", "made up"])
def test_who_has_no_living_token_gets_nowhere(matrix: Matrix, name: str, kind: str) -> None:
    """CVE-2012-4456, CVE-2013-1865, CVE-2013-2104, CVE-2013-4294"""
    token = {"nobody": "", "made up": "x" * 43}.get(kind, matrix.new_token("alice"))
    if kind == "revoked":
        matrix.cloud.cloud.identity.revoke(Secret(token))
    if kind == "expired":
        hashed, table = matrix.cloud.cloud.identity.validate(Secret(token)).token_id, table_of(TokenRow)
        with matrix.cloud.db.transaction() as tx:
            tx.execute(table.update().where(table.c.id == hashed).values(expires_at=OLD))
    for route in guarded(name):
        answer = matrix.ask(name, route, token)
        assert answer.status_int == 401, f"{kind} {name} {route.name}: {answer.status}"


def test_a_service_user_administers_nothing(matrix: Matrix) -> None:
    """OSSN-0055"""
    asked = 0
    for name in TABLES:
        for route in guarded(name):
            if CHECKS[route.policy] == ADMIN:
                assert matrix.ask(name, route, matrix.tokens["nova"]).status_int == 403, route.name
                asked += 1
    assert asked > 60


def test_whoever_only_looks_changes_nothing() -> None:
    """OSSN-0083: the rules themselves; those of identity are asked again for whose things they are"""
    for name in TABLES:
        for route in guarded(name):
            if route.method != "GET" and name != "identity":
                looks = CHECKS[route.policy] in MAY["rita"]
                assert not looks or route.policy in ASKED_AGAIN, route.name
