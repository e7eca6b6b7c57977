# SPDX-License-Identifier: Apache-2.0
"""The doors that trade a signature for a token: who has overheard a signed request must not get one."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from paste.deploy import loadapp
from webob import Response

from nova.api.cloud import deploying
from nova.db.identity import grants, users
from nova.system import clock
from tests.functional.cloud import password_auth, send
from tests.functional.compute_cloud import PASTE
from tests.functional.ec2_cloud import HOST, PATH, Ec2Cloud, stamp, v4_headers

BODY = "Action=DescribeRegions&Version=2016-11-15"
DOORS = ("/v3/ec2tokens", "/v2.0/ec2tokens")
Given = dict[str, Any]


class Store:
    """The identity API, and a service that asks it."""

    def __init__(self) -> None:
        self.cloud = Ec2Cloud()
        with deploying(self.cloud.cloud):
            self.app = loadapp(f"config:{PASTE}", name="identity")
        self.service = self.token("nova")

    def token(self, user: str) -> str:
        """A token by password."""
        answer = send(self.app, "POST", "/v3/auth/tokens", body=password_auth(user))
        assert answer.status_int == 201, answer.text
        return str(answer.headers["X-Subject-Token"])

    def ask(
        self, given: Given, *, door: str = DOORS[0], token: str | None = None, outer: str = "credentials"
    ) -> Response:
        """One question of a service."""
        asker = self.service if token is None else token
        return send(self.app, "POST", door, token=asker, body={outer: given})

    def of_version_2(self, **given: str) -> Given:
        """What a service sends for a call with a signature of version 2."""
        signed = self.cloud.signed("DescribeRegions", **given)
        return {
            "access": signed["AWSAccessKeyId"],
            "signature": signed.pop("Signature"),
            "host": HOST,
            "verb": "GET",
            "path": PATH,
            "params": signed,
        }

    def of_version_4(self) -> Given:
        """The same for a signature in a header."""
        headers = v4_headers(self.cloud.access(), self.cloud.secret(), body=BODY)
        return {
            "access": self.cloud.access(),
            "signature": headers["Authorization"].rpartition("=")[2],
            "host": HOST,
            "verb": "POST",
            "path": PATH,
            "params": {},
            "headers": headers,
            "body_hash": hash_of(BODY),
        }

    def presigned(self) -> Given:
        """The same for a signature in the query."""
        request = AWSRequest(method="GET", url=f"http://{HOST}{PATH}?{BODY}", headers={"Host": HOST})
        SigV4QueryAuth(
            Credentials(self.cloud.access(), self.cloud.secret().reveal()), "ec2", "nova", expires=60
        ).add_auth(request)
        query = str(request.url).partition("?")[2]
        parameters = dict(parse_qsl(query))
        return {
            "access": self.cloud.access(),
            "signature": parameters.pop("X-Amz-Signature"),
            "host": HOST,
            "verb": "GET",
            "path": PATH,
            "params": parameters,
            "body_hash": hash_of(""),
        }

    def signed(self) -> list[Given]:
        """One of each."""
        return [self.of_version_2(), self.of_version_4(), self.presigned()]


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    made = Store()
    yield made
    made.cloud.close()


def test_a_service_gets_a_token_of_whoever_signed(store: Store) -> None:
    for given in store.signed():
        third = store.ask(given)
        assert third.status_int == 200, third.text
        assert third.json["token"]["user"]["name"] == "alice"
        assert third.json["token"]["project"]["name"] == "apples"
        assert [role["name"] for role in third.json["token"]["roles"]] == ["member"]
        token = third.headers["X-Subject-Token"]
        assert send(store.app, "GET", "/v3/auth/projects", token=token).status_int == 200
        for outer in ("credential", "ec2Credentials"):
            second = store.ask(given, door=DOORS[1], outer=outer)
            assert second.json["access"]["user"]["name"] == "alice"
            assert second.json["access"]["token"]["tenant"]["name"] == "apples"


@pytest.mark.parametrize("door", [*DOORS, "/v3/s3tokens", "/v2.0/s3tokens"])
def test_signatures_are_checked_for_services_only(store: Store, door: str) -> None:
    """CVE-2025-65073"""
    missing = "s3tokens" in door
    for given in store.signed():
        assert store.ask(given, door=door, token="").status_int == 401
        for user in ("alice", "bob", "rita"):
            answer = store.ask(given, door=door, token=store.token(user))
            assert answer.status_int == (404 if missing else 403)
            assert "X-Subject-Token" not in answer.headers


def test_what_is_signed_is_what_counts(store: Store) -> None:
    """CVE-2011-0730"""
    root = store.cloud.access("root")
    answers = []
    for given in store.signed():
        changes: list[Given] = [
            {"access": root},
            {"signature": "0" * 64},
            {"signature": ""},
            {"host": "other.example.org"},
            {"path": "/other"},
            {"verb": "POST" if given["verb"] == "GET" else "GET"},
            {"params": {**given["params"], "ZoneName.1": "x"}}
            if given["verb"] == "GET"
            else {"body_hash": hash_of("x")},
            {"headers": {**given.get("headers", {}), "Authorization": "AWS4-HMAC-SHA256 x", "authorization": "y"}},
            {
                "headers": {
                    **given.get("headers", {}),
                    "Authorization": v4_headers(root, store.cloud.secret(), body=BODY)["Authorization"],
                }
            },
        ]
        for change in changes:
            answer = store.ask({**given, **change})
            answers.append((answer.status_int, answer.text))
            assert answer.status_int == 401, change
    assert len(set(answers)) == 1


def test_an_old_signature_is_no_token(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """CVE-2020-12692"""
    for name, seconds in (("Timestamp", -400), ("Timestamp", 400), ("Expires", -1)):
        assert store.ask(store.of_version_2(**{name: stamp(seconds)})).status_int == 401
    now, signed = clock.utc_now(), store.signed()
    assert [store.ask(given).status_int for given in signed] == [200] * 3
    for minutes in (-20, 20):
        moved = now + datetime.timedelta(minutes=minutes)
        monkeypatch.setattr(clock, "utc_now", lambda moved=moved: moved)
        assert [store.ask(given).status_int for given in signed] == [401] * 3
        monkeypatch.undo()


def test_the_token_of_a_signature_makes_no_key_and_no_wider_token(store: Store) -> None:
    """CVE-2013-6391, CVE-2020-12689"""
    alice = store.cloud.users["alice"]
    token = store.ask(store.of_version_4()).headers["X-Subject-Token"]
    path = f"/v3/users/{alice.id}/credentials/OS-EC2"
    made = send(store.app, "POST", path, token=token, body={"tenant_id": alice.default_project_id})
    assert made.status_int == 403
    assert send(store.app, "GET", path, token=token).json["credentials"] == []
    wider = {"auth": {"identity": {"methods": ["token"], "token": {"id": token}}, "scope": "unscoped"}}
    assert send(store.app, "POST", "/v3/auth/tokens", body=wider).status_int == 403


def test_a_key_has_the_live_roles_of_its_own_project() -> None:
    """CVE-2026-33551, CVE-2012-5571, CVE-2013-0282"""
    store = Store()
    bob, apples = store.cloud.users["bob"], store.cloud.users["alice"].default_project_id

    def roles() -> list[str]:
        answer = store.ask({**signed_by_bob()})
        return [role["name"] for role in answer.json["token"]["roles"]] if answer.status_int == 200 else []

    def signed_by_bob() -> Given:
        parameters = store.cloud.signed("DescribeRegions", user="bob")
        signature = parameters.pop("Signature")
        access = parameters["AWSAccessKeyId"]
        return {
            "access": access,
            "signature": signature,
            "host": HOST,
            "verb": "GET",
            "path": PATH,
            "params": parameters,
        }

    assert roles() == ["member"]
    with store.cloud.db.transaction() as tx:
        known = {role.name: role.id for role in grants.roles(tx)}
        grants.add(tx, user_id=bob.id, role_id=known["admin"], project_id=apples)
    assert roles() == ["member"]
    with store.cloud.db.transaction() as tx:
        users.save(tx, dataclasses.replace(bob, enabled=False), end_tokens=True)
    assert roles() == []
    store.cloud.close()


def test_a_key_changes_neither_its_owner_nor_its_project(store: Store) -> None:
    """CVE-2020-12691: what is made stays, and there is no other door to it"""
    alice, bob = store.cloud.users["alice"], store.cloud.users["bob"]
    token, body = store.token("alice"), {"tenant_id": alice.default_project_id}
    own = f"/v3/users/{alice.id}/credentials/OS-EC2"
    made = send(store.app, "POST", own, token=token, body=body).json["credential"]
    changes = {"credential": {"user_id": bob.id, "project_id": bob.default_project_id, "type": "ec2"}}
    for method in ("PATCH", "PUT"):
        for path in (f"{own}/{made['access']}", f"/v3/credentials/{made['access']}"):
            assert send(store.app, method, path, token=token, body=changes).status_int in (404, 405)
    for extra in ({"user_id": bob.id}, {"access": "mine"}, {"secret": "mine"}):
        assert send(store.app, "POST", own, token=token, body={**body, **extra}).status_int == 400
    shown = send(store.app, "GET", f"{own}/{made['access']}", token=token).json["credential"]
    assert shown == made
    send(store.app, "DELETE", f"{own}/{made['access']}", token=token)


def test_a_token_with_a_part_of_the_roles_makes_no_key() -> None:
    """CVE-2013-6391, CVE-2026-33551: a token of a reader's project, whatever its user may elsewhere"""
    store = Store()
    rita, pears = store.cloud.users["rita"], store.cloud.users["bob"].default_project_id
    with store.cloud.db.transaction() as tx:
        known = {role.name: role.id for role in grants.roles(tx)}
        grants.add(tx, user_id=rita.id, role_id=known["member"], project_id=pears)
    token, path = store.token("rita"), f"/v3/users/{rita.id}/credentials/OS-EC2"
    for project in (rita.default_project_id, pears):
        assert send(store.app, "POST", path, token=token, body={"tenant_id": project}).status_int == 403
    scope = {"project": {"id": pears}}
    asked = {**password_auth("rita")["auth"], "scope": scope}
    wider = send(store.app, "POST", "/v3/auth/tokens", body={"auth": asked}).headers["X-Subject-Token"]
    assert send(store.app, "POST", path, token=wider, body={"tenant_id": pears}).status_int == 201
    store.cloud.close()
