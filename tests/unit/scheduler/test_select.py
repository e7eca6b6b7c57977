# SPDX-License-Identifier: Apache-2.0
"""The choice of hosts: what passes, what is best, why nothing was found."""

from __future__ import annotations

import json
from collections import Counter
from random import Random
from typing import Any

import pytest

from nova.domain.flavor import Flavor
from nova.domain.host import HostRow
from nova.domain.request_spec import RequestSpec
from nova.errors import InvalidConfiguration
from nova.scheduler.filters.capabilities import holds
from nova.scheduler.filters.table import DEFAULT_FILTERS, filters_named
from nova.scheduler.limits import Limits
from nova.scheduler.request import Request, hinted_servers
from nova.scheduler.select import Ranking, explain, passing, prepare
from nova.scheduler.weighers.table import Multipliers, weighers

SMALL = Flavor(flavor_id="1", name="small", memory_mb=1024, vcpus=1, root_gb=10)
X86 = (("x86_64", "kvm", "hvm"), ("i686", "qemu", "hvm"))


def host(name: str, **changes: Any) -> HostRow:
    values: dict[str, Any] = {
        "node_id": 1,
        "host": name,
        "node": f"{name}.example",
        "availability_zone": "nova",
        "up": True,
        "disabled": False,
        "vcpus": 8,
        "memory_mb": 16384,
        "disk_gb": 100,
        "vcpus_used": 0,
        "memory_mb_used": 0,
        "disk_gb_used": 0,
        "disk_available_gb": 100,
        "hypervisor_type": "QEMU",
        "hypervisor_version": 7000000,
        "running_vms": 0,
        "supported": X86,
        "cpu_info": "{}",
    }
    values |= changes
    return HostRow(**(values | {"supported": json.dumps(values["supported"])}))


def request(flavor: Flavor = SMALL, limits: Limits | None = None, **spec: Any) -> Request:
    return Request(
        spec=RequestSpec(instance_uuids=("i",), project_id="p", flavor=flavor, **spec),
        limits=limits or Limits(ram_ratio=1.0, reserved_memory_mb=0),
    )


def names(hosts: list[HostRow], wanted: Request) -> list[str]:
    return [each.host for each in passing(hosts, prepare(filters_named(DEFAULT_FILTERS), wanted))]


@pytest.mark.parametrize(
    ("unfit", "wanted"),
    [
        (host("b", memory_mb_used=15361), request()),
        (host("b", vcpus_used=128), request()),
        (host("b", disk_gb_used=91), request()),
        (host("b", disk_available_gb=9), request()),
        (host("b", up=False), request()),
        (host("b", disabled=True), request()),
        (host("b", availability_zone="other"), request(availability_zone="nova")),
        (host("b"), request(ignore_hosts=("b",))),
        (host("b"), request(force_host="a")),
        (host("b"), request(force_node="a.example")),
        (host("b", supported=(("aarch64", "kvm", "hvm"),)), request(image_properties={"architecture": "amd64"})),
        (host("b", supported=(("x86_64", "xen", "xen"),)), request(image_properties={"hypervisor_type": "qemu"})),
        (host("b", supported=(("x86_64", "kvm", "xen"),)), request(image_properties={"hw_vm_mode": "hvm"})),
    ],
)
def test_a_host_that_does_not_fit_is_refused(unfit: HostRow, wanted: Request) -> None:
    assert names([host("a"), unfit], wanted) == ["a"]


def test_overcommitment_and_reserves_set_the_limits() -> None:
    tight = host("a", memory_mb_used=16384)
    assert names([tight], request(limits=Limits(ram_ratio=1.5, reserved_memory_mb=0))) == ["a"]
    assert names([tight], request(limits=Limits(ram_ratio=1.5, reserved_memory_mb=7169))) == []


def test_a_flavor_without_disk_fits_on_a_full_disk() -> None:
    diskless = Flavor(flavor_id="2", name="net", memory_mb=512, vcpus=1, root_gb=0)
    assert names([host("a", disk_gb_used=100, disk_available_gb=0)], request(diskless)) == ["a"]


def test_hints_keep_servers_together_or_apart() -> None:
    spec = RequestSpec(
        instance_uuids=("i",), project_id="p", flavor=SMALL, hints={"same_host": "x", "different_host": ["y"]}
    )
    assert hinted_servers(spec, "same_host") == ["x"]
    assert hinted_servers(spec, "different_host") == ["y"]
    hosts = [host("a"), host("b"), host("c")]
    assert names(hosts, Request(spec=spec, same_hosts=frozenset({"a", "b"}), different_hosts=frozenset({"a"}))) == ["b"]


def test_extra_specs_demand_capabilities_of_the_host() -> None:
    picky = Flavor(
        flavor_id="3", name="picky", memory_mb=1, vcpus=1, root_gb=1, extra_specs={"capabilities:vcpus": ">= 16"}
    )
    assert names([host("a", vcpus=8), host("b", vcpus=16)], request(picky)) == ["b"]


@pytest.mark.parametrize(
    ("value", "wanted", "expected"),
    [
        ("QEMU", "s== QEMU", True),
        ("QEMU", "s!= QEMU", False),
        ("8", "= 4", True),
        ("8", "== 4", False),
        ("8", "<= eight", False),
        ("b", "<or> a <or> b", True),
        ("b", "<or> a", False),
        ("x86_64", "<in> 64", True),
        ("QEMU", "qemu", True),
    ],
)
def test_operators_of_extra_specs(value: str, wanted: str, expected: bool) -> None:
    assert holds(value, wanted) is expected


def test_the_reason_counts_hosts_by_the_filter_that_refused_them_and_names_no_host() -> None:
    hosts = [host("secret-1", memory_mb=512), host("secret-2", memory_mb=600), host("secret-3", up=False)]
    checks = prepare(filters_named(DEFAULT_FILTERS), request())
    text = explain(hosts, checks)
    assert text == "No valid host was found. 3 hosts: ram: 2 (needs 1024 MB), compute: 1 (1 down)."


def test_the_reason_says_so_when_there_is_no_host_at_all() -> None:
    assert explain([], []) == "No valid host was found. There is no compute host."


def ranking(hosts: list[HostRow], *, subset_size: int = 1, **multipliers: float) -> Ranking:
    chosen = weighers(Multipliers(**multipliers))
    return Ranking(hosts, chosen, subset_size=subset_size, random=Random(4))


def order_of(hosts: list[HostRow], **multipliers: float) -> list[str]:
    return drained(ranking(hosts, **multipliers))


def drained(left: Ranking) -> list[str]:
    found = []
    while (best := left.best()) is not None:
        found.append(best.host)
    return found


def test_the_host_with_most_free_memory_comes_first_and_last_when_stacking() -> None:
    hosts = [host("a", memory_mb_used=4096), host("b"), host("c", memory_mb_used=8192)]
    assert order_of(hosts) == ["b", "a", "c"]
    assert order_of(hosts, ram=-1.0) == ["c", "a", "b"]


def test_a_host_where_builds_failed_lately_comes_after_its_like() -> None:
    chosen = weighers(Multipliers(), failures={"a": 3, "b": 1})
    assert drained(Ranking([host("a"), host("b"), host("c")], chosen, subset_size=1, random=Random(4))) == [
        "c",
        "b",
        "a",
    ]


def test_a_host_that_builds_much_comes_after_its_like() -> None:
    chosen = weighers(Multipliers(), building={"a": 5})
    assert drained(Ranking([host("a"), host("b")], chosen, subset_size=1, random=Random(4))) == ["b", "a"]


def test_servers_of_one_request_spread_over_alike_hosts() -> None:
    hosts = [host(name) for name in "abcd"]
    left, checks = ranking(hosts), prepare(filters_named(DEFAULT_FILTERS), request())
    placed: Counter[str] = Counter()
    for _ in range(8):
        best = left.best()
        assert best is not None
        left.place(best, SMALL, checks)
        placed[best.host] += 1
    assert placed == {"a": 2, "b": 2, "c": 2, "d": 2}


def test_a_host_that_is_full_is_not_put_back() -> None:
    only = host("a", memory_mb=1500)
    left, checks = ranking([only]), prepare(filters_named(DEFAULT_FILTERS), request())
    best = left.best()
    assert best is only
    left.place(only, SMALL, checks)
    assert left.best() is None


def test_the_choice_is_random_among_the_best_few_only() -> None:
    hosts = [host(name, memory_mb_used=used) for name, used in (("a", 0), ("b", 1), ("c", 9000), ("d", 9001))]
    first = {
        best.host
        for seed in range(40)
        if (best := Ranking(hosts, weighers(Multipliers()), subset_size=2, random=Random(seed)).best())
    }
    assert first == {"a", "b"}


def test_an_unknown_filter_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InvalidConfiguration, match="Did you mean RamFilter"):
        filters_named(["nova.scheduler.filters.ram.RamFiltr"])
