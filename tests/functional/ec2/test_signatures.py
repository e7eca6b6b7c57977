# SPDX-License-Identifier: Apache-2.0
"""Who may call: every way to sign, and every way to abuse a signature."""

from __future__ import annotations

import dataclasses
import datetime
import logging
from collections.abc import Callable
from typing import Any

import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from webob import Request, Response

from nova.api.cloud import ApiSettings
from nova.api.ec2.authentication import SignatureAuth
from nova.api.ec2.faults import ec2_shape
from nova.api.ec2.settings import Ec2Settings
from nova.api.ec2.signer import REFUSED
from nova.api.middleware.faults import Faults
from nova.context import RequestContext
from nova.db.identity import grants, projects, users
from nova.identity.lockout import LockoutSettings
from nova.secret import Secret
from nova.system import clock
from tests.functional.ec2_cloud import HOST, PATH, SOURCE, Ec2Cloud, code_of, stamp, v4_headers

BODY = "Action=DescribeRegions&Version=2016-11-15"
URL = f"http://{HOST}{PATH}"
Change = Callable[[dict[str, str]], dict[str, str]]


def post(cloud: Ec2Cloud, body: str, headers: dict[str, str], *, path: str = PATH, source: str = SOURCE) -> Response:
    request = Request.blank(path, method="POST")
    request.body = body.encode()
    request.remote_addr = source
    request.headers.update(headers)
    return request.get_response(cloud.ec2)


def signed_v4(cloud: Ec2Cloud, body: str = BODY, **options: str) -> dict[str, str]:
    return v4_headers(cloud.access(), cloud.secret(), body=body, **options)


def refused(answer: Response) -> bool:
    return code_of(answer, status=403) == "AuthFailure" and REFUSED in answer.text


def with_settings(**values: Any) -> Ec2Cloud:
    return Ec2Cloud(ApiSettings(ec2=Ec2Settings(**values)))


def test_version_2_by_get_and_by_post(cloud: Ec2Cloud) -> None:
    assert cloud.ask("DescribeRegions").status_int == 200
    parameters = cloud.signed("DescribeRegions", method="POST")
    assert cloud.send(parameters, method="POST").status_int == 200
    assert refused(cloud.send(parameters, method="GET"))


@pytest.mark.parametrize("method", ["HmacSHA256", "HmacSHA1"])
def test_both_digests_of_version_2(cloud: Ec2Cloud, method: str) -> None:
    assert cloud.ask("DescribeRegions", SignatureMethod=method).status_int == 200


def test_version_4_in_headers(cloud: Ec2Cloud) -> None:
    assert post(cloud, BODY, signed_v4(cloud)).status_int == 200


def test_all_three_paths_are_served_each_with_its_own_signature(cloud: Ec2Cloud) -> None:
    for path in ("/", "/services/Cloud", "/services/Cloud/"):
        headers = signed_v4(cloud, url=f"http://{HOST}{path}")
        assert post(cloud, BODY, headers, path=path).status_int == 200
        other = "/" if path != "/" else PATH
        assert refused(post(cloud, BODY, headers, path=other))


def presigned(cloud: Ec2Cloud, *, expires: int = 60, url: str = f"{URL}?{BODY}") -> str:
    request = AWSRequest(method="GET", url=url, headers={"Host": HOST})
    SigV4QueryAuth(Credentials(cloud.access(), cloud.secret().reveal()), "ec2", "nova", expires=expires).add_auth(
        request
    )
    return str(request.url)


def get(cloud: Ec2Cloud, url: str, **headers: str) -> Response:
    request = Request.blank(url.removeprefix(f"http://{HOST}"))
    request.host = HOST
    request.remote_addr = SOURCE
    request.headers.update(headers)
    return request.get_response(cloud.ec2)


def test_version_4_in_the_query(cloud: Ec2Cloud) -> None:
    url = presigned(cloud)
    assert get(cloud, url).status_int == 200
    assert refused(get(cloud, url.replace("DescribeRegions", "DescribeImages")))
    assert refused(get(cloud, url + "&ZoneName.1=x"))
    assert refused(get(cloud, url, Authorization="AWS4-HMAC-SHA256 x"))


def test_a_presigned_request_ends(cloud: Ec2Cloud) -> None:
    assert code_of(get(cloud, presigned(cloud, expires=0).replace("Expires=0", "Expires=")), status=403)
    assert code_of(get(cloud, presigned(cloud, expires=-1)), status=403) == "RequestExpired"


@pytest.mark.parametrize(
    ("name", "seconds", "status"),
    [
        ("Timestamp", -280, 200),
        ("Timestamp", 280, 200),
        ("Timestamp", -301, 403),
        ("Timestamp", 330, 403),
        ("Expires", 200, 200),
        ("Expires", -1, 403),
        ("Expires", 86400, 403),
    ],
)
def test_the_time_of_a_request_is_near_now(cloud: Ec2Cloud, name: str, seconds: int, status: int) -> None:
    answer = cloud.ask("DescribeRegions", **{name: stamp(seconds)})
    assert answer.status_int == status, answer.text


@pytest.mark.parametrize("text", ["2012-13-45", "2012-13-45T00:00:00Z", "", "now", "2026-01-01T00:00:00+00:00"])
def test_a_time_that_is_none_is_refused(cloud: Ec2Cloud, text: str) -> None:
    assert cloud.code("DescribeRegions", status=403, Timestamp=text) == "RequestExpired"


def test_a_fraction_of_a_second_is_read_and_two_times_are_none(cloud: Ec2Cloud) -> None:
    assert cloud.ask("DescribeRegions", Timestamp=stamp().replace("Z", ".123Z")).status_int == 200
    assert cloud.code("DescribeRegions", status=403, Timestamp=stamp(), Expires=stamp(100)) == "RequestExpired"


def test_a_request_without_a_time_is_refused(cloud: Ec2Cloud) -> None:
    parameters = cloud.signed("DescribeRegions", Expires=stamp(100))
    del parameters["Expires"]
    assert code_of(cloud.send(parameters), status=403) == "RequestExpired"


@pytest.mark.parametrize("seconds", [-400, 400])
def test_an_old_or_early_signature_of_version_4_is_refused(cloud: Ec2Cloud, seconds: int) -> None:
    now = clock.utc_now() + datetime.timedelta(seconds=seconds)
    app = Faults(SignatureAuth(cloud.ec2, cloud=cloud.cloud, now=lambda: now), shape=ec2_shape)
    request = Request.blank(PATH, method="POST", headers=signed_v4(cloud))
    request.body = BODY.encode()
    request.remote_addr = SOURCE
    request.environ["nova.request_id"] = "req-1"
    assert code_of(request.get_response(app), status=403) == "RequestExpired"


def without(name: str) -> Change:
    return lambda given: {key: value for key, value in given.items() if key != name}


def changed(name: str, value: str) -> Change:
    return lambda given: {**given, name: value}


@pytest.mark.parametrize(
    "change",
    [
        without("Signature"),
        without("AWSAccessKeyId"),
        without("SignatureVersion"),
        changed("Signature", ""),
        changed("Signature", "x" * 44),
        changed("Signature", "é" * 44),
        changed("Signature", "A" * 5000),
        changed("Action", "TerminateInstances"),
        changed("Version", "2011-01-01"),
        changed("ZoneName.1", "nova"),
        changed("AWSAccessKeyId", "nobody"),
        changed("AWSAccessKeyId", "nobody:nowhere"),
        changed("AWSAccessKeyId", "x" * 600),
        changed("SignatureMethod", "HmacSHA1"),
        changed("SignatureMethod", "none"),
        changed("SignatureVersion", "1"),
        changed("SignatureVersion", "0"),
        changed("SignatureVersion", "3"),
        changed("SignatureVersion", "4"),
    ],
)
def test_every_forgery_gets_the_same_answer(cloud: Ec2Cloud, change: Change) -> None:
    assert refused(cloud.send(change(cloud.signed("DescribeRegions"))))


@pytest.mark.parametrize("version", ["0", "1"])
def test_old_versions_are_off_unless_turned_on(cloud: Ec2Cloud, version: str, caplog: pytest.LogCaptureFixture) -> None:
    assert refused(cloud.ask("DescribeRegions", SignatureVersion=version))
    with caplog.at_level(logging.WARNING, logger="nova.api.ec2.authentication"):
        open_cloud = with_settings(signature_versions=("0", "1", "2", "4"))
    assert "versions 0 and 1 are on" in caplog.text
    assert open_cloud.ask("DescribeRegions", SignatureVersion=version).status_int == 200
    open_cloud.close()


def test_a_version_that_is_turned_off_is_refused() -> None:
    cloud = with_settings(signature_versions=("2",))
    assert refused(post(cloud, BODY, signed_v4(cloud)))
    assert cloud.ask("DescribeRegions").status_int == 200
    cloud.close()


def test_the_signed_body_is_the_one_that_is_executed(cloud: Ec2Cloud) -> None:
    headers = signed_v4(cloud)
    assert refused(post(cloud, BODY.replace("Regions", "Images"), headers))
    assert refused(post(cloud, BODY + "&ZoneName.1=x", headers))
    lied = {**headers, "X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"}
    assert refused(post(cloud, BODY, lied))


def test_host_and_date_must_be_signed(cloud: Ec2Cloud) -> None:
    headers = signed_v4(cloud)
    for less in ("content-type;host", "content-type;x-amz-date", "host;x-amz-date;content-type", "host", ""):
        changed_header = headers["Authorization"].replace("content-type;host;x-amz-date", less)
        assert changed_header != headers["Authorization"]
        assert refused(post(cloud, BODY, {**headers, "Authorization": changed_header}))
    assert refused(post(cloud, BODY, {**headers, "Host": "other.example.org:8773"}))


@pytest.mark.parametrize(
    "value",
    [
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=a",
        "Basic YTpi",
        "AWS4-HMAC-SHA512 Credential=a/20260101/r/s/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + "0" * 64,
        "AWS4-HMAC-SHA256 Credential=" + "a" * 100_000,
        "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host;x-amz-date, Signature=" + "0" * 64,
    ],
)
def test_a_header_that_says_nothing(cloud: Ec2Cloud, value: str) -> None:
    assert refused(post(cloud, BODY, {**signed_v4(cloud), "Authorization": value}))


def test_two_signatures_in_one_request_are_none(cloud: Ec2Cloud) -> None:
    both = f"{BODY}&AWSAccessKeyId={cloud.access('root')}&Signature=x&SignatureVersion=2"
    assert refused(post(cloud, both, signed_v4(cloud, both)))


def test_a_parameter_that_is_there_twice_is_refused(cloud: Ec2Cloud) -> None:
    body = BODY + "&Action=TerminateInstances"
    assert code_of(post(cloud, body, signed_v4(cloud, body)), status=400) == "InvalidParameterCombination"


def test_query_and_body_are_not_mixed(cloud: Ec2Cloud) -> None:
    mixed = f"{PATH}?ZoneName.1=x"
    headers = signed_v4(cloud, url=f"http://{HOST}{mixed}")
    assert code_of(post(cloud, BODY, headers, path=mixed), status=400) == "InvalidRequest"
    request = Request.blank(f"{PATH}?{BODY}")
    request.body = b"Action=DescribeImages"
    assert code_of(request.get_response(cloud.ec2), status=400) == "InvalidRequest"


def test_no_answer_holds_a_secret_or_a_signature(cloud: Ec2Cloud, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    good = cloud.signed("DescribeRegions")
    answer = cloud.send({**good, "Signature": "wrong"})
    for text in (answer.text, caplog.text):
        assert cloud.secret().reveal() not in text
        assert good["Signature"] not in text


def test_known_and_unknown_keys_are_told_the_same(cloud: Ec2Cloud) -> None:
    answers = set()
    for access in (cloud.access(), "nobody", "nobody:x", cloud.access().partition(":")[0] + ":nowhere"):
        answer = cloud.send({**cloud.signed("DescribeRegions"), "AWSAccessKeyId": access, "Signature": "x"})
        answers.add((answer.status, answer.text.split("<RequestID>")[0]))
    assert len(answers) == 1


def test_a_removed_member_is_out_at_once(cloud: Ec2Cloud) -> None:
    apples = cloud.users["alice"].default_project_id
    bobs = f"{cloud.users['bob'].access_key}:{apples}"
    bob = cloud.users["bob"].id
    with cloud.db.transaction() as tx:
        (member,) = grants.roles(tx, name="member")
        grants.add(tx, user_id=bob, role_id=member.id, project_id=apples)
    assert cloud.ask("DescribeRegions", user="bob", AWSAccessKeyId=bobs).status_int == 200
    with cloud.db.transaction() as tx:
        grants.remove(tx, user_id=bob, role_id=member.id, project_id=apples)
    assert refused(cloud.ask("DescribeRegions", user="bob", AWSAccessKeyId=bobs))
    assert cloud.ask("DescribeRegions", user="bob").status_int == 200


def test_a_disabled_user_or_project_signs_nothing(cloud: Ec2Cloud) -> None:
    with cloud.db.transaction() as tx:
        project = projects.get(tx, cloud.users["bob"].default_project_id)
        projects.save(tx, dataclasses.replace(project, enabled=False), end_tokens=True)
        users.save(tx, dataclasses.replace(cloud.users["alice"], enabled=False), end_tokens=True)
    assert refused(cloud.ask("DescribeRegions", user="bob"))
    assert refused(cloud.ask("DescribeRegions", user="alice"))


def test_guessing_locks_the_key_for_that_source_only(cloud: Ec2Cloud) -> None:
    for _ in range(5):
        headers = v4_headers(cloud.access(), Secret("guess"), body=BODY)
        assert refused(post(cloud, BODY, headers))
    assert refused(post(cloud, BODY, signed_v4(cloud)))
    assert refused(cloud.ask("DescribeRegions"))
    assert post(cloud, BODY, signed_v4(cloud), source="203.0.113.9").status_int == 200
    assert cloud.ask("DescribeRegions", user="bob").status_int == 200


def test_a_locked_key_does_not_reach_the_store(cloud: Ec2Cloud) -> None:
    for _ in range(5):
        cloud.send({**cloud.signed("DescribeRegions"), "Signature": "x"})
    with cloud.db.log.recording() as statements:
        assert refused(cloud.ask("DescribeRegions"))
    assert not statements


def test_a_lockout_ends() -> None:
    cloud = with_settings(lockout=LockoutSettings(attempts=1, lock_s=0.0))
    cloud.send({**cloud.signed("DescribeRegions"), "Signature": "x"})
    assert cloud.ask("DescribeRegions").status_int == 200
    cloud.close()


def test_without_authentication_the_name_is_believed(cloud: Ec2Cloud) -> None:
    settings = dataclasses.replace(cloud.cloud.settings, auth_strategy="noauth")
    cloud.cloud = dataclasses.replace(cloud.cloud, settings=settings)
    cloud.deploy()
    parameters = {"Action": "DescribeRegions", "Version": "2016-11-15"}
    assert cloud.send({**parameters, "AWSAccessKeyId": "alice:apples"}).status_int == 200
    assert refused(cloud.send(parameters))


def test_other_paths_of_the_port_are_the_metadata_service(cloud: Ec2Cloud) -> None:
    for path in ("/", "/latest/meta-data/", "/openstack", "/services/Admin"):
        answer = cloud.send({}, path=path)
        assert (answer.status_int, answer.body) == (404, b"Not Found")


def test_hosts_may_fetch_the_image_in_the_name_of_whoever_launched(cloud: Ec2Cloud) -> None:
    told: list[RequestContext] = []
    cloud.conductor.__dict__["build_instances"] = lambda context, **_arguments: told.append(context)
    cloud.good("RunInstances", ImageId="tiny")
    (context,) = told
    assert context.auth_token is not None
    assert cloud.cloud.identity.validate(context.auth_token).user.name == "alice"
