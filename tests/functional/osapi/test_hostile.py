# SPDX-License-Identifier: Apache-2.0
"""Every route of the compute API against hostile input, made from the route table: always a clear 4xx, never a 500."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest

from nova.api import routes
from nova.api.microversion import HIGHEST
from nova.api.policies import ALL_RULES
from nova.api.routing import PUBLIC, Route
from nova.api.schema import Validator
from nova.errors import InvalidInput
from tests.functional.compute_cloud import ADMIN, ALICE, BOB, ComputeCloud

ROUTES = [route for route in routes.COMPUTE if route.policy != PUBLIC]
WITH_BODY = [route for route in ROUTES if route.bodies and route.until == HIGHEST]
ODD_IDS = (
    "x",
    "0",
    "-1",
    "99999999999999999999",
    "%00",
    "%ff",
    "..%2f..%2fetc%2fpasswd",
    "a" * 5000,
    "%E2%80%AE",
    "1'--",
)
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 2**63 - 1, 1.5, "", "x", "\x00", "\ud7ff", "a" * 70_000, [], [[]], [None], {}),
    *({"a": {}}, {"": ""}, [{"a": 1}], "True", "10.0.0.1/33", "-0", "1e9", "٣"),
)


def named(route: Route) -> str:
    return route.name


def fill(route: Route, value: str) -> str:
    return re.sub(r"\{[a-z_]+\}", value, route.path)


def sample(schema: dict[str, Any]) -> Any:
    """Some value that fits a schema, more or less."""
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    kind = kind if isinstance(kind, str) else kind[0]
    if kind == "object":
        known = schema.get("properties", {})
        found = {key: sample(known[key]) for key in known if key in schema.get("required", known)}
        return found or ({"k": "b"} if schema.get("minProperties") else {})
    if kind == "array":
        return [sample(schema["items"])] if "items" in schema else []
    return {"integer": max(1, schema.get("minimum", 1)), "number": 1, "boolean": True, "null": None}.get(
        kind, "10.0.0.0/24"
    )


def broken(value: Any) -> Iterator[Any]:
    """*value* with an odd one in each place."""
    yield from ODD_VALUES
    if isinstance(value, dict):
        for key in value:
            for inner in broken(value[key]):
                yield {**value, key: inner}
            without = copy.copy(value)
            del without[key]
            yield without
        yield {**value, "unknown": 1}
    if isinstance(value, list) and value:
        for inner in broken(value[0]):
            yield [inner]


def check(cloud: ComputeCloud, route: Route, path: str, body: Any = None, *, who: str = ADMIN, **options: Any) -> int:
    answer = cloud.call(route.method, path, body, who=who, version=str(HIGHEST), **options)
    assert answer.status_int < 500 or answer.status_int == 501, f"{route.name} {body!r:.300}: {answer.text}"
    if answer.status_int >= 400:
        (fault,) = answer.json.values()
        assert fault["code"] == answer.status_int
        assert "Traceback" not in fault["message"]
        assert len(answer.body) < 2000
    return answer.status_int


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_odd_ids_are_clear_errors(cloud: ComputeCloud, route: Route) -> None:
    body = sample(route.bodies[-1][1]) if route.bodies else None
    for value in ODD_IDS if "{" in route.path else ():
        check(cloud, route, fill(route, value), body)


@pytest.mark.parametrize("route", WITH_BODY, ids=named)
@pytest.mark.parametrize("base", ["/v2.1", "/v2"])
def test_odd_values_in_every_place_of_a_body_are_clear_errors(cloud: ComputeCloud, route: Route, base: str) -> None:
    path = fill(route, cloud.running() if "/servers/" in route.path else "1")
    good = sample(route.bodies[-1][1])
    wanted = list(broken(good))
    chosen = random.Random(route.name).sample(wanted, min(len(wanted), 80))
    for body in chosen:
        try:
            encoded = json.dumps(body).encode()
        except UnicodeEncodeError:
            continue
        if len(encoded) < 100_000:
            check(cloud, route, path, encoded, base=base)


@pytest.mark.parametrize("route", WITH_BODY, ids=named)
def test_what_is_not_json_is_refused(cloud: ComputeCloud, route: Route) -> None:
    path = fill(route, "00000000-0000-4000-8000-000000000000")
    for raw in (
        *(b"{", b"\xff\xfe{}", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"[" * 50_000, b'"\\ud800"', b'{"a": 1e999}'),
        b'{"a": ' + b"9" * 400 + b"}",
        b'{"a":' * 40 + b"1" + b"}" * 40,
    ):
        assert check(cloud, route, path, raw) == 400
    assert check(cloud, route, path, b"x" * 200_000) == 413
    assert check(cloud, route, path, b"<a/>", headers={"Content-Type": "application/xml"}) == 415
    assert check(cloud, route, path, b"{}", headers={"Content-Encoding": "gzip"}) == 415


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method == "GET"], ids=named)
def test_odd_queries_are_clear_errors(cloud: ComputeCloud, route: Route) -> None:
    path = fill(route, "1")
    for query in (
        *("limit=x&marker=y", "limit=99999999999999999999", "offset=-1", "a=%ff", "a=%00", "sort_key=%27", "x" * 5000),
        *("changes-since=0", "changes-since=9999-99-99", "start=a&end=b", "status=", "all_tenants=2", "is_public=x"),
        *(
            "user_id=" + "a" * 300,
            "metadata={{",
            "metadata=[]",
            "power_state=99",
            "locked=x",
            "ip=(((",
            "ip6=*",
            "minRam=x",
        ),
        "&".join(f"a{number}=1" for number in range(1100)),
        "limit=0&offset=99999999999",
        "host=%F0%9F%92%A9&binary=%F0%9F%92%A9",
    ):
        check(cloud, route, f"{path}?{query}")


def owned(cloud: ComputeCloud) -> dict[str, str]:
    """Things of alice's project, by the part of the path that names their kind."""
    group = cloud.ok("POST", "/os-security-groups", {"security_group": {"name": "web", "description": "x"}})
    rule = {"parent_group_id": group["security_group"]["id"], "ip_protocol": "tcp", "from_port": 80, "to_port": 80}
    made = cloud.ok("POST", "/os-security-group-rules", {"security_group_rule": rule})
    cloud.ok("POST", "/os-keypairs", {"keypair": {"name": "mine"}})
    return {
        "servers": cloud.running(metadata={"k": "v"}),
        "os-security-groups": str(group["security_group"]["id"]),
        "os-security-group-rules": str(made["security_group_rule"]["id"]),
        "os-keypairs": "mine",
    }


@pytest.mark.parametrize("who", [BOB, "eve:melons"])
def test_other_projects_find_nothing_of_it(cloud: ComputeCloud, who: str) -> None:
    things = owned(cloud)
    before = cloud.ok("GET", f"/servers/{things['servers']}", version=str(HIGHEST))
    checks, tried = {rule.name: rule.check for rule in ALL_RULES}, 0
    for route in ROUTES:
        kind = route.path.split("/")[1]
        if kind not in things or "{" not in route.path or not route.covers(HIGHEST):
            continue
        path = re.sub(r"\{(id|name)\}", things[kind], route.path)
        path = re.sub(r"\{[a-z_]+\}", "k", path)
        body = sample(route.bodies[-1][1]) if route.bodies else None
        status = cloud.call(route.method, path, body, who=who, version=str(HIGHEST)).status_int
        if status == 400:
            with pytest.raises(InvalidInput):
                Validator(route.bodies[-1][1]).check(body)
            continue
        assert status == (403 if checks[route.policy] == "rule:admin_api" else 404), f"{route.name}: {status}"
        tried += 1
    assert tried > 20
    assert cloud.ok("GET", f"/servers/{things['servers']}", version=str(HIGHEST)) == before
    assert cloud.compute.named("delete") == cloud.compute.named("stop") == []


def test_members_may_do_nothing_that_is_for_administrators(cloud: ComputeCloud) -> None:
    checks = {rule.name: rule.check for rule in ALL_RULES}
    for route in ROUTES:
        if checks[route.policy] == "rule:admin_api" and route.covers(HIGHEST):
            body = sample(route.bodies[-1][1]) if route.bodies else None
            status = cloud.call(route.method, fill(route, "1"), body, who=ALICE, version=str(HIGHEST)).status_int
            assert status == 403, f"{route.name}: {status}"


def test_nobody_gets_in_without_a_token(cloud: ComputeCloud) -> None:
    for route in ROUTES:
        if route.covers(HIGHEST):
            assert cloud.call(route.method, fill(route, "1"), {}, who="", version=str(HIGHEST)).status_int == 401, (
                route.name
            )


def test_a_body_that_is_longer_than_it_says_is_cut_there(cloud: ComputeCloud) -> None:
    answer = cloud.call("POST", "/servers", b"{}" + b"x" * 500_000, headers={"Content-Length": "2"})
    assert answer.status_int == 400


def test_an_endless_chunked_body_is_refused(cloud: ComputeCloud) -> None:
    headers = {"Transfer-Encoding": "chunked", "Content-Length": ""}
    answer = cloud.call("POST", "/servers", b"[" * 300_000, headers=headers)
    assert answer.status_int == 413
