# SPDX-License-Identifier: Apache-2.0
"""The client of a Glance, against small servers on loopback."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from nova import errors
from nova.context import RequestContext
from nova.image.remote import RemoteImages
from nova.neighbours.glance import GlanceClient, GlanceSettings, server_url
from nova.secret import Secret

Handler = Callable[[Any], tuple[int, dict[str, str], bytes]]
CONTEXT = RequestContext(project_id="p", auth_token=Secret("canary-token"))
DATA = b"image bytes"
IMAGE = {"id": "i", "status": "active", "size": len(DATA), "checksum": hashlib.md5(DATA).hexdigest()}


@contextlib.contextmanager
def serving(handle: Handler) -> Iterator[tuple[str, list[Any]]]:
    """The address of a server that answers as *handle* says, and the requests that came."""
    seen: list[Any] = []

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append((self.command, self.path, dict(self.headers)))
            status, headers, body = handle(self)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def an_image(request: Any) -> tuple[int, dict[str, str], bytes]:
    return (200, {}, DATA) if request.path.endswith("/file") else (200, {}, json.dumps(IMAGE).encode())


def images(*servers: str, **settings: Any) -> RemoteImages:
    return RemoteImages(GlanceClient(GlanceSettings(servers=servers, **settings)))


def test_an_image_is_described_and_read_with_the_callers_token() -> None:
    with serving(an_image) as (url, seen):
        service = images(url)
        assert service.get(CONTEXT, "i").size_bytes == len(DATA)
        assert b"".join(service.read(CONTEXT, "i")) == DATA
    assert {headers["X-Auth-Token"] for _, _, headers in seen} == {"canary-token"}
    assert {headers["X-OpenStack-Request-ID"] for _, _, headers in seen} == {CONTEXT.request_id}


def test_other_bytes_than_described_are_refused() -> None:
    for data in (b"other bytes", b"short"):

        def wrong(request: Any, data: bytes = data) -> tuple[int, dict[str, str], bytes]:
            return (200, {}, data) if request.path.endswith("/file") else an_image(request)

        with serving(wrong) as (url, _), pytest.raises(errors.Unavailable):
            b"".join(images(url).read(CONTEXT, "i"))


def test_the_next_server_is_asked_when_one_fails() -> None:
    with serving(an_image) as (good, _), serving(lambda _: (503, {}, b"")) as (bad, _):
        service = images("127.0.0.1:1", bad, good)
        for _ in range(10):
            assert service.get(CONTEXT, "i").id == "i"


def test_a_service_that_is_away_is_named_with_host_and_port() -> None:
    with pytest.raises(errors.Unavailable, match=r"127\.0\.0\.1:1 does not answer"):
        images("127.0.0.1:1").get(CONTEXT, "i")


def test_a_redirect_carries_the_token_nowhere() -> None:
    with serving(an_image) as (other, seen):
        moved = {"Location": f"{other}/v2/images/i"}
        with serving(lambda _: (302, moved, b"")) as (url, _), pytest.raises(errors.Unavailable):
            images(url).get(CONTEXT, "i")
        assert seen == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.InvalidInput),
        (401, errors.Unavailable),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (413, errors.TooLarge),
        (500, errors.Unavailable),
    ],
)
def test_refusals_become_our_errors_without_the_services_words(status: int, kind: type[errors.NovaError]) -> None:
    words = b"store http://user:CANARY@10.0.0.1/"
    with serving(lambda _: (status, {}, words)) as (url, _), pytest.raises(kind) as caught:
        images(url).get(CONTEXT, "i")
    assert "CANARY" not in caught.value.message


def test_nonsense_is_not_taken_for_an_image() -> None:
    for body in (b"<html>", b"[]", b'{"id": 5}', b""):

        def nonsense(_: Any, body: bytes = body) -> tuple[int, dict[str, str], bytes]:
            return 200, {}, body

        with serving(nonsense) as (url, _), pytest.raises(errors.Unavailable):
            images(url).get(CONTEXT, "i")


def test_an_id_cannot_leave_its_place_in_the_path() -> None:
    with serving(an_image) as (url, seen):
        images(url).get(CONTEXT, "../../v3/users?x=1")
    assert seen[0][1] == "/v2/images/..%2F..%2Fv3%2Fusers%3Fx%3D1"


def test_addresses_are_read_in_all_forms_and_never_with_a_password() -> None:
    with pytest.raises(errors.InvalidConfiguration):
        images()
    for text, url in (
        ("glance", "http://glance:9292"),
        ("glance:80", "http://glance:80"),
        ("https://g", "https://g:443"),
        ("http://[::1]:9292/v2/", "http://[::1]:9292"),
    ):
        assert server_url(text) == url
    for text in ("ftp://g", "http://user:pw@g", "http://:80", "g:port"):
        with pytest.raises(errors.InvalidConfiguration):
            server_url(text)


def test_a_signed_caller_gets_a_token_from_the_one_who_is_asked() -> None:
    signed = RequestContext(project_id="p")
    with serving(an_image) as (url, seen):
        settings = GlanceSettings(servers=(url,))
        RemoteImages(GlanceClient(settings, token_of=lambda _: Secret("made"))).get(signed, "i")
        RemoteImages(GlanceClient(settings)).get(signed, "i")
    assert [headers.get("X-Auth-Token") for _, _, headers in seen] == ["made", None]
