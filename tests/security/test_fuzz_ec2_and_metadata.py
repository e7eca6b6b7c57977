# SPDX-License-Identifier: Apache-2.0
"""Generated hostile requests at the doors that speak no JSON: every EC2 action, and the tree of the metadata service.

What holds for every answer is what test_fuzz_routes asks of the others: no 5xx but the announced ones, no long work, a
well-formed refusal with nothing of our inside, and a refused request has changed nothing.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import strategies as st
from webob import Request, Response

from nova.api.ec2.action import Ec2Action
from nova.api.ec2.actions import ACTIONS
from nova.api.ec2.parameters import Flag, Group, Many, Number
from tests.functional.ec2_cloud import HOST, PATH, SOURCE, Ec2Cloud, bare
from tests.functional.metadata.test_metadata import FIRST, Metadata
from tests.security import hostile_input
from tests.security.doors import Writes
from tests.security.test_fuzz_routes import ANNOUNCED, HEADERS, INSIDES, MAX_BUSY_S, hostile

TOO_LONG = 4000


class Signed:
    """An EC2 API with a server, a volume and a group in it, and a watch on what is written."""

    def __init__(self) -> None:
        self.cloud = Ec2Cloud()
        self.writes = Writes(self.cloud.db)
        self.cloud.good("DescribeSecurityGroups")
        self.cloud.good("RunInstances", ImageId="tiny")
        self.cloud.good("CreateVolume", Size="1", AvailabilityZone="nova")

    def send(self, environ: dict[str, Any], sent: object) -> Response:
        """One request; what must hold for its answer is checked."""
        full = dict(Request.blank(PATH).environ)
        full.update({"HTTP_HOST": HOST, "REMOTE_ADDR": SOURCE, **environ})
        before, started = self.writes.committed, time.thread_time()
        answer = Request(full).get_response(self.cloud.ec2)
        busy_s, changes = time.thread_time() - started, self.writes.committed - before
        shown = f"{sent!r:.400} -> {answer.status} {answer.body!r:.300}"
        assert answer.status_int < 500 or answer.status_int in ANNOUNCED, shown
        assert busy_s < MAX_BUSY_S, shown
        if answer.status_int >= 400:
            assert changes == 0, shown
            check_refusal(answer, shown)
        return answer


def check_refusal(answer: Response, shown: str) -> None:
    """A document of EC2, or the metadata service's line, and nothing of our inside."""
    assert len(answer.body) < 2000, shown
    assert not [word for word in INSIDES if word in answer.text], shown
    assert not [text for text in answer.headers.values() if "\r" in text or "\n" in text], shown
    assert answer.headers["X-Openstack-Request-Id"].startswith("req-"), shown
    if answer.content_type == "text/xml" and answer.body:
        root = bare(answer.body)
        assert root.findtext("Errors/Error/Code"), shown
        assert root.findtext("Errors/Error/Message"), shown
    else:
        assert answer.content_type in ("text/plain", "text/xml"), shown


@pytest.fixture(scope="module")
def ec2() -> Iterator[Signed]:
    made = Signed()
    yield made
    made.cloud.close()


@pytest.fixture(scope="module")
def service() -> Iterator[Metadata]:
    made = Metadata()
    yield made
    made.cloud.close()


GOOD = st.sampled_from(
    (
        *("i-00000001", "vol-00000001", "ami-00000001", "default", "m1.tiny", "nova", "tcp", "22", "1", "0.0.0.0/0"),
        *("k", "true", "false", "/dev/vdc", "tiny", "a"),
    )
)
WORDS = st.one_of(GOOD, GOOD, st.sampled_from(hostile_input.ODD_TEXTS), st.text(max_size=12))
NUMBERS = st.one_of(GOOD, st.sampled_from([str(each) for each in hostile_input.ODD_NUMBERS if abs(each) < 1e30]))


def leaves(parameters: Sequence[Any], prefix: str = "") -> list[tuple[str, st.SearchStrategy[str]]]:
    """A name for each text, number or flag that is declared, and what to put there."""
    found: list[tuple[str, st.SearchStrategy[str]]] = []
    for parameter in parameters:
        inner, path = parameter, f"{prefix}{parameter.name}"
        if isinstance(parameter, Many):
            inner, path = parameter._of, f"{path}.1"
        if isinstance(inner, Group):
            found += leaves(inner.parts, f"{path}.")
        else:
            found.append((path, NUMBERS if isinstance(inner, (Number, Flag)) else WORDS))
    return found


@st.composite
def calls(draw: st.DrawFn, action: Ec2Action) -> dict[str, str]:
    """Parameters near what *action* takes, their names spoiled now and then."""
    required = [name for name, _ in leaves([each for each in action.parameters if each.required])]
    given: dict[str, str] = {}
    for name, values in leaves(action.parameters):
        if name in required or draw(st.integers(0, 2)) == 0:
            given[name] = draw(values)
    if draw(st.integers(0, 3)) == 0:
        base = draw(st.sampled_from(sorted(given) or ["InstanceId.1"]))
        ways = (f"{base}.1", base.partition(".")[0], f"{base}.x", base.lower(), f".{base}", f"{base}.{'9' * 20}")
        odd = draw(st.one_of(st.sampled_from(ways), st.text(max_size=8)))
        given[odd] = draw(WORDS)
    return {name: value for name, value in given.items() if is_text(name + value) and len(value) < TOO_LONG}


def is_text(text: str) -> bool:
    """Whether a client can send it at all; other bytes come in the test of raw requests."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_signed_calls_near_what_an_action_takes(ec2: Signed, action: Ec2Action) -> None:
    def attack(given: dict[str, str]) -> None:
        signed = ec2.cloud.signed(action.name, method="POST", **given)
        text = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in signed.items())
        ec2.send(posted(text.encode()), given)

    hostile(20, given=calls(action))(attack)()


def posted(body: bytes, **more: Any) -> dict[str, Any]:
    form = "application/x-www-form-urlencoded"
    return {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": form,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **more,
    }


PIECES = st.sampled_from(
    (
        *("Action=DescribeInstances", "Version=2016-11-15", "AWSAccessKeyId=x", "Signature=x", "SignatureVersion=2"),
        *("SignatureMethod=HmacSHA256", "Timestamp=2026-01-01T00:00:00Z", "X-Amz-Algorithm=AWS4-HMAC-SHA256", "=", "&"),
        *("X-Amz-Credential=a/20260101/r/s/aws4_request", "X-Amz-Signature=" + "0" * 64, "X-Amz-Date=20260101T000000Z"),
        *("%ff", "%00", "a=%ED%A0%80", "a" * 3000, "Expires=9999-99-99T99:99:99Z", "X-Amz-SignedHeaders=host"),
    )
)
TEXTS = st.lists(PIECES, max_size=8).map("&".join)
AUTHORIZATION = st.one_of(
    st.text(st.characters(max_codepoint=255), max_size=60),
    st.builds(
        "AWS4-HMAC-SHA256 Credential={}, SignedHeaders={}, Signature={}".format,
        st.sampled_from(("a/20260101/r/s/aws4_request", "/////", "a/99999999/r/s/aws4_request", "é/20260101/r/s/x")),
        st.sampled_from(("host;x-amz-date", "x-amz-date;host", "host;host", "", "host;x-amz-date;x-missing")),
        st.sampled_from(("0" * 64, "0" * 63, "é" * 64, "")),
    ),
)


def test_raw_requests_at_the_ec2_door(ec2: Signed) -> None:
    def attack(text: str, body: bytes, headers: dict[str, str], authorization: str, method: str) -> None:
        environ = posted(text.encode() or body) if method == "POST" else {"QUERY_STRING": text}
        named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
        latin = authorization.encode("utf-8", "replace").decode("latin-1")
        extra = {"HTTP_AUTHORIZATION": latin, "HTTP_X_AMZ_DATE": "20260101T000000Z"} if authorization else {}
        answer = ec2.send({**environ, "REQUEST_METHOD": method, **named, **extra}, (text, headers, authorization))
        assert answer.status_int >= 400

    hostile(
        300,
        text=TEXTS,
        body=hostile_input.garbage(),
        headers=HEADERS,
        authorization=st.one_of(st.just(""), AUTHORIZATION),
        method=st.sampled_from(("GET", "POST", "POST", "PUT", "TRACE", "HEAD", "G\xff")),
    )(attack)()


KNOWN_PARTS = st.sampled_from(
    (
        *("latest", "openstack", "ec2", "2009-04-04", "1.0", "meta-data", "user-data", "public-keys", "0", "0=mine"),
        *(
            "2013-10-17",
            "meta_data.json",
            "network_data.json",
            "password",
            "vendor_data.json",
            "user_data",
            "local-ipv4",
        ),
        *("block-device-mapping", "placement", "..", ".", "", "%2e%2e", "%2f", "%00", "%0d%0aX-Evil:1", "content"),
    )
)


def test_the_tree_of_the_metadata_service(service: Metadata) -> None:
    writes = Writes(service.cloud.db)

    def attack(parts: list[str], method: str, body: bytes, headers: dict[str, str], query: str) -> None:
        path = unquote_to_bytes("/" + "/".join(parts)).decode("latin-1")
        named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
        environ = {**Request.blank("/").environ, **posted(body), **named, "REQUEST_METHOD": method, "PATH_INFO": path}
        environ.update(REMOTE_ADDR=FIRST, QUERY_STRING=query)
        before, started = writes.committed, time.thread_time()
        answer = Request(environ).get_response(service.app)
        shown = f"{method} {path!r} {body!r:.100} -> {answer.status} {answer.body!r:.200}"
        assert time.thread_time() - started < MAX_BUSY_S, shown
        assert answer.status_int < 500 or answer.status_int in ANNOUNCED, shown
        assert service.bob not in answer.text
        if answer.status_int >= 400:
            assert writes.committed == before, shown
            check_refusal(answer, shown)

    hostile(
        400,
        parts=st.lists(st.one_of(KNOWN_PARTS, KNOWN_PARTS, hostile_input.ids()), max_size=6),
        method=st.sampled_from(("GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "TRACE")),
        body=hostile_input.garbage(),
        headers=HEADERS,
        query=hostile_input.queries(),
    )(attack)()


def test_after_all_that_both_doors_still_answer(ec2: Signed, service: Metadata) -> None:
    assert ec2.cloud.ask("DescribeInstances").status_int == 200
    assert service.call("/latest/meta-data/instance-id").status_int == 200
