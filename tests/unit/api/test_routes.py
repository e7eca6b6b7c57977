# SPDX-License-Identifier: Apache-2.0
"""The route tables: every route is guarded, every schema is one, and a route is found at once among any number."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from nova.api import support_matrix
from nova.api.microversion import HIGHEST, LOWEST, v
from nova.api.policies import ALL_RULES, sample
from nova.api.policy import Policy, check_rules_of
from nova.api.routes import COMPUTE, COMPUTE_LEGACY, COMPUTE_VERSIONS
from nova.api.routing import PUBLIC, Route, RouteTable, Tx
from nova.errors import InvalidConfiguration

ROOT = Path(__file__).parents[3]
EVERY = [*COMPUTE, *COMPUTE_LEGACY, *COMPUTE_VERSIONS]


def nothing(_request: object) -> None: ...


def test_the_public_routes_are_the_version_documents() -> None:
    assert {route.path for route in EVERY if route.policy == PUBLIC} == {"/", "/{path:.+}"}


def test_every_other_route_names_a_registered_rule() -> None:
    names = {rule.name for rule in ALL_RULES}
    assert [route.name for route in EVERY if route.policy not in names | {PUBLIC}] == []


def test_every_rule_has_one_definition_and_a_reason() -> None:
    names = [rule.name for rule in ALL_RULES]
    assert len(names) == len(set(names))
    assert all(rule.description.endswith(".") for rule in ALL_RULES)


def test_a_route_without_a_rule_does_not_start() -> None:
    bad = Route(method="GET", path="/x", handler=nothing, policy="os_compute_api:mistyped")
    with pytest.raises(InvalidConfiguration, match="GET /x"):
        check_rules_of([bad], Policy())


@pytest.mark.parametrize("route", [route for route in EVERY if route.bodies], ids=lambda route: route.name)
def test_every_schema_is_one_and_is_closed(route: Route) -> None:
    for _, schema in route.bodies:
        Draft202012Validator.check_schema(schema)
        assert schema.get("additionalProperties") is False
        assert not route.action or list(schema["properties"]) == [route.action]


def test_what_changes_something_never_runs_in_a_transaction_that_reads() -> None:
    assert [r.name for r in EVERY if r.method != "GET" and r.tx is Tx.READ] == []


def test_a_route_is_there_once_in_a_version() -> None:
    one = Route(method="GET", path="/x", handler=nothing, policy=PUBLIC, until=v(5))
    two = Route(method="GET", path="/x", handler=nothing, policy=PUBLIC, since=v(5))
    with pytest.raises(InvalidConfiguration, match="twice"):
        RouteTable([one, two])
    later = Route(method="GET", path="/x", handler=nothing, policy=PUBLIC, since=v(6))
    endpoint, _ = RouteTable([one, later]).find("/x") or (None, None)
    assert endpoint is not None
    assert endpoint.serving("GET", LOWEST)[0].route is one
    assert endpoint.serving("GET", HIGHEST)[0].route is later


def test_a_fixed_word_wins_over_a_variable() -> None:
    table = RouteTable(COMPUTE)
    found = table.find("/servers/detail")
    assert found is not None
    assert found[0].path == "/servers/detail"
    assert (table.find("/servers/x/os-instance-actions/y") or (None, {}))[1] == {"id": "x", "request_id": "y"}
    assert table.find("/servers/x/y/z/w") is None


def test_finding_a_route_among_many_takes_no_time() -> None:
    many = [Route(method="GET", path=f"/thing{n}/{{id}}/part", handler=nothing, policy=PUBLIC) for n in range(500)]
    table = RouteTable([*COMPUTE, *many])
    started = time.thread_time()
    for _ in range(200):
        assert table.find("/servers/70a599e0-31e7-49b7-b260-868f441e862b") is not None
    assert (time.thread_time() - started) / 200 < 0.0005


def test_the_page_of_the_documentation_is_current() -> None:
    page = (ROOT / "doc" / "api-support.rst").read_text()
    assert page == support_matrix.page(), "run: python -m nova.api.support_matrix > doc/api-support.rst"


def test_the_policy_sample_is_current() -> None:
    written = (ROOT / "etc" / "nova" / "policy.yaml.sample").read_text()
    assert written == sample.text(), "run: tox -e genpolicy"
