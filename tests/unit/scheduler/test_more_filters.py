# SPDX-License-Identifier: Apache-2.0
"""Filters by hints, groups, crowding, isolation and aggregates."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from nova.domain.host import HostRow
from nova.domain.request_spec import RequestSpec
from nova.domain.server_group import Policy
from nova.scheduler.filters.table import DEFAULT_FILTERS, filters_named
from nova.scheduler.request import Crowding, GroupPlacement, Isolation, Request
from nova.scheduler.select import Ranking, explain, passing, prepare
from nova.scheduler.weighers.table import Multipliers, weighers
from tests.unit.scheduler.test_select import SMALL, host

SPEC = RequestSpec(instance_uuids=("u",), project_id="p", flavor=SMALL, image_id="i")
HOSTS = [host(name, host_ip=f"192.0.2.{number}") for number, name in enumerate("abc", start=1)]


def left(request: Request, *names: str) -> str:
    """The hosts that pass the filters of these names and those that are always on."""
    return "".join(each.host for each in passing(HOSTS, prepare(filters_named(names), request)))


def hinted(**hints: Any) -> Request:
    return Request(spec=replace(SPEC, hints=hints))


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Policy.AFFINITY, "a"),
        (Policy.ANTI_AFFINITY, "bc"),
        (Policy.SOFT_AFFINITY, "abc"),
        (Policy.SOFT_ANTI_AFFINITY, "abc"),
    ],
)
def test_a_group_keeps_its_members_together_or_apart(policy: Policy, expected: str) -> None:
    request = Request(spec=SPEC, group=GroupPlacement(policy=policy, hosts={"a": 2}))
    assert left(request) == expected
    assert left(replace(request, group=GroupPlacement(policy=policy, hosts={}))) == "abc"


def test_a_group_on_two_hosts_already_has_no_host_that_is_with_all() -> None:
    request = Request(spec=SPEC, group=GroupPlacement(policy=Policy.AFFINITY, hosts={"a": 1, "b": 1}))
    checks = prepare(filters_named(DEFAULT_FILTERS), request)
    assert "the other servers of the group are elsewhere" in explain(HOSTS, checks)


@pytest.mark.parametrize(("policy", "best"), [(Policy.SOFT_AFFINITY, "b"), (Policy.SOFT_ANTI_AFFINITY, "c")])
def test_a_wish_weighs(policy: Policy, best: str) -> None:
    chosen = weighers(Multipliers(soft_affinity=5), policy=policy, members={"a": 1, "b": 2})
    found = Ranking(HOSTS, chosen, subset_size=1, random=Random(1)).best()
    assert isinstance(found, HostRow)
    assert found.host == best


def test_a_query_is_always_heeded() -> None:
    assert left(hinted(query='["in", "$host", "a", "c"]')) == "ac"
    assert left(hinted(query=["=", "$host", "b"])) == "b"


def test_near_an_address() -> None:
    assert left(hinted(build_near_host_ip="192.0.2.2", cidr="/31")) == "bc"
    assert left(hinted(build_near_host_ip="192.0.2.200")) == "abc"
    assert left(hinted(build_near_host_ip="198.51.100.1")) == ""


def test_crowded_hosts_are_left_alone() -> None:
    crowding = Crowding(servers={"a": 2, "b": 1}, building={"b": 3}, max_servers=2, max_building=3)
    request = Request(spec=SPEC, crowding=crowding)
    assert left(request, "NumInstancesFilter") == "bc"
    assert left(request, "IoOpsFilter") == "ac"


def test_isolated_hosts_are_for_isolated_images_only() -> None:
    request = Request(spec=SPEC, isolation=Isolation(images=frozenset({"x"}), hosts=frozenset({"a"})))
    assert left(request, "IsolatedHostsFilter") == "bc"
    assert left(replace(request, spec=replace(SPEC, image_id="x")), "IsolatedHostsFilter") == "a"


def test_aggregates_choose_flavors_and_projects() -> None:
    said = {
        "a": {"ssd": frozenset({"true"}), "filter_tenant_id": frozenset({"q"})},
        "b": {"filter_tenant_id": frozenset({"o, p"})},
    }
    fast = replace(SMALL, extra_specs={"aggregate_instance_extra_specs:ssd": "true"})
    request = Request(spec=replace(SPEC, flavor=fast), aggregates=said)
    assert left(request, "AggregateInstanceExtraSpecsFilter") == "a"
    assert left(Request(spec=SPEC, aggregates=said), "AggregateMultiTenancyIsolation") == "bc"
