# SPDX-License-Identifier: Apache-2.0
"""Tokens of the identity API, over HTTP in process."""

from __future__ import annotations

import pytest

from tests.functional.cloud import SmallCloud, password_auth, token_auth


@pytest.fixture(scope="module")
def cloud() -> SmallCloud:
    return SmallCloud()


def test_a_password_gets_a_token_with_roles_and_catalog(cloud: SmallCloud) -> None:
    answer = cloud.call("POST", "/v3/auth/tokens", body=password_auth("alice", project="apples"))
    assert answer.status_int == 201
    token = answer.json["token"]
    assert token["project"]["name"] == "apples"
    assert [role["name"] for role in token["roles"]] == ["member"]
    urls = {service["type"]: service["endpoints"][0]["url"] for service in token["catalog"]}
    assert urls["compute"] == f"http://192.0.2.1:8774/v2.1/{token['project']['id']}"


def test_v2_tokens_have_a_catalog_with_public_urls(cloud: SmallCloud) -> None:
    asked = {"auth": {"passwordCredentials": {"username": "alice", "password": "alice-pw"}, "tenantName": "apples"}}
    access = cloud.call("POST", "/v2.0/tokens", body=asked).json["access"]
    assert access["token"]["tenant"]["name"] == "apples"
    assert {"compute", "volume", "image", "identity", "ec2"} <= {each["type"] for each in access["serviceCatalog"]}
    token = access["token"]["id"]
    tenants = cloud.call("GET", "/v2.0/tenants", token=token).json["tenants"]
    assert [tenant["name"] for tenant in tenants] == ["apples"]
    assert cloud.call("GET", f"/v2.0/tokens/{token}", token=token).json["access"]["user"]["name"] == "alice"


def test_a_token_is_shown_to_its_owner_and_to_services_only(cloud: SmallCloud) -> None:
    alice, bob, service = cloud.token("alice"), cloud.token("bob"), cloud.token("nova")
    subject = {"X-Subject-Token": alice}
    own = cloud.call("GET", "/v3/auth/tokens", token=alice, headers=subject)
    assert own.json["token"]["user"]["name"] == "alice"
    assert cloud.call("GET", "/v3/auth/tokens", token=service, headers=subject).status_int == 200
    assert cloud.call("GET", "/v3/auth/tokens", token=bob, headers=subject).status_int == 403
    assert cloud.call("HEAD", "/v3/auth/tokens", token=alice, headers=subject).status_int == 200


def test_an_unscoped_token_has_no_project_and_no_catalog(cloud: SmallCloud) -> None:
    asked = password_auth("alice")
    asked["auth"]["scope"] = "unscoped"
    token = cloud.call("POST", "/v3/auth/tokens", body=asked).json["token"]
    assert "project" not in token
    assert "catalog" not in token


def test_a_project_without_membership_is_refused_like_an_unknown_one(cloud: SmallCloud) -> None:
    foreign = cloud.call("POST", "/v3/auth/tokens", body=password_auth("alice", project="pears"))
    absent = cloud.call("POST", "/v3/auth/tokens", body=password_auth("alice", project="nowhere"))
    assert foreign.status_int == absent.status_int == 401
    assert foreign.json == absent.json


def test_a_domain_scope_is_for_administrators(cloud: SmallCloud) -> None:
    asked = password_auth("root")
    asked["auth"]["scope"] = {"domain": {"id": "default"}}
    token = cloud.call("POST", "/v3/auth/tokens", body=asked).json["token"]
    assert token["domain"]["id"] == "default"
    asked = password_auth("alice")
    asked["auth"]["scope"] = {"domain": {"id": "default"}}
    assert cloud.call("POST", "/v3/auth/tokens", body=asked).status_int == 401


def test_a_revoked_token_is_refused(cloud: SmallCloud) -> None:
    token = cloud.token("alice")
    assert cloud.call("DELETE", "/v3/auth/tokens", token=token, headers={"X-Subject-Token": token}).status_int == 204
    assert cloud.call("GET", "/v3/auth/projects", token=token).status_int == 401


def test_the_catalog_of_a_token_can_be_asked_for(cloud: SmallCloud) -> None:
    found = cloud.call("GET", "/v3/auth/catalog", token=cloud.token("alice")).json["catalog"]
    assert {"compute", "compute_legacy", "volumev3", "block-storage"} <= {service["type"] for service in found}


def test_a_token_is_exchanged_for_one_of_another_project(cloud: SmallCloud) -> None:
    root = cloud.token("root")
    scope = {"project": {"name": "apples", "domain": {"name": "Default"}}}
    answer = cloud.call("POST", "/v3/auth/tokens", body=token_auth(root, scope=scope))
    assert answer.json["token"]["project"]["name"] == "apples"
    assert answer.json["token"]["methods"] == ["password", "token"]
