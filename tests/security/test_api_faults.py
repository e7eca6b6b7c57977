# SPDX-License-Identifier: Apache-2.0
"""What goes wrong inside stays inside, at every door."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from webob import Request

from nova import errors
from nova.db import faults
from nova.domain.instance import Fault
from tests.security.doors import Doors

INSIDES = (
    "Traceback",
    "sqlalchemy",
    "sqlite",
    "SELECT",
    "/srv/",
    "nova/",
    ".py",
    "CANARY",
    "RuntimeError",
    "object at 0x",
)
PATHS = {
    "compute latest": "/v2.1/servers/detail",
    "compute v2": "/v2/servers",
    "volume v3": "/v3/volumes/detail",
    "identity": "/v3/users",
    "image": "/v2/images",
}


@pytest.fixture
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    made = Doors(tmp_path_factory.mktemp("doors"))
    logging.getLogger().setLevel(logging.DEBUG)
    yield made
    logging.getLogger().setLevel(logging.WARNING)
    made.close()


def crash(*_arguments: object, **_words: object) -> None:
    raise RuntimeError("CANARY in /srv/secret.py: SELECT 1")


@pytest.mark.parametrize("name", PATHS)
def test_a_defect_tells_the_client_nothing_but_its_request_id(doors: Doors, name: str) -> None:
    """OSSN-0046, LP 874472"""
    door, token = doors.all[name], doors.all[name].token()
    for db in (doors.compute.db, doors.small.db):
        db.transaction = db.run = crash  # type: ignore[method-assign, assignment]
    outcome = door.send("GET", PATHS[name], token=token)
    assert outcome.status == 500
    assert not [word for word in INSIDES if word in outcome.answer.text + str(outcome.answer.headers)]
    assert outcome.answer.headers["X-Openstack-Request-Id"].startswith("req-")
    assert outcome.answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", PATHS)
def test_a_database_that_is_away_is_a_plain_503(doors: Doors, name: str) -> None:
    """LP 874472"""
    door, token = doors.all[name], doors.all[name].token()

    def away(*_arguments: object, **_words: object) -> None:
        raise errors.Unavailable("The database is not available now.", detail="CANARY SELECT")

    for db in (doors.compute.db, doors.small.db):
        db.transaction = db.run = away  # type: ignore[method-assign, assignment]
    outcome = door.send("GET", PATHS[name], token=token)
    assert outcome.status == 503
    assert not [word for word in INSIDES if word in outcome.answer.text]


@pytest.mark.parametrize("app", ["ec2", "metadata"])
def test_ec2_and_metadata_tell_nothing_either(doors: Doors, app: str) -> None:
    """OSSN-0046, LP 874472"""
    doors.compute.db.transaction = doors.compute.db.run = crash  # type: ignore[method-assign, assignment]
    query = "?Action=DescribeInstances&Version=2016-11-15&AWSAccessKeyId=alice:apples" if app == "ec2" else ""
    request = Request.blank(f"/{query}" if app == "ec2" else "/latest/meta-data/instance-id")
    request.remote_addr = "10.0.0.4"
    answer = request.get_response(doors.apps[app])
    assert answer.status_int == 500
    assert not [word for word in INSIDES if word in answer.text]


def test_a_server_s_fault_shows_details_to_administrators_only(doors: Doors) -> None:
    """CVE-2019-14433"""
    cloud = doors.compute
    server = cloud.running(state="error")
    fault = Fault(code=500, message="InternalError", details="CANARY /srv/x.py host h1")
    with cloud.db.transaction() as tx:
        faults.add(tx, server, fault)
    assert "CANARY" not in cloud.call("GET", f"/servers/{server}").text
    assert "InternalError" in cloud.call("GET", f"/servers/{server}").text
    assert "CANARY" in cloud.call("GET", f"/servers/{server}", who="admin:operations").text


@pytest.mark.parametrize(
    "path", ["/%0d%0aX-Evil:1", "/<script>alert(1)</script>", "/v2.1/servers/%0d%0aX-Evil:1", "//evil/%2F.."]
)
def test_what_is_echoed_is_neither_a_header_nor_markup(doors: Doors, path: str) -> None:
    """CVE-2014-3497, CVE-2021-3654"""
    for name, door in doors.all.items():
        outcome = door.send("GET", path)
        assert "X-Evil" not in outcome.answer.headers, name
        assert outcome.status < 500, name
        assert outcome.answer.content_type == "application/json" or not outcome.answer.body, name
        assert outcome.answer.headers["X-Content-Type-Options"] == "nosniff", name


@pytest.mark.parametrize(
    "header", ["Remote-User", "X-Remote-User", "X-Roles", "X-User-Id", "X-Is-Admin-Project", "X-Project-Id"]
)
def test_an_identity_in_a_header_is_nobody(doors: Doors, header: str) -> None:
    """CVE-2026-22797, OSSN-0006"""
    for name, path in PATHS.items():
        outcome = doors.all[name].send(
            "GET", path, token="", headers={header: "admin", "X-Identity-Status": "Confirmed"}
        )
        assert outcome.status == 401, name
