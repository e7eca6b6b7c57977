# SPDX-License-Identifier: Apache-2.0
"""Documents that blow up, or that read a file of the host, sent to every route that takes a body."""

from __future__ import annotations

import logging
import socket
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from webob import Request

from nova.api.routing import Route
from tests.functional.ec2_cloud import HOST, PATH
from tests.security.doors import Doors
from tests.security.test_code_rules import files, imported, places

CANARY = "5a2f0c1b9e8d7a6f4b3c2d1e0f9a8b7c"
LEVELS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BOMB = f'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY l0 "lol">{LEVELS}]><server name="&l9;">&l9;</server>'.encode()
MEDIA = ("application/xml", "text/xml", "application/json", "")
KEEPS_ANY_BYTES = {"PUT /v2/images/{image_id}/file", "PUT /v2/images/{image_id}/stage"}
"""Images are bytes: what is in them is looked at by the inspector of images only"""


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    made = Doors(tmp_path_factory.mktemp("doors"))
    yield made
    made.close()


def takers(doors: Doors) -> list[tuple[str, Route]]:
    """Door and route of everything that takes a body."""
    found = []
    for name, door in doors.all.items():
        rows = [route for route in door.table.routes if route.covers(door.table.version)]
        found += [(name, row) for row in rows if row.method in ("POST", "PUT", "PATCH")]
    return [(name, row) for name, row in found if row.name not in KEEPS_ANY_BYTES]


def refusals(route: Route) -> set[int]:
    """501: what this cloud does not do; 404: what looks for the thing first, and at the body later or never."""
    return {400, 415, 501, 404} if route.raw_body else {400, 415}


def test_a_bomb_is_refused_by_every_route(doors: Doors) -> None:
    """CVE-2013-1664, CVE-2013-4179, CVE-2013-4202"""
    doors.all["identity"].token()
    tracemalloc.start()
    chosen = takers(doors)
    for name, route in chosen:
        door = doors.all[name]
        for media in MEDIA:
            outcome = door.send(route.method, door.path(route, {}), BOMB, headers={"Content-Type": media})
            assert outcome.status in refusals(route), f"{name} {route.name} {media}: {outcome.status}"
            assert outcome.busy_s < 1, route.name
            assert outcome.changes == 0, route.name
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(chosen) > 150
    assert peak < 20 * 1024 * 1024


def test_an_entity_reads_no_file_and_calls_no_socket(
    doors: Doors, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """CVE-2013-1665"""
    caplog.set_level(logging.DEBUG)
    secret = tmp_path / "canary"
    secret.write_text(CANARY)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        place = f"http://127.0.0.1:{listener.getsockname()[1]}/x.dtd"
        bodies = [
            f'<!DOCTYPE s [<!ENTITY x SYSTEM "file://{secret}">]><server name="&x;">&x;</server>',
            f'<!DOCTYPE s [<!ENTITY % p SYSTEM "{place}">%p;]><server name="a"/>',
            f'<!DOCTYPE s SYSTEM "{place}"><server name="a"/>',
            f'<s xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file://{secret}" parse="text"/></s>',
        ]
        texts = list(answers(doors, bodies))
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert len(texts) > 600
    assert not [text for text in texts if CANARY in text]
    assert CANARY not in caplog.text


def answers(doors: Doors, bodies: list[str]) -> Iterator[str]:
    for text in bodies:
        for name, route in takers(doors):
            door = doors.all[name]
            headers = {"Content-Type": "application/xml"}
            outcome = door.send(route.method, door.path(route, {}), text.encode(), headers=headers)
            assert outcome.status in refusals(route), f"{name} {route.name}: {outcome.status}"
            yield outcome.answer.text
        for media in ("text/xml", "application/x-www-form-urlencoded"):
            answer = ec2(doors, text.encode(), media)
            assert answer.status_int in (400, 403)
            yield answer.text


def ec2(doors: Doors, body: bytes, media: str) -> Any:
    request = Request.blank(PATH, method="POST", headers={"Host": HOST, "Content-Type": media})
    request.body = body
    return request.get_response(doors.apps["ec2"])


def test_one_module_reads_xml() -> None:
    """CVE-2013-4179: there a document type is refused whatever it says"""
    libraries = {"xml", "lxml", "defusedxml", "xmltodict", "libxml2", "BeautifulSoup", "bs4", "html5lib"}
    assert files(places(lambda node: bool(libraries & set(imported(node))))) == {"nova/system/xml.py"}
