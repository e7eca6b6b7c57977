# SPDX-License-Identifier: Apache-2.0
"""What a client can make large is bounded, before memory or time is spent on it."""

from __future__ import annotations

import json
import logging
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nova.api.cloud import ApiSettings
from tests.functional.compute_cloud import IMAGE, ComputeCloud
from tests.security.doors import Doors


@pytest.fixture
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    made = Doors(tmp_path_factory.mktemp("doors"))
    yield made
    made.close()


def limited(directory: Path, **quotas: int) -> ComputeCloud:
    """A cloud on a file, so that threads have transactions of their own."""
    settings = ApiSettings(default_quotas={**ApiSettings().default_quotas, **quotas})
    return ComputeCloud(settings, url=f"sqlite:///{directory}/nova.sqlite")


def at_once(work: Any, count: int) -> list[int]:
    """The statuses of *count* calls that run together."""
    found: list[int] = []
    threads = [threading.Thread(target=lambda n=n: found.append(work(n).status_int)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


def test_names_are_bounded_and_do_not_fill_the_log(doors: Doors, caplog: pytest.LogCaptureFixture) -> None:
    """CVE-2012-1585"""
    caplog.set_level(logging.DEBUG)
    cloud = doors.compute
    server = cloud.running()
    for length, status in ((255, 200), (256, 400), (100_000, 400), (50_000_000, 413)):
        caplog.clear()
        assert cloud.call("PUT", f"/servers/{server}", {"server": {"name": "x" * length}}).status_int == status
        assert sum(len(record.getMessage()) for record in caplog.records) < 2048


@pytest.mark.parametrize("name", ["compute latest", "compute v2", "volume v3", "identity", "image"])
def test_a_huge_body_costs_no_memory(doors: Doors, name: str) -> None:
    """OSSN-0002, CVE-2013-2014, CVE-2013-0270"""
    door = doors.all[name]
    path = {"identity": "/v3/auth/tokens", "image": "/v2/images"}.get(name, f"{door.table.base}/volumes")
    path = f"{door.table.base}/servers" if name.startswith("compute") else path
    huge, token = bytes(64 * 1024 * 1024), door.token()
    tracemalloc.start()
    for options in ({}, {"chunked": True}, {"length": "2000000000"}):
        assert door.send("POST", path, huge, token=token, **options).status in (400, 401, 413)  # type: ignore[arg-type]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # The test's own stream shares the bytes that it was made from.
    assert peak < 8 * 1024 * 1024


def test_rules_do_not_pass_their_quota_however_many_come_at_once(tmp_path: Path) -> None:
    """CVE-2012-2101"""
    cloud = limited(tmp_path, security_group_rules=5)
    made = cloud.ok("POST", "/os-security-groups", {"security_group": {"name": "g", "description": "d"}})
    group = made["security_group"]["id"]

    def add(number: int) -> Any:
        rule = {"parent_group_id": group, "ip_protocol": "tcp", "from_port": number + 1, "to_port": number + 1}
        return cloud.call("POST", "/os-security-group-rules", {"security_group_rule": rule})

    statuses = at_once(add, 12)
    assert sorted(statuses) == [200] * 5 + [403] * 7
    assert len(cloud.ok("GET", f"/os-security-groups/{group}")["security_group"]["rules"]) == 5
    cloud.close()


def test_metadata_does_not_pass_its_quota_in_small_steps(tmp_path: Path) -> None:
    """CVE-2014-7960"""
    cloud = limited(tmp_path, metadata_items=12)
    server = cloud.running()

    def add(number: int) -> Any:
        items = {f"k{number}-{each}": "v" for each in range(5)}
        return cloud.call("POST", f"/servers/{server}/metadata", {"metadata": items})

    statuses = at_once(add, 8)
    assert sorted(statuses) == [200] * 2 + [403] * 6
    assert len(cloud.ok("GET", f"/servers/{server}/metadata")["metadata"]) == 10
    cloud.close()


def test_servers_do_not_pass_their_quota_however_many_come_at_once(tmp_path: Path) -> None:
    """CVE-2013-1838"""
    cloud = limited(tmp_path, instances=3)
    body = {"server": {"name": "w", "flavorRef": "1", "imageRef": IMAGE}}
    statuses = at_once(lambda _number: cloud.call("POST", "/servers", body), 8)
    assert sorted(statuses) == [202] * 3 + [403] * 5
    cloud.close()


@pytest.mark.parametrize("hints", [{"different_host": ["x"] * 5000}, {"same_host": "x" * 5000}, {"a": {"b": {}}}, []])
def test_scheduler_hints_are_bounded(doors: Doors, hints: Any) -> None:
    """CVE-2012-3371"""
    body = {"server": {"name": "w", "flavorRef": "1", "imageRef": IMAGE}, "os:scheduler_hints": hints}
    assert doors.compute.call("POST", "/servers", body).status_int in (400, 413)


def test_a_list_is_a_fixed_number_of_statements(doors: Doors) -> None:
    """CVE-2014-3708"""
    cloud = doors.compute
    counts = []
    for _ in range(2):
        for _ in range(5):
            cloud.running()
        counts.append(len(cloud.statements("GET", "/servers/detail?ip=10")))
    assert counts[0] == counts[1] < 15
    taken = len(cloud.compute.taken), len(cloud.conductor.taken), len(cloud.network.taken)
    assert cloud.call("GET", "/servers/detail?ip=((((a*)*)*)*)*$").status_int in (200, 400)
    assert taken == (len(cloud.compute.taken), len(cloud.conductor.taken), len(cloud.network.taken))


@pytest.mark.parametrize(
    "rule",
    [
        {"ip_protocol": "TCP", "from_port": 22, "to_port": 22},
        {"ip_protocol": "tcp", "from_port": 22, "to_port": 22, "cidr": "0.0.0.0/0"},
        {"ip_protocol": "tcp", "from_port": 22, "to_port": 22, "cidr": "255.255.255.255/32"},
    ],
)
def test_a_rule_is_stored_in_its_one_form(doors: Doors, rule: dict[str, Any]) -> None:
    """CVE-2012-2654, CVE-2015-3221"""
    made = doors.compute.ok("POST", "/os-security-groups", {"security_group": {"name": "g", "description": "d"}})
    wanted = {"security_group_rule": {**rule, "parent_group_id": made["security_group"]["id"]}}
    shown = doors.compute.ok("POST", "/os-security-group-rules", wanted)["security_group_rule"]
    assert shown["ip_protocol"] == "tcp"


@pytest.mark.parametrize(
    "rule",
    [
        {"ip_protocol": None, "from_port": 22, "to_port": 22},
        {"ip_protocol": "-1", "from_port": 22, "to_port": 22},
        {"ip_protocol": "any", "from_port": 22, "to_port": 22},
        {"ip_protocol": "gre", "from_port": 22, "to_port": 22},
        {"ip_protocol": "tcp", "from_port": 22, "to_port": 21},
        {"ip_protocol": "tcp", "from_port": 22, "to_port": 70000},
        {"ip_protocol": "tcp", "from_port": 22, "to_port": 22, "cidr": "10.0.0.0/33"},
        {"ip_protocol": "tcp", "from_port": 22, "to_port": 22, "cidr": "10.0.0.0/24\n-A INPUT"},
        {"ip_protocol": "tcp\n", "from_port": 22, "to_port": 22},
    ],
)
def test_a_rule_that_no_table_can_hold_is_refused(doors: Doors, rule: dict[str, Any]) -> None:
    """OSSN-0029, CVE-2014-0187, CVE-2019-9735, CVE-2021-40085"""
    made = doors.compute.ok("POST", "/os-security-groups", {"security_group": {"name": "g", "description": "d"}})
    group = made["security_group"]["id"]
    wanted = {"security_group_rule": {**rule, "parent_group_id": group}}
    assert doors.compute.call("POST", "/os-security-group-rules", wanted).status_int == 400, json.dumps(rule)
    assert doors.compute.ok("GET", f"/os-security-groups/{group}")["security_group"]["rules"] == []
