# SPDX-License-Identifier: Apache-2.0
"""Holes that identity services had with tokens, each as an attack that must fail."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from sqlalchemy import select, update

from nova import errors
from nova.api.identity.routes import IDENTITY
from nova.api.routing import PUBLIC
from nova.db.models.identity import ProjectRow, TokenRow, UserRow
from nova.identity import administration
from nova.identity.builtin import BuiltinIdentity, IdentitySettings
from nova.identity.protocol import Scope
from nova.secret import Secret
from tests.functional.cloud import SmallCloud, cheap_hasher, new_database, password_auth, token_auth

OLD = datetime.datetime(2001, 1, 1)  # noqa: DTZ001 - as the database keeps it
PUBLIC_ROUTES = {"GET /", "GET /v3", "GET /v2.0", "POST /v3/auth/tokens", "POST /v2.0/tokens"}


@pytest.fixture
def cloud(tmp_path: Path) -> SmallCloud:
    return SmallCloud(store=tmp_path / "store")


def exchange(cloud: SmallCloud, token: str) -> tuple[str, str]:
    answer = cloud.call("POST", "/v3/auth/tokens", body=token_auth(token))
    assert answer.status_int == 201, answer.text
    return answer.headers["X-Subject-Token"], answer.json["token"]["expires_at"]


def status_at_each_door(cloud: SmallCloud, token: str) -> set[int]:
    service, subject = cloud.token("nova"), {"X-Subject-Token": token}
    return {
        cloud.call("GET", "/v3/auth/projects", token=token).status_int,
        cloud.call("GET", "/v3/auth/tokens", token=service, headers=subject).status_int,
        cloud.call("HEAD", "/v3/auth/tokens", token=service, headers=subject).status_int,
        cloud.call("GET", f"/v2.0/tokens/{token}", token=service).status_int,
        cloud.call("POST", "/v3/auth/tokens", body=token_auth(token)).status_int,
        cloud.call("POST", "/v2.0/tokens", body={"auth": {"token": {"id": token}}}).status_int,
        cloud.image("GET", "/v2/images", token=token).status_int,
    }


def expire(cloud: SmallCloud) -> None:
    with cloud.db.transaction() as tx:
        tx.execute(update(TokenRow).values(expires_at=OLD))


def test_a_token_for_a_build_that_goes_on_is_the_owners_and_holds_in_his_project_only(cloud: SmallCloud) -> None:
    alice = cloud.users["alice"]
    token = cloud.identity.token_for_owner(alice.id, alice.default_project_id)
    assert token is not None
    caller = cloud.identity.validate(token)
    assert (caller.user.id, caller.project and caller.project.id) == (alice.id, alice.default_project_id)
    with pytest.raises(errors.Forbidden, match="one project only"):
        cloud.identity.token_by_token(token, scope=Scope(unscoped=True))
    answer = cloud.call(
        "POST",
        f"/v3/users/{alice.id}/credentials/OS-EC2",
        token=token.reveal(),
        body={"tenant_id": alice.default_project_id},
    )
    assert answer.status_int == 403


@pytest.mark.parametrize("loss", ["user", "project", "place", "unknown"])
def test_nobody_who_lost_his_place_gets_a_token_for_a_build_that_goes_on(cloud: SmallCloud, loss: str) -> None:
    alice, project_id = cloud.users["alice"], cloud.users["alice"].default_project_id
    with cloud.db.transaction() as tx:
        if loss == "user":
            tx.execute(update(UserRow).where(UserRow.__table__.c.id == alice.id).values(enabled=False))
        elif loss == "project":
            tx.execute(update(ProjectRow).where(ProjectRow.__table__.c.id == project_id).values(enabled=False))
        elif loss == "place":
            project_id = cloud.users["bob"].default_project_id
    user_id = "nobody" if loss == "unknown" else alice.id
    assert cloud.identity.token_for_owner(user_id, project_id) is None


def test_a_chain_of_exchanged_tokens_ends_when_the_first_does(cloud: SmallCloud) -> None:
    first = cloud.call("POST", "/v3/auth/tokens", body=password_auth("alice"))
    token, ends = first.headers["X-Subject-Token"], set()
    for _ in range(5):
        token, expires_at = exchange(cloud, token)
        ends.add(expires_at)
    assert ends == {first.json["token"]["expires_at"]}
    v2 = cloud.call("POST", "/v2.0/tokens", body={"auth": {"token": {"id": token}}}).json["access"]["token"]
    assert v2["expires"][:19] == first.json["token"]["expires_at"][:19]


def test_exchanged_tokens_fall_with_the_one_they_were_made_from(cloud: SmallCloud) -> None:
    first = cloud.token("alice")
    second, _ = exchange(cloud, first)
    third, _ = exchange(cloud, second)
    cloud.call("DELETE", "/v3/auth/tokens", token=first, headers={"X-Subject-Token": first})
    for token in (first, second, third):
        assert status_at_each_door(cloud, token) <= {401, 404}


def test_a_new_password_ends_all_tokens_at_once(cloud: SmallCloud) -> None:
    token, user = cloud.token("alice"), cloud.users["alice"].id
    change = {"user": {"password": "new-pw", "original_password": "alice-pw"}}
    assert cloud.call("POST", f"/v3/users/{user}/password", token=token, body=change).status_int == 204
    assert status_at_each_door(cloud, token) <= {401, 404}


def test_a_role_that_is_taken_away_is_missing_from_a_living_token(cloud: SmallCloud) -> None:
    root, alice, project = cloud.token("root"), cloud.users["alice"].id, cloud.project_id("alice")
    roles = {role["name"]: role["id"] for role in cloud.call("GET", "/v3/roles", token=root).json["roles"]}
    grant = f"/v3/projects/{project}/users/{alice}/roles/"
    cloud.call("PUT", grant + roles["admin"], token=root)
    token = cloud.token("alice")
    assert cloud.call("GET", "/v3/users", token=token).status_int == 200
    cloud.call("DELETE", grant + roles["admin"], token=root)
    assert cloud.call("GET", "/v3/users", token=token).status_int == 403
    cloud.call("DELETE", grant + roles["member"], token=root)
    assert cloud.call("GET", "/v3/auth/projects", token=token).status_int == 401


def test_a_disabled_project_has_no_tokens_and_old_ones_stay_dead(cloud: SmallCloud) -> None:
    root, token, path = cloud.token("root"), cloud.token("alice"), f"/v3/projects/{cloud.project_id('alice')}"
    cloud.call("PATCH", path, token=root, body={"project": {"enabled": False}})
    assert status_at_each_door(cloud, token) <= {401, 404}
    assert cloud.call("POST", "/v3/auth/tokens", body=password_auth("alice", project="apples")).status_int == 401
    cloud.call("PATCH", path, token=root, body={"project": {"enabled": True}})
    assert status_at_each_door(cloud, token) <= {401, 404}
    assert cloud.call("GET", "/v3/auth/projects", token=cloud.token("alice")).status_int == 200


def test_a_disabled_user_is_out_at_every_door(cloud: SmallCloud) -> None:
    root, token, user = cloud.token("root"), cloud.token("alice"), cloud.users["alice"]
    cloud.call("PATCH", f"/v3/users/{user.id}", token=root, body={"user": {"enabled": False}})
    assert status_at_each_door(cloud, token) <= {401, 404}
    assert cloud.identity.signing_key(user.access_key) is None
    headers = {"X-Auth-User": "alice", "X-Auth-Key": user.access_key}
    assert cloud.call("GET", "/", headers=headers).status_int == 401


def test_a_deleted_user_leaves_no_token_and_no_key(cloud: SmallCloud) -> None:
    root, token, user = cloud.token("root"), cloud.token("alice"), cloud.users["alice"]
    body = {"tenant_id": user.default_project_id}
    path = f"/v3/users/{user.id}/credentials/OS-EC2"
    access = cloud.call("POST", path, token=token, body=body).json["credential"]["access"]
    cloud.call("DELETE", f"/v3/users/{user.id}", token=root)
    assert status_at_each_door(cloud, token) <= {401, 404}
    assert cloud.identity.signing_key(access) is None
    assert cloud.identity.signing_key(user.access_key) is None


def test_an_expired_token_is_refused_at_every_door(cloud: SmallCloud) -> None:
    token = cloud.token("alice")
    expire(cloud)
    assert status_at_each_door(cloud, token) <= {401, 404}


def test_every_route_refuses_nobody_and_the_expired_and_admin_routes_refuse_members(cloud: SmallCloud) -> None:
    assert {route.name for route in IDENTITY if route.policy == PUBLIC} == PUBLIC_ROUTES
    expired = cloud.token("alice")
    expire(cloud)
    member = cloud.token("alice")
    admin_only = {"list_users", "create_user", "update_user", "delete_user", "list_projects", "create_project"}
    admin_only |= {"update_project", "delete_project", "list_roles", "manage_roles", "list_grants", "manage_grants"}
    for route in (route for route in IDENTITY if route.policy != PUBLIC):
        path = route.path
        for name in ("user_id", "project_id", "role_id", "token", "access", "service_id", "endpoint_id", "region_id"):
            path = path.replace(f"{{{name}}}", "0")
        assert cloud.call(route.method, path, body={}).status_int == 401, route.name
        assert cloud.call(route.method, path, body={}, token=expired).status_int == 401, route.name
        if route.policy.removeprefix("identity:") in admin_only | {"list_endpoints"}:
            assert cloud.call(route.method, path, body={}, token=member).status_int == 403, route.name


@pytest.mark.parametrize(
    "change", ["{} ".format, " {}".format, str.swapcase, "{}=".format, "{}\0".format, "{}\n".format]
)
def test_a_token_has_one_spelling_only(cloud: SmallCloud, change: object) -> None:
    token = cloud.token("alice")
    with pytest.raises(errors.Unauthenticated):
        cloud.identity.validate(Secret(change(token)))  # type: ignore[operator]


@pytest.mark.parametrize("text", ["ADMIN", "None", "null", "x" * 43, "é" * 43, "x" * 5000])
def test_there_is_no_magic_token(cloud: SmallCloud, text: str) -> None:
    headers = {"X-Auth-Token": text.encode().decode("latin-1")}
    assert cloud.call("GET", "/v3/users", headers=headers).status_int == 401


def test_tokens_are_stored_as_hashes(cloud: SmallCloud) -> None:
    token = cloud.token("alice")
    with cloud.db.transaction(write=False) as tx:
        rows = str(tx.execute(select(TokenRow.__table__)).all())
    assert token not in rows


def test_the_issue_time_never_changes_and_revocation_in_the_same_second_holds(cloud: SmallCloud) -> None:
    asked = {"auth": {"passwordCredentials": {"username": "alice", "password": "alice-pw"}, "tenantName": "apples"}}
    made = cloud.call("POST", "/v2.0/tokens", body=asked).json["access"]["token"]
    token = made["id"]
    shown = cloud.call("GET", "/v3/auth/tokens", token=token, headers={"X-Subject-Token": token}).json["token"]
    assert shown["issued_at"] == made["issued_at"]
    cloud.identity.revoke(Secret(token))
    assert status_at_each_door(cloud, token) <= {401, 404}
    assert cloud.call("GET", "/v3/auth/projects", token=cloud.token("alice")).status_int == 200


def test_a_validation_is_one_statement_however_many_were_revoked(cloud: SmallCloud) -> None:
    token = Secret(cloud.token("alice"))
    for _ in range(50):
        cloud.identity.revoke(cloud.identity.token_for(cloud.identity.validate(token)).value)
    with cloud.db.log.recording() as statements:
        cloud.identity.validate(token)
    assert len(statements) == 1


def test_a_revocation_in_one_process_holds_in_another(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'nova.sqlite'}"
    one = SmallCloud(db=new_database(url))
    other = BuiltinIdentity(new_database(url), hasher=cheap_hasher())
    token = Secret(one.token("alice"))
    assert other.validate(token).user.name == "alice"
    one.identity.revoke(token)
    with pytest.raises(errors.Unauthenticated):
        other.validate(token)


def test_exchanging_scoped_tokens_can_be_forbidden() -> None:
    cloud = SmallCloud(identity=IdentitySettings(allow_rescope_scoped_token=False))
    assert cloud.call("POST", "/v3/auth/tokens", body=token_auth(cloud.token("alice"))).status_int == 403


def test_each_method_counts_once_and_others_are_not_taken(cloud: SmallCloud) -> None:
    for methods in (["password"] * 2, ["password"] * 50, ["totp"], [], ["password", "token", "password"]):
        asked = password_auth("alice")
        asked["auth"]["identity"]["methods"] = methods
        assert cloud.call("POST", "/v3/auth/tokens", body=asked).status_int == 400


def test_two_methods_must_name_the_same_user(cloud: SmallCloud) -> None:
    asked = password_auth("alice")
    asked["auth"]["identity"]["methods"] = ["password", "token"]
    asked["auth"]["identity"]["token"] = {"id": cloud.token("bob")}
    assert cloud.call("POST", "/v3/auth/tokens", body=asked).status_int == 401


def test_trusts_and_delegations_are_not_offered(cloud: SmallCloud) -> None:
    root = cloud.token("root")
    for path in ("/v3/OS-TRUST/trusts", "/v3/OS-OAUTH1/request_token", "/v3/users/x/application_credentials"):
        assert cloud.call("POST", path, token=root, body={"trust": {}}).status_int == 404


@pytest.mark.parametrize("name", ["X-Roles", "X-User-Id", "X-Identity-Status", "X-Is-Admin-Project", "Remote-User"])
def test_identity_in_a_header_is_not_believed(cloud: SmallCloud, name: str) -> None:
    token = cloud.token("alice")
    assert cloud.call("GET", "/v3/users", headers={name: "admin"}).status_int == 401
    assert cloud.call("GET", "/v3/users", token=token, headers={name: "admin"}).status_int == 403


def test_removal_from_a_project_ends_its_tokens_and_keys(cloud: SmallCloud) -> None:
    token, user = cloud.token("alice"), cloud.users["alice"]
    key = f"{user.access_key}:apples"
    assert cloud.identity.signing_key(key) is not None

    def leave(tx: object) -> None:
        project = administration.find_project(tx, "apples")  # type: ignore[arg-type]
        administration.remove_member(tx, project, user)  # type: ignore[arg-type]

    cloud.db.run(leave)
    assert cloud.identity.signing_key(key) is None
    assert status_at_each_door(cloud, token) <= {401, 404}


def test_a_token_in_a_path_is_not_logged(cloud: SmallCloud, caplog: pytest.LogCaptureFixture) -> None:
    token = cloud.token("alice")
    with caplog.at_level("DEBUG"):
        assert cloud.call("GET", f"/v2.0/tokens/{token}", token=token).status_int == 200
        assert cloud.call("DELETE", f"/v2.0/tokens/{token}", token=token).status_int == 204
    assert "/v2.0/tokens/***" in caplog.text
    assert token not in caplog.text
