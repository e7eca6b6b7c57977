# SPDX-License-Identifier: Apache-2.0
"""Texts that PostgreSQL cannot hold (NUL, halves of surrogate pairs), through the APIs: a clear 4xx and no change."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nova.api.routing import Route
from tests.integration.databases import PostgreSql, postgresql
from tests.security import hostile_input
from tests.security.doors import Doors
from tests.security.test_fuzz_routes import check_body, hostile, rows, schema_of

__all__ = ["postgresql"]


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, postgresql: PostgreSql) -> Iterator[Doors]:
    urls = {"url": postgresql.fresh_url(), "identity_url": postgresql.fresh_url()}
    made = Doors(tmp_path_factory.mktemp("doors"), **urls)
    yield made
    made.close()


CASES = [
    case
    for case in rows("compute latest", "volume v3", "identity", "image", bodies=True)
    if not case.values[1].raw_body
]


@pytest.mark.parametrize(("name", "route"), CASES)
def test_bodies_near_the_schema(doors: Doors, name: str, route: Route) -> None:
    door = doors.all[name]
    path = door.path(route, door.things(route))

    @hostile(8, raw=hostile_input.bodies(schema_of(door, route)))
    def attack(raw: bytes) -> None:
        check_body(door, route, door.send(route.method, path, raw), raw)

    attack()


@pytest.mark.parametrize(
    "query", ["name=%00", "status=%ED%A0%80", "marker=%00", "name=%F0%9F%92%A9", "limit=99999999999999"]
)
def test_queries(doors: Doors, query: str) -> None:
    for name, path in (("compute latest", "/v2.1/servers"), ("volume v3", "/v3/volumes"), ("image", "/v2/images")):
        assert doors.all[name].send("GET", path, query=query).status in (200, 400, 404), (name, query)
