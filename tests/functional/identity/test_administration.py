# SPDX-License-Identifier: Apache-2.0
"""Users, projects, roles and keys of the identity API, over HTTP in process."""

from __future__ import annotations

import pytest

from tests.functional.cloud import SmallCloud, password_auth


@pytest.fixture
def cloud() -> SmallCloud:
    return SmallCloud()


def test_an_administrator_makes_a_user_who_logs_in(cloud: SmallCloud) -> None:
    root, project = cloud.token("root"), cloud.project_id("alice")
    made = cloud.call("POST", "/v3/users", token=root, body={"user": {"name": "carol", "password": "carol-pw"}})
    assert made.status_int == 201
    user = made.json["user"]
    assert "password" not in user
    role = cloud.call("GET", "/v3/roles?name=member", token=root).json["roles"][0]["id"]
    grant = f"/v3/projects/{project}/users/{user['id']}/roles/{role}"
    assert cloud.call("PUT", grant, token=root).status_int == 204
    assert cloud.call("HEAD", grant, token=root).status_int == 204
    assert cloud.call("POST", "/v3/auth/tokens", body=password_auth("carol", project="apples")).status_int == 201
    rows = cloud.call("GET", f"/v3/role_assignments?user.id={user['id']}&include_names=True", token=root).json
    assert [row["role"]["name"] for row in rows["role_assignments"]] == ["member"]


def test_a_user_is_renamed_disabled_and_removed(cloud: SmallCloud) -> None:
    root, bob = cloud.token("root"), f"/v3/users/{cloud.users['bob'].id}"
    assert cloud.call("PATCH", bob, token=root, body={"user": {"name": "robert"}}).json["user"]["name"] == "robert"
    cloud.call("PATCH", bob, token=root, body={"user": {"enabled": False}})
    refused = cloud.call("POST", "/v3/auth/tokens", body=password_auth("robert", password="bob-pw"))
    assert refused.status_int == 401
    assert cloud.call("DELETE", bob, token=root).status_int == 204
    assert cloud.call("GET", bob, token=root).status_int == 404


def test_projects_are_made_changed_and_removed(cloud: SmallCloud) -> None:
    root = cloud.token("root")
    made = cloud.call("POST", "/v3/projects", token=root, body={"project": {"name": "plums"}}).json["project"]
    path = f"/v3/projects/{made['id']}"
    changed = cloud.call("PATCH", path, token=root, body={"project": {"description": "blue"}}).json["project"]
    assert changed["description"] == "blue"
    again = cloud.call("POST", "/v3/projects", token=root, body={"project": {"name": "plums"}})
    assert again.status_int == 409
    assert again.json["error"]["code"] == 409
    assert cloud.call("DELETE", path, token=root).status_int == 204
    assert cloud.call("GET", path, token=root).status_int == 404


def test_signing_keys_are_made_listed_and_removed(cloud: SmallCloud) -> None:
    token, user = cloud.token("alice"), cloud.users["alice"]
    path = f"/v3/users/{user.id}/credentials/OS-EC2"
    made = cloud.call("POST", path, token=token, body={"tenant_id": user.default_project_id})
    assert made.status_int == 201
    credential = made.json["credential"]
    assert cloud.call("GET", path, token=token).json["credentials"] == [credential]
    key = cloud.identity.signing_key(credential["access"])
    assert key is not None
    assert key.secret.reveal() == credential["secret"]
    assert key.caller.roles == ("member",)
    assert cloud.call("DELETE", f"{path}/{credential['access']}", token=token).status_int == 204
    assert cloud.identity.signing_key(credential["access"]) is None


def test_the_classic_key_works_for_each_project_of_the_user(cloud: SmallCloud) -> None:
    alice = cloud.users["alice"]
    by_name = cloud.identity.signing_key(f"{alice.access_key}:apples")
    plain = cloud.identity.signing_key(alice.access_key)
    assert by_name is not None
    assert plain is not None
    assert by_name.caller.project == plain.caller.project
    assert cloud.identity.signing_key(f"{alice.access_key}:pears") is None


def test_the_login_of_api_1_0_takes_the_access_key(cloud: SmallCloud) -> None:
    alice = cloud.users["alice"]
    headers = {"X-Auth-User": "alice", "X-Auth-Key": alice.access_key}
    answer = cloud.call("GET", "/", headers=headers)
    assert answer.status_int == 204
    assert cloud.call("GET", "/v3/auth/projects", token=answer.headers["X-Auth-Token"]).status_int == 200
    assert cloud.call("GET", "/", headers={**headers, "X-Auth-Key": "wrong"}).status_int == 401


def test_services_endpoints_and_regions_are_read_only(cloud: SmallCloud) -> None:
    root = cloud.token("root")
    services = cloud.call("GET", "/v3/services", token=root).json["services"]
    endpoints = cloud.call("GET", f"/v3/endpoints?service_id={services[0]['id']}", token=root).json["endpoints"]
    assert {row["interface"] for row in endpoints} == {"public", "internal", "admin"}
    assert "$(tenant_id)s" in endpoints[0]["url"]
    assert [row["id"] for row in cloud.call("GET", "/v3/regions", token=root).json["regions"]] == ["nova"]
    assert cloud.call("POST", "/v3/services", token=root, body={}).status_int == 404


def test_a_role_is_renamed_unless_the_rules_know_its_name(cloud: SmallCloud) -> None:
    root = cloud.token("root")
    made = cloud.call("POST", "/v3/roles", token=root, body={"role": {"name": "painter"}}).json["role"]
    path = f"/v3/roles/{made['id']}"
    changed = cloud.call("PATCH", path, token=root, body={"role": {"name": "brush", "description": "d"}})
    assert (changed.status_int, changed.json["role"]["name"]) == (200, "brush")
    assert cloud.call("PATCH", path, token=root, body={"role": {"name": "admin"}}).status_int == 409
    known = {role["name"]: role["id"] for role in cloud.call("GET", "/v3/roles", token=root).json["roles"]}
    assert "painter" not in known
    renamed = {"role": {"name": "nobody"}}
    assert cloud.call("PATCH", f"/v3/roles/{known['admin']}", token=root, body=renamed).status_int == 403
    assert cloud.call("PATCH", path, token=cloud.token("alice"), body=renamed).status_int == 403


def test_there_are_no_groups_of_users(cloud: SmallCloud) -> None:
    assert cloud.call("GET", "/v3/groups", token=cloud.token("root")).json["groups"] == []
    assert cloud.call("GET", "/v3/groups", token=cloud.token("alice")).status_int == 403


def test_versions_are_listed_with_300_and_shown_without_a_slash(cloud: SmallCloud) -> None:
    root = cloud.call("GET", "/")
    assert root.status_int == 300
    assert [row["id"] for row in root.json["versions"]["values"]] == ["v3.14", "v2.0"]
    for path in ("/v3", "/v3/"):
        assert cloud.call("GET", path).json["version"]["status"] == "stable"
