# SPDX-License-Identifier: Apache-2.0
"""Every route of every API against generated hostile requests, made from the route tables and their own schemas.

Whatever is sent: no 5xx but the announced ones, no long computation, a well-formed fault that names the wrong field and
nothing of our inside, and a refused request has changed nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from nova import errors
from nova.api import body as json_body
from nova.api.routing import Route
from nova.api.schema import Validator
from tests.security import hostile_input
from tests.security.doors import Door, Doors, Outcome

FACTOR = int(os.environ.get("FUZZ_FACTOR", "1"))
"""More examples, and others in each run, for a long search"""
ANNOUNCED = {501, 503}
MAX_BUSY_S = 2.0
INSIDES = (
    "Traceback",
    "sqlalchemy",
    "sqlite3",
    "psycopg2",
    'File "',
    "site-packages",
    "SELECT ",
    "INSERT INTO",
    "0x7f",
)
WHOLE = ("compute latest", "volume v3", "identity", "image")
"""Doors of which all routes are tried in all ways; of the others, those with a body"""
OTHERS = ("compute 2.1", "compute 2.19", "compute v2", "volume v1", "volume v2")
MAY_WRITE_WHEN_REFUSED = {
    "PUT /v2/images/{image_id}/file": "an upload is announced before its bytes are known, and taken back",
    "PUT /v2/images/{image_id}/stage": "the same",
}


def hostile(examples: int, **strategies: st.SearchStrategy[Any]) -> Any:
    """The same requests in every run; a failing one is made as small as possible."""
    fixed = settings(
        max_examples=examples * FACTOR,
        derandomize=FACTOR == 1,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    return lambda test: fixed(given(**strategies)(test))


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    made = Doors(tmp_path_factory.mktemp("doors"))
    yield made
    made.close()


def rows(*names: str, bodies: bool = False) -> list[Any]:
    """Door and route of every case."""
    tables = Doors.tables()
    return [
        pytest.param(name, route, id=f"{name} {route.name}")
        for name in names
        for route in tables[name].routes
        if route.covers(tables[name].version) and (route.bodies or not bodies)
    ]


def check(door: Door, route: Route, outcome: Outcome, sent: object = "") -> None:
    """What must hold for every answer."""
    shown = f"{route.name} {sent!r:.400} -> {outcome.status} {outcome.answer.body!r:.300}"
    assert outcome.status < 500 or outcome.status in ANNOUNCED, shown
    assert outcome.busy_s < MAX_BUSY_S, f"{outcome.busy_s} s: {shown}"
    if outcome.status < 400:
        return
    assert route.name in MAY_WRITE_WHEN_REFUSED or outcome.changes == 0, f"{outcome.changes} rows changed: {shown}"
    assert outcome.answer.content_type == "application/json", shown
    assert outcome.answer.headers["X-Openstack-Request-Id"].startswith("req-"), shown
    assert len(outcome.answer.body) < 2000, shown
    (fault,) = outcome.answer.json.values()
    assert fault["code"] == outcome.status, shown
    assert fault["message"], shown
    assert not [word for word in INSIDES if word in outcome.answer.text], shown
    assert not [text for text in outcome.answer.headers.values() if "\r" in text or "\n" in text], shown


def schema_of(door: Door, route: Route) -> dict[str, Any]:
    """The schema that holds for the door's version."""
    if door.table.legacy and route.legacy_body:
        return route.legacy_body
    held = [schema for since, schema in route.bodies if since <= door.table.version]
    return held[-1] if held and not door.table.legacy else route.bodies[0][1]


def breaks_schema(door: Door, route: Route, raw: bytes) -> bool:
    """Whether *raw* is good JSON that the route's schema refuses."""
    validator = Validator(schema_of(door, route))
    try:
        value = json_body.parse(raw)
    except errors.InvalidInput:
        return False
    if route.action and (not isinstance(value, dict) or list(value) != [route.action]):
        return False
    try:
        validator.check(validator.without_unknown(value) if door.table.legacy else value)
    except errors.InvalidInput:
        return True
    return False


def check_body(door: Door, route: Route, outcome: Outcome, raw: bytes) -> None:
    """An unreadable body and one that breaks the schema are 400, and a broken field is named."""
    check(door, route, outcome, raw)
    if breaks_schema(door, route, raw):
        (fault,) = outcome.answer.json.values()
        assert outcome.status == 400, f"{route.name} {raw!r:.300} -> {outcome.status}"
        assert fault["message"].startswith("Invalid input for "), fault


@pytest.mark.parametrize(("name", "route"), rows(*WHOLE, *OTHERS, bodies=True))
def test_bodies_near_the_schema(doors: Doors, name: str, route: Route) -> None:
    door = doors.all[name]
    path = door.path(route, door.things(route))

    @hostile(40 if name in WHOLE else 12, raw=hostile_input.bodies(schema_of(door, route)))
    def attack(raw: bytes) -> None:
        outcome = door.send(route.method, path, raw)
        if route.raw_body:
            check(door, route, outcome, raw)
        else:
            check_body(door, route, outcome, raw)

    attack()


@pytest.mark.parametrize(("name", "route"), rows(*WHOLE))
def test_odd_ids_and_queries(doors: Doors, name: str, route: Route) -> None:
    door = doors.all[name]
    good = door.things(route)
    body = json.dumps({route.action: None}).encode() if route.action else b"{}"
    data = body if route.method in ("POST", "PUT", "PATCH") else None
    variables = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]

    def attack(values: list[str], query: str) -> None:
        path = door.path(route, {**good, **dict(zip(variables, values, strict=True))})
        check(door, route, door.send(route.method, path, data, query=query), (path, query))

    parts = st.tuples(*(hostile_input.ids() for _ in variables)).map(list)
    real = st.just([good.get(name, "1") for name in variables])
    values = st.one_of(parts, real) if variables and route.method == "GET" else parts
    hostile(25, values=values, query=hostile_input.queries())(attack)()


@pytest.mark.parametrize(("name", "route"), [each for each in rows(*WHOLE) if each.values[1].method != "GET"])
def test_bodies_that_lie_about_what_they_are(doors: Doors, name: str, route: Route) -> None:
    door = doors.all[name]
    path = door.path(route, door.things(route))
    large = b'{"a": "' + b"x" * 300_000 + b'"}'
    for length in ("-1", "+2", "0x2", " 2", "2, 2", "9" * 30, "٣", "2.0"):
        outcome = door.send(route.method, path, b"{}", length=length)
        check(door, route, outcome, length)
        assert outcome.status in (400, 413), (route.name, length, outcome.answer.text)
    both = door.send(route.method, path, b"{}", headers={"Transfer-Encoding": "chunked"})
    assert both.status == 400, route.name
    for options in ({}, {"chunked": True}, {"length": "2"}, {"length": "200000000"}):
        check(door, route, door.send(route.method, path, large, **options), options)  # type: ignore[arg-type]
    for media in hostile_input.MEDIA_TYPES:
        check(door, route, door.send(route.method, path, b'{"a": 1}', headers={"Content-Type": media}), media)
    for coding in ("gzip", "deflate", "x"):
        assert door.send(route.method, path, b"{}", headers={"Content-Encoding": coding}).status == 415


HEADERS = st.dictionaries(
    st.sampled_from(
        (
            *("X-Auth-Token", "X-Subject-Token", "OpenStack-API-Version", "X-OpenStack-Nova-API-Version", "Host"),
            *("Accept", "X-Forwarded-For", "X-OpenStack-Request-ID", "Range", "If-Match", "X-Auth-User", "X-Auth-Key"),
            *("Cookie", "X-Roles", "X-User-Id", "X-Project-Id", "X-HTTP-Method-Override", "Forwarded", "Origin"),
        )
    ),
    st.one_of(
        st.sampled_from(
            ("", "compute 9.9", "compute latest", "2.99999999999999999999", "a" * 9000, "req-x", "\xff\xfe")
        ),
        st.text(st.characters(max_codepoint=255), max_size=20),
    ),
    max_size=4,
)


@pytest.mark.parametrize("name", WHOLE)
def test_odd_headers_and_methods(doors: Doors, name: str) -> None:
    door = doors.all[name]
    chosen = [route for route in door.table.routes if route.method == "GET" and route.covers(door.table.version)]

    def attack(route: Route, method: str, headers: dict[str, str]) -> None:
        outcome = door.send(method, door.path(route, {}), headers=headers)
        if method in ("GET", "HEAD") or outcome.status >= 500:
            check_head(outcome) if method == "HEAD" else check(door, route, outcome, headers)
        echoed = outcome.answer.headers["X-Openstack-Request-Id"]
        assert echoed != headers.get("X-OpenStack-Request-ID"), echoed

    methods = st.sampled_from(("GET", "GET", "HEAD", "TRACE", "OPTIONS", "CONNECT", "PROPFIND", "get", "G\xff"))
    hostile(200, route=st.sampled_from(chosen), method=methods, headers=HEADERS)(attack)()


def check_head(outcome: Outcome) -> None:
    """An answer without a body."""
    assert outcome.status < 500 or outcome.status in ANNOUNCED
    assert outcome.answer.body == b""


def test_after_all_that_every_door_still_answers(doors: Doors) -> None:
    assert doors.all["compute latest"].send("GET", "/v2.1/servers").status == 200
    assert doors.all["volume v3"].send("GET", "/v3/volumes/detail").status == 200
    assert doors.all["identity"].send("GET", "/v3/users").status == 200
    assert doors.all["image"].send("GET", "/v2/images").status == 200
