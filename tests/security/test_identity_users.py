# SPDX-License-Identifier: Apache-2.0
"""Holes that identity services had with passwords, users and grants, each as an attack that must fail."""

from __future__ import annotations

import logging
import time

import bcrypt
import pytest
from sqlalchemy import select

from nova.db.identity import users
from nova.db.models.identity import UserRow
from nova.identity.builtin import IdentitySettings
from nova.identity.catalog import fill, names_for
from nova.identity.lockout import Lockout, LockoutSettings
from nova.identity.passwords import PasswordHasher
from nova.secret import Secret
from tests.functional.cloud import SmallCloud, password_auth


@pytest.fixture
def cloud() -> SmallCloud:
    return SmallCloud()


def login(cloud: SmallCloud, user: str, password: str) -> int:
    return cloud.call("POST", "/v3/auth/tokens", body=password_auth(user, password=password)).status_int


def stored_hash(cloud: SmallCloud, name: str) -> str:
    with cloud.db.transaction(write=False) as tx:
        found = tx.execute(select(UserRow.__table__.c.password_hash).where(UserRow.__table__.c.name == name)).scalar()
    return str(found)


def test_a_very_long_password_is_refused_before_it_is_hashed(cloud: SmallCloud) -> None:
    started = time.monotonic()
    assert login(cloud, "alice", "x" * 60_000) == 401
    assert login(cloud, "alice", "x" * 110_000) in (400, 413)
    long = {"user": {"name": "long", "password": "x" * 5000}}
    assert cloud.call("POST", "/v3/users", token=cloud.token("root"), body=long).status_int == 400
    assert time.monotonic() - started < 2


def test_every_byte_of_a_password_counts(cloud: SmallCloud) -> None:
    shared = "p" * 100
    body = {"user": {"name": "careful", "password": shared + "a"}}
    cloud.call("POST", "/v3/users", token=cloud.token("root"), body=body)
    assert login(cloud, "careful", shared + "b") == 401
    assert login(cloud, "careful", shared) == 401
    assert login(cloud, "careful", shared + "a") == 201


def test_a_password_is_stored_as_a_slow_hash_and_an_old_hash_is_renewed_at_login(cloud: SmallCloud) -> None:
    assert stored_hash(cloud, "alice").startswith("sha384-bcrypt$2b$")
    old = bcrypt.hashpw(b"alice-pw", bcrypt.gensalt(4)).decode()
    cloud.db.run(lambda tx: users.set_password(tx, cloud.users["alice"].id, old))
    assert login(cloud, "alice", "alice-pw") == 201
    assert stored_hash(cloud, "alice").startswith("sha384-bcrypt$2b$")
    assert login(cloud, "alice", "alice-pw") == 201
    cheap, dear = PasswordHasher(rounds=4), PasswordHasher(rounds=5)
    assert dear.needs_new_hash(cheap.hash(Secret("x")))
    assert not cheap.needs_new_hash(dear.hash(Secret("x")))


def test_unknown_wrong_locked_and_disabled_are_answered_alike(cloud: SmallCloud) -> None:
    root, bob = cloud.token("root"), cloud.users["bob"].id
    cloud.call("PATCH", f"/v3/users/{bob}", token=root, body={"user": {"enabled": False}})
    for _ in range(6):
        login(cloud, "rita", "wrong")
    cases = [("nobody", "x"), ("alice", "wrong"), ("rita", "rita-pw"), ("bob", "bob-pw"), ("alice", "")]
    answers = [cloud.call("POST", "/v3/auth/tokens", body=password_auth(*[u], password=p)) for u, p in cases[:4]]
    assert {answer.status_int for answer in answers} == {401}
    assert len({answer.body for answer in answers}) == 1


def test_an_unknown_user_costs_as_much_hashing_as_a_known_one(cloud: SmallCloud) -> None:
    checked: list[object] = []

    def counting(function: object, *args: object) -> object:
        checked.append(function)
        return function(*args)  # type: ignore[operator]

    hasher = PasswordHasher(rounds=4, run_blocking=counting)
    for password, stored in ((Secret("x"), None), (Secret("x"), hasher.hash(Secret("y"))), (Secret(""), None)):
        checked.clear()
        assert not hasher.verify(password, stored)
        assert len(checked) == 1


def test_a_victim_is_locked_only_for_the_source_that_guesses() -> None:
    now = 0.0
    lockout = Lockout(LockoutSettings(attempts=3, lock_s=10), clock=lambda: now)
    for _ in range(3):
        lockout.failed("alice", "203.0.113.1")
    assert lockout.is_locked("alice", "203.0.113.1")
    assert not lockout.is_locked("alice", "203.0.113.2")
    assert not lockout.is_locked("bob", "203.0.113.1")
    now = 11.0
    assert not lockout.is_locked("alice", "203.0.113.1")


def test_guessing_many_names_costs_no_memory() -> None:
    lockout = Lockout(LockoutSettings(max_entries=100))
    for number in range(5000):
        lockout.failed(f"user{number}", "")
    assert len(lockout) == 100


def test_guessing_stops_even_with_the_right_password(cloud: SmallCloud) -> None:
    for _ in range(5):
        login(cloud, "alice", "wrong")
    assert login(cloud, "alice", "alice-pw") == 401
    assert login(cloud, "bob", "bob-pw") == 201


def test_a_flood_of_bad_logins_writes_short_lines(caplog: pytest.LogCaptureFixture) -> None:
    cloud = SmallCloud(identity=IdentitySettings(lockout=LockoutSettings(source_attempts=10_000)))
    with caplog.at_level(logging.DEBUG):
        caplog.clear()
        for number in range(50):
            name = f"{number}\r\n" + "n" * 4000
            cloud.call(
                "POST",
                "/v2.0/tokens",
                body={"auth": {"passwordCredentials": {"username": name[:255], "password": "x"}}},
            )
            login(cloud, f"{number}" + "n" * 250, "x")
    assert len(caplog.text) < 50 * 2 * 900
    assert "n" * 100 not in caplog.text


def test_a_stolen_token_does_not_change_the_password(cloud: SmallCloud) -> None:
    token, path = cloud.token("alice"), f"/v3/users/{cloud.users['alice'].id}/password"
    missing = cloud.call("POST", path, token=token, body={"user": {"password": "new"}})
    wrong = {"user": {"password": "new", "original_password": "guess"}}
    assert missing.status_int == 400
    assert cloud.call("POST", path, token=token, body=wrong).status_int == 401
    other = f"/v3/users/{cloud.users['bob'].id}/password"
    right = {"user": {"password": "new", "original_password": "bob-pw"}}
    assert cloud.call("POST", other, token=token, body=right).status_int == 403
    assert login(cloud, "alice", "alice-pw") == 201


def test_a_refused_request_changes_nothing(cloud: SmallCloud) -> None:
    root = cloud.token("root")
    body = {"user": {"name": "half", "password": "x", "default_project_id": "0" * 32}}
    assert cloud.call("POST", "/v3/users", token=root, body=body).status_int == 400
    assert cloud.call("GET", "/v3/users?name=half", token=root).json["users"] == []
    member = cloud.token("alice")
    cloud.call("POST", "/v3/users", token=member, body={"user": {"name": "half", "password": "x"}})
    assert cloud.call("GET", "/v3/users?name=half", token=root).json["users"] == []


def test_taking_away_a_role_that_is_not_held_grants_nothing(cloud: SmallCloud) -> None:
    root, alice, project = cloud.token("root"), cloud.users["alice"].id, cloud.project_id("alice")
    roles = {role["name"]: role["id"] for role in cloud.call("GET", "/v3/roles", token=root).json["roles"]}
    path = f"/v3/projects/{project}/users/{alice}/roles"
    before = cloud.call("GET", path, token=root).json["roles"]
    for _ in range(2):
        assert cloud.call("DELETE", f"{path}/{roles['admin']}", token=root).status_int == 404
    assert cloud.call("GET", path, token=root).json["roles"] == before


def test_members_are_shown_their_own_projects_and_themselves(cloud: SmallCloud) -> None:
    token = cloud.token("alice")
    own = cloud.call("GET", "/v3/auth/projects", token=token).json["projects"]
    assert [project["name"] for project in own] == ["apples"]
    assert cloud.call("GET", f"/v3/users/{cloud.users['bob'].id}/projects", token=token).status_int == 403
    foreign = cloud.call("GET", f"/v3/projects/{cloud.project_id('bob')}", token=token)
    absent = cloud.call("GET", "/v3/projects/nothing", token=token)
    assert (foreign.status_int, foreign.body) == (absent.status_int, absent.body)
    assert cloud.call("GET", f"/v3/users/{cloud.users['bob'].id}", token=token).status_int == 403


def test_who_owns_something_cannot_be_changed(cloud: SmallCloud) -> None:
    root = cloud.token("root")
    user = f"/v3/users/{cloud.users['alice'].id}"
    for body in ({"domain_id": "default"}, {"id": "x"}, {"is_admin": True}):
        assert cloud.call("PATCH", user, token=root, body={"user": body}).status_int == 400
    project = f"/v3/projects/{cloud.project_id('alice')}"
    assert cloud.call("PATCH", project, token=root, body={"project": {"domain_id": "default"}}).status_int == 400


def test_an_endpoint_template_shows_no_configuration() -> None:
    names = names_for(project_id="p", user_id="u")
    assert fill("http://h/$(tenant_id)s/%(user_id)s", names) == "http://h/p/u"
    for hostile in ("$(admin_token)s", "%(admin_token)s", "{0.__class__}", "$(tenant_id.__class__)s", "%s%d"):
        assert fill(hostile, names) == hostile
    assert fill("$(tenant_id)s", names_for(project_id="", user_id="u")) is None


def test_control_characters_in_names_are_refused(cloud: SmallCloud) -> None:
    root = cloud.token("root")
    for name in ("a\nb", "a\0b", " a", "", "n" * 256, "a\x9b"):
        assert cloud.call("POST", "/v3/users", token=root, body={"user": {"name": name}}).status_int == 400


class TestSigningKeys:
    """Keys for EC2 never carry more than the token that makes them."""

    def make(self, cloud: SmallCloud, token: str, *, user: str, project: str) -> int:
        path = f"/v3/users/{cloud.users[user].id}/credentials/OS-EC2"
        return cloud.call("POST", path, token=token, body={"tenant_id": cloud.project_id(project)}).status_int

    def test_a_token_from_a_key_makes_no_key(self, cloud: SmallCloud) -> None:
        key = cloud.identity.signing_key(cloud.users["alice"].access_key)
        assert key is not None
        token = cloud.identity.token_for(key.caller).value.reveal()
        assert self.make(cloud, token, user="alice", project="alice") == 403

    def test_unscoped_and_foreign_tokens_make_no_key(self, cloud: SmallCloud) -> None:
        asked = password_auth("alice")
        asked["auth"]["scope"] = "unscoped"
        unscoped = cloud.call("POST", "/v3/auth/tokens", body=asked).headers["X-Subject-Token"]
        assert self.make(cloud, unscoped, user="alice", project="alice") == 403
        assert self.make(cloud, cloud.token("alice"), user="alice", project="bob") == 403
        assert self.make(cloud, cloud.token("bob"), user="alice", project="bob") == 403

    def test_a_reader_makes_no_key(self, cloud: SmallCloud) -> None:
        assert self.make(cloud, cloud.token("rita"), user="rita", project="rita") == 403
        path = f"/v3/users/{cloud.users['rita'].id}/credentials/OS-EC2"
        assert cloud.call("GET", path, token=cloud.token("rita")).json["credentials"] == []

    def test_keys_of_others_are_not_shown(self, cloud: SmallCloud) -> None:
        alice, bob = cloud.users["alice"], cloud.users["bob"]
        token = cloud.token("alice")
        path = f"/v3/users/{alice.id}/credentials/OS-EC2"
        body = {"tenant_id": alice.default_project_id}
        access = cloud.call("POST", path, token=token, body=body).json["credential"]["access"]
        other = cloud.token("bob")
        assert cloud.call("GET", path, token=other).status_int == 403
        assert cloud.call("GET", f"/v3/users/{bob.id}/credentials/OS-EC2/{access}", token=other).status_int == 404
        assert cloud.call("DELETE", f"/v3/users/{bob.id}/credentials/OS-EC2/{access}", token=other).status_int == 404

    def test_a_key_is_for_its_own_project_only(self, cloud: SmallCloud) -> None:
        alice = cloud.users["alice"]
        path = f"/v3/users/{alice.id}/credentials/OS-EC2"
        body = {"tenant_id": alice.default_project_id}
        access = cloud.call("POST", path, token=cloud.token("alice"), body=body).json["credential"]["access"]
        assert cloud.identity.signing_key(f"{access}:apples") is not None
        assert cloud.identity.signing_key(f"{access}:operations") is None
