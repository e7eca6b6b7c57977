# SPDX-License-Identifier: Apache-2.0
"""What clients read before anything else, and how versions are asked for."""

from __future__ import annotations

import pytest

from tests.functional.compute_cloud import ALICE, ComputeCloud


def test_the_root_lists_both_versions_without_a_token(cloud: ComputeCloud) -> None:
    listed = cloud.ok("GET", "/", base="", who="")["versions"]
    assert [(each["id"], each["status"], each["version"], each["min_version"]) for each in listed] == [
        ("v2.0", "SUPPORTED", "", ""),
        ("v2.1", "CURRENT", "2.35", "2.1"),
    ]
    assert listed[1]["links"] == [{"rel": "self", "href": "http://localhost/v2.1/"}]


@pytest.mark.parametrize("path", ["/v2.1", "/v2.1/"])
def test_the_document_of_v21_needs_neither_slash_nor_token(cloud: ComputeCloud, path: str) -> None:
    document = cloud.ok("GET", path, base="", who="")["version"]
    assert document["id"] == "v2.1"
    assert [link["rel"] for link in document["links"]] == ["self", "describedby"]
    assert document["media-types"][0]["type"].endswith("version=2.1")


@pytest.mark.parametrize("path", ["/v2", "/v2/", "/v1.1/"])
def test_older_endpoints_show_a_document_without_microversions(cloud: ComputeCloud, path: str) -> None:
    document = cloud.ok("GET", path, base="", who="")["version"]
    assert (document["id"], document["version"], document["min_version"]) == ("v2.0", "", "")


def test_the_endpoint_with_a_project_is_not_found_in_json(cloud: ComputeCloud) -> None:
    assert cloud.refused("GET", "/apples", status=404)


def test_a_path_without_a_version_gets_choices(cloud: ComputeCloud) -> None:
    choices = cloud.ok("GET", "/servers", base="", who="", status=300)["choices"]
    assert choices[1]["links"][0]["href"] == "http://localhost/v2.1/servers"


def test_the_version_that_was_used_is_echoed_in_both_headers(cloud: ComputeCloud) -> None:
    answer = cloud.call("GET", "/servers", version="latest")
    assert answer.headers["OpenStack-API-Version"] == "compute 2.35"
    assert answer.headers["X-OpenStack-Nova-API-Version"] == "2.35"
    assert "OpenStack-API-Version" in answer.headers["Vary"]


def test_a_version_above_the_highest_is_not_acceptable_and_is_echoed(cloud: ComputeCloud) -> None:
    answer = cloud.call("GET", "/servers", version="2.36")
    assert answer.status_int == 406
    assert answer.json["computeFault"]["code"] == 406
    assert "2.35" in answer.json["computeFault"]["message"]
    assert answer.headers["X-OpenStack-Nova-API-Version"] == "2.36"


def test_a_malformed_version_is_refused_without_an_echo(cloud: ComputeCloud) -> None:
    answer = cloud.call("GET", "/servers", version="two")
    assert answer.status_int == 400
    assert "OpenStack-API-Version" not in answer.headers


def test_the_older_endpoints_know_no_microversions(cloud: ComputeCloud) -> None:
    answer = cloud.call("GET", "/servers", version="2.99", base="/v2")
    assert answer.status_int == 200
    assert "OpenStack-API-Version" not in answer.headers


def test_every_answer_names_its_request_in_both_headers(cloud: ComputeCloud) -> None:
    for answer in (cloud.call("GET", "/servers"), cloud.call("GET", "/nothing"), cloud.call("GET", "/servers", who="")):
        assert answer.headers["X-Compute-Request-Id"].startswith("req-")
        assert answer.headers["X-Compute-Request-Id"] == answer.headers["X-Openstack-Request-Id"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_request_id_of_the_client_is_not_taken_over(cloud: ComputeCloud) -> None:
    theirs = "req-00000000-0000-4000-8000-000000000000"
    answer = cloud.call("GET", "/servers", headers={"X-Openstack-Request-Id": theirs})
    assert answer.headers["X-Compute-Request-Id"] != theirs


def test_without_a_token_everything_else_is_refused(cloud: ComputeCloud) -> None:
    assert cloud.call("GET", "/servers", who="").status_int == 401
    assert cloud.call("GET", "/nothing", who="").status_int == 401


def test_the_project_in_the_url_must_be_that_of_the_token(cloud: ComputeCloud) -> None:
    assert "apples" in cloud.refused("GET", "/pears/servers", status=400)
    assert cloud.call("GET", "/apples/servers").status_int == 200
    assert cloud.call("GET", "/servers").status_int == 200


def test_a_suffix_that_names_json_is_cut(cloud: ComputeCloud) -> None:
    assert cloud.call("GET", "/servers.json").status_int == 200


def test_identity_headers_of_the_client_count_for_nothing(cloud: ComputeCloud) -> None:
    headers = {"X-User-Id": "admin", "X-Roles": "admin", "X-Project-Id": "operations", "X-Is-Admin-Project": "True"}
    assert cloud.call("GET", "/os-services", headers=headers).status_int == 403
    assert cloud.call("GET", "/os-services", who="", headers=headers).status_int == 401


def test_unknown_methods_are_refused(cloud: ComputeCloud) -> None:
    assert cloud.call("TRACE", "/servers").status_int == 405
    assert cloud.call("PATCH", "/servers").status_int == 404


def test_the_login_of_api_10_gives_a_token_and_an_address(cloud: ComputeCloud) -> None:
    headers = {"X-Auth-User": "alice", "X-Auth-Key": "key", "X-Auth-Project-Id": "apples"}
    answer = cloud.call("GET", "/", base="/v1.1", who="", headers=headers)
    assert answer.status_int == 204
    assert answer.headers["X-Auth-Token"] == ALICE
    assert answer.headers["X-Server-Management-Url"].endswith("/v1.1/apples")
