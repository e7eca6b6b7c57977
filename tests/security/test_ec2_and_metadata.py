# SPDX-License-Identifier: Apache-2.0
"""The two doors that speak no JSON, EC2 and the metadata service, against what is thrown at all doors."""

from __future__ import annotations

import dataclasses
import io
import logging
import re
import secrets
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from webob import Request, Response

from nova import errors
from nova.api.cloud import ApiSettings
from nova.api.policy import Policy
from nova.context import RequestContext
from nova.db.models.base import table_of
from nova.db.models.security_group import SecurityGroupRow
from nova.image.files import ImageFiles
from nova.image.local import LocalImages
from nova.image.protocol import NewImage
from tests.functional.ec2_cloud import HOST, PATH, SOURCE, Ec2Cloud, code_of
from tests.functional.metadata.test_metadata import FIRST, SECOND, Metadata
from tests.security.test_api_faults import INSIDES

MIB = 1024 * 1024
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def cloud() -> Iterator[Ec2Cloud]:
    made = Ec2Cloud()
    yield made
    made.close()


@pytest.fixture
def service() -> Iterator[Metadata]:
    made = Metadata()
    yield made
    made.cloud.close()


def on_file(directory: Path, **quotas: int) -> Ec2Cloud:
    """A cloud on a file, so that threads have transactions of their own."""
    settings = ApiSettings(default_quotas={**ApiSettings().default_quotas, **quotas})
    return Ec2Cloud(settings, url=f"sqlite:///{directory}/nova.sqlite")


def send(app: Any, path: str, body: bytes, *, source: str, method: str = "POST", **environ: str) -> Response:
    """A body as it is: only what *environ* says about it is said."""
    request = Request.blank(path, method=method, headers={"Host": HOST})
    request.environ.update({"REMOTE_ADDR": source, "CONTENT_TYPE": FORM, "wsgi.input": io.BytesIO(body), **environ})
    return request.get_response(app)


def test_a_huge_body_costs_ec2_and_metadata_no_memory(cloud: Ec2Cloud, service: Metadata) -> None:
    """OSSN-0002, CVE-2013-2014, CVE-2013-0270"""
    huge = bytes(200 * MIB)
    doors = (
        (cloud.ec2, PATH, SOURCE),
        (cloud.ec2, "/", SOURCE),
        (service.app, "/openstack/latest/password", FIRST),
        (service.app, "/latest/meta-data/", FIRST),
    )
    tracemalloc.start()
    for app, path, source in doors:
        for says in (
            {"CONTENT_LENGTH": str(len(huge))},
            {"HTTP_TRANSFER_ENCODING": "chunked"},
            {"CONTENT_LENGTH": "9"},
        ):
            answer = send(app, path, huge, source=source, **says)
            assert answer.status_int in (400, 403, 405, 413), (path, says)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * MIB


@pytest.mark.parametrize("path", ["/%0d%0aX-Evil:1", "/<script>alert(1)</script>", "//evil/%2F..", "/%5cevil"])
def test_ec2_and_metadata_echo_nothing_dangerous(cloud: Ec2Cloud, service: Metadata, path: str) -> None:
    """CVE-2014-3497, CVE-2021-3654"""
    calls = [
        cloud.send({}, path=path),
        cloud.send({**cloud.signed("DescribeRegions"), "Action": "<script>\r\nX-Evil: 1"}),
        cloud.ask("<script>alert(1)</script>"),
        cloud.ask("DescribeInstances", **{"<script>": "x"}),
        cloud.ask("DescribeInstances", InstanceId__1="<script>alert(1)</script>"),
        service.call(path),
        service.call(f"/openstack{path}"),
    ]
    for answer in calls:
        assert answer.status_int in (400, 403, 404)
        assert "X-Evil" not in answer.headers
        assert "Location" not in answer.headers
        assert "<script" not in answer.text
        assert answer.content_type in ("text/xml", "text/plain")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


HEADERS = ("X-User-Id", "X-Roles", "X-Project-Id", "X-Tenant-Id", "X-Is-Admin-Project", "Remote-User", "X-Remote-User")


def test_ec2_and_metadata_believe_no_identity_header(cloud: Ec2Cloud, service: Metadata) -> None:
    """CVE-2026-22797, OSSN-0006"""
    root = cloud.users["root"]
    claims = {**dict.fromkeys(HEADERS, "admin"), "X-User-Id": root.id, "X-Identity-Status": "Confirmed"}
    assert code_of(cloud.send({"Action": "DescribeRegions", "Version": "2016-11-15"}, headers=claims), status=403)
    cloud.good("RunInstances", ImageId="tiny")
    mine_only = cloud.ask("DescribeInstances")
    assert without_id(cloud.send(cloud.signed("DescribeInstances"), headers=claims)) == without_id(mine_only)
    assert without_id(cloud.ask("DescribeInstances", user="root")) != without_id(mine_only)
    mine = service.text("/latest/meta-data/instance-id")
    claims |= {"X-Instance-ID": service.bob, "X-Instance-ID-Signature": "0" * 64, "X-Tenant-ID": "pears"}
    assert service.call("/latest/meta-data/instance-id", **claims).text == mine
    assert service.call("/latest/meta-data/instance-id", source=SECOND).text != mine


@pytest.mark.parametrize("signature", ["", "0" * 63, "0" * 64, "é" * 64, "0" * 5000])
def test_a_signed_instance_id_opens_nothing(service: Metadata, signature: str) -> None:
    """CVE-2014-3517, CVE-2013-6419: there is no such proxy, so the headers say nothing"""
    claims = {"X-Instance-ID": service.bob, "X-Tenant-ID": "pears", "X-Instance-ID-Signature": signature}
    latin = {name: value.encode().decode("latin-1") for name, value in claims.items()}
    stranger = service.call("/openstack/latest/meta_data.json", source="10.0.0.99", **latin)
    assert (stranger.status_int, stranger.body) == (404, b"Not Found")
    assert service.bob not in service.call("/openstack/latest/meta_data.json", **latin).text


def test_a_database_that_is_away_is_told_to_ec2_without_our_insides(cloud: Ec2Cloud) -> None:
    """LP 874472"""
    asked = cloud.signed("DescribeInstances")

    def away(*_arguments: object, **_words: object) -> None:
        raise errors.Unavailable("The database is not available now.", detail="CANARY SELECT 1")

    cloud.db.transaction = cloud.db.run = away  # type: ignore[method-assign, assignment]
    answer = cloud.send(asked)
    assert code_of(answer, status=503) == "Unavailable"
    assert not [word for word in INSIDES if word in answer.text]


def test_what_the_operators_policy_forbids_is_forbidden_by_ec2_too(cloud: Ec2Cloud, tmp_path: Path) -> None:
    """CVE-2014-0167"""
    rules = tmp_path / "policy.yaml"
    forbidden = ("os-security-groups:rule:create", "os-keypairs:create", "servers:delete")
    rules.write_text("".join(f'"os_compute_api:{name}": "rule:admin_api"\n' for name in forbidden))
    cloud.good("DescribeSecurityGroups")
    root = cloud.good("RunInstances", ImageId="tiny")
    server = root.findtext("instancesSet/item/instanceId")
    cloud.cloud = dataclasses.replace(cloud.cloud, policy=Policy(str(rules)))
    cloud.deploy()
    rule: dict[str, Any] = {"GroupName": "default", "IpProtocol": "tcp", "FromPort": "1", "ToPort": "1"}
    for action, given in (
        ("AuthorizeSecurityGroupIngress", rule),
        ("CreateKeyPair", {"KeyName": "k"}),
        ("TerminateInstances", {"InstanceId__1": server}),
    ):
        assert cloud.code(action, status=403, **given) == "UnauthorizedOperation", action
    assert cloud.conductor.named("delete") == cloud.compute.named("delete") == []


def add_rule(cloud: Ec2Cloud, group: int, number: int) -> Response:
    """By the one API or the other."""
    port = number + 1
    if number % 2:
        given: dict[str, Any] = {"IpProtocol": "tcp", "FromPort": str(port), "ToPort": str(port)}
        return cloud.ask("AuthorizeSecurityGroupIngress", GroupName="default", **given)
    rule = {"parent_group_id": group, "ip_protocol": "tcp", "from_port": port, "to_port": port}
    return cloud.call("POST", "/os-security-group-rules", {"security_group_rule": rule}, who=cloud.who("alice"))


def at_once(work: Any, count: int) -> list[Response]:
    """The answers of *count* calls that run together."""
    found: list[Response] = []
    threads = [threading.Thread(target=lambda n=n: found.append(work(n))) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


def test_both_apis_at_once_end_at_one_quota_of_rules(tmp_path: Path) -> None:
    """CVE-2012-2101"""
    cloud = on_file(tmp_path, security_group_rules=20)
    cloud.good("DescribeSecurityGroups")
    groups = cloud.ok("GET", "/os-security-groups", who=cloud.who("alice"))["security_groups"]
    (group,) = [each["id"] for each in groups]
    answers = at_once(lambda number: add_rule(cloud, group, number), 40)
    assert sorted(answer.status_int for answer in answers) == [200] * 20 + [403] * 20
    refused = [answer.text for answer in answers if answer.status_int == 403 and answer.content_type == "text/xml"]
    assert all("RulesPerSecurityGroupLimitExceeded" in text for text in refused)
    shown = cloud.ok("GET", f"/os-security-groups/{group}", who=cloud.who("alice"))["security_group"]
    assert len(shown["rules"]) == 20
    cloud.close()


def test_groups_do_not_pass_their_quota_by_either_api(tmp_path: Path) -> None:
    """CVE-2012-2101"""
    cloud = on_file(tmp_path, security_groups=4)
    cloud.good("DescribeSecurityGroups")

    def add(number: int) -> Response:
        if number % 2:
            return cloud.ask("CreateSecurityGroup", GroupName=f"g{number}", GroupDescription="d")
        body = {"security_group": {"name": f"g{number}", "description": "d"}}
        return cloud.call("POST", "/os-security-groups", body, who=cloud.who("alice"))

    statuses = sorted(answer.status_int for answer in at_once(add, 12))
    assert statuses == [200] * 4 + [403] * 8
    with cloud.db.transaction(write=False) as tx:
        assert len(tx.execute(table_of(SecurityGroupRow).select()).all()) == 1 + 4
    cloud.close()


def test_a_private_flavor_of_others_is_booted_by_no_door(cloud: Ec2Cloud) -> None:
    """CVE-2013-4278"""
    flavor = {"name": "secret", "id": "7777", "ram": 512, "vcpus": 1, "disk": 1, "os-flavor-access:is_public": False}
    cloud.ok("POST", "/flavors", {"flavor": flavor}, who="admin:operations")
    for name in ("secret", "7777"):
        assert cloud.code("RunInstances", ImageId="tiny", InstanceType=name) == "InvalidParameterValue"
    absent = cloud.ask("RunInstances", ImageId="tiny", InstanceType="nowhere")
    hidden = cloud.ask("RunInstances", ImageId="tiny", InstanceType="secret")
    assert without_id(absent).replace("nowhere", "secret") == without_id(hidden)
    assert not cloud.conductor.named("build_instances")


def without_id(answer: Response) -> str:
    return re.sub("<request[iI][dD]>[^<]*|<RequestID>[^<]*", "", str(answer.text))


@pytest.fixture
def stored(cloud: Ec2Cloud, tmp_path: Path) -> tuple[Ec2Cloud, LocalImages]:
    """The cloud with images of its own, which have owners."""
    images = LocalImages(cloud.db, ImageFiles(tmp_path))
    cloud.cloud = dataclasses.replace(cloud.cloud, images=images)
    cloud.deploy()
    cloud.redeploy_compute()
    return cloud, images


def new_image(cloud: Ec2Cloud, images: LocalImages, user: str, **values: Any) -> str:
    owner = RequestContext(user_id=cloud.users[user].id, project_id=cloud.users[user].default_project_id)
    made = images.create(owner, NewImage(**{"disk_format": "raw", "container_format": "bare", **values}))
    images.upload(owner, made.id, [b"bytes"])
    return made.id


def test_a_private_image_of_others_is_booted_by_no_door(stored: tuple[Ec2Cloud, LocalImages]) -> None:
    """OSSN-0060"""
    cloud, images = stored
    theirs = new_image(cloud, images, "bob", name="theirs", visibility="private")
    kernel = new_image(cloud, images, "bob", name="kernel", disk_format="aki", container_format="aki")
    mine = new_image(cloud, images, "alice", name="mine", properties={"kernel_id": kernel})
    device = {"uuid": theirs, "source_type": "image", "destination_type": "local", "boot_index": 0}
    bodies: list[dict[str, Any]] = [
        {"imageRef": theirs},
        {"imageRef": mine},
        {"block_device_mapping_v2": [device]},
        {"imageRef": "", "block_device_mapping_v2": [{**device, "destination_type": "volume", "volume_size": 1}]},
    ]
    for keys in bodies:
        server = {"name": "w", "flavorRef": "1", **keys}
        answer = cloud.call("POST", "/servers", {"server": server}, who=cloud.who("alice"))
        assert answer.status_int in (400, 404), keys
        assert theirs not in str(cloud.conductor.taken)
    own = new_image(cloud, images, "alice", name="own")
    server_id = cloud.running(cloud.who("alice"), imageRef=own)
    rescue = {"rescue": {"rescue_image_ref": theirs}}
    assert cloud.call("POST", f"/servers/{server_id}/action", rescue, who=cloud.who("alice")).status_int in (400, 404)
    assert not cloud.compute.taken


def test_a_shared_image_is_listed_by_no_door_before_acceptance(stored: tuple[Ec2Cloud, LocalImages]) -> None:
    """OSSN-0005, CVE-2013-4354"""
    cloud, images = stored
    offered = new_image(cloud, images, "bob", name="offered", visibility="shared")
    bob = RequestContext(user_id=cloud.users["bob"].id, project_id=cloud.users["bob"].default_project_id)
    images.add_member(bob, offered, cloud.users["alice"].default_project_id)
    for path in ("/images", "/images/detail"):
        assert offered not in cloud.call("GET", path, who=cloud.who("alice"), version="2.1").text
    assert "offered" not in cloud.ask("DescribeImages").text
    assert cloud.call("GET", f"/images/{offered}", who=cloud.who("alice"), version="2.1").status_int == 200


def test_a_hundred_thousand_guessed_keys_cost_no_memory(cloud: Ec2Cloud, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    parameters = cloud.signed("DescribeRegions")

    def guess(count: int) -> None:
        for _ in range(count):
            source = f"198.51.{secrets.randbelow(256)}.{secrets.randbelow(256)}"
            cloud.send({**parameters, "AWSAccessKeyId": secrets.token_hex(8), "Signature": "x"}, source=source)

    guess(500)
    lockout = cloud_lockout(cloud)
    for _ in range(100_000):
        lockout.failed(secrets.token_hex(8), "")
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    guess(1000)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < MIB
    assert len(lockout) <= 10_000
    assert cloud.ask("DescribeRegions", user="bob").status_int == 200


def cloud_lockout(cloud: Ec2Cloud) -> Any:
    """The table of the deployed filter, found where the pipeline keeps it."""
    app = cloud.ec2._calls
    while not hasattr(app, "_signer"):
        app = app._app
    return app._signer._failures
