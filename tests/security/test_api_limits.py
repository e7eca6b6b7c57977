# SPDX-License-Identifier: Apache-2.0
"""What a client can make large is bounded, before memory or time is spent on it."""

from __future__ import annotations

import base64
import dataclasses
import gc
import json
import logging
import threading
import tracemalloc
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nova.api.cloud import ApiSettings
from nova.api.policy import Policy
from nova.context import RequestContext
from nova.domain.flavor import STOCK_FLAVORS
from nova.domain.request_spec import RequestSpec
from nova.errors import NoCapacity
from nova.scheduler.service import SchedulerService
from nova.scheduler.settings import SchedulerSettings
from tests.functional.compute_cloud import ADMIN, IMAGE, ComputeCloud
from tests.security.doors import Doors


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    made = Doors(tmp_path_factory.mktemp("doors"))
    yield made
    made.close()


def limited(directory: Path, **quotas: int) -> ComputeCloud:
    """A cloud on a file, so that threads have transactions of their own."""
    settings = ApiSettings(default_quotas={**ApiSettings().default_quotas, **quotas})
    return ComputeCloud(settings, url=f"sqlite:///{directory}/nova.sqlite")


def a_name() -> str:
    """One that nothing else has."""
    return str(uuid.uuid4())


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
    made = cloud.ok("POST", "/os-security-groups", {"security_group": {"name": a_name(), "description": "d"}})
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


def test_hints_of_many_servers_cost_one_statement(doors: Doors) -> None:
    """CVE-2012-3371: and a server that is not there is no match, and no error"""
    cloud = doors.compute
    scheduler, flavor = SchedulerService(cloud.db, SchedulerSettings()), dataclasses.replace(STOCK_FLAVORS[0], id=1)

    def statements(**hints: list[str]) -> int:
        spec = RequestSpec(instance_uuids=(str(uuid.uuid4()),), project_id="apples", flavor=flavor, hints=hints)
        with cloud.db.log.recording() as texts:
            scheduler.select_hosts(RequestContext(), spec=spec)
        return len(texts)

    there = cloud.running()
    one, many = [str(uuid.uuid4())], [str(uuid.uuid4()) for _ in range(1000)]
    assert statements(different_host=one) == statements(different_host=many)
    assert statements(same_host=[there, *many]) == statements(same_host=[there])
    for hint in (many, ["x' OR 1=1 --"], ["x" * 255]):
        with pytest.raises(NoCapacity):
            statements(same_host=hint)


def test_paths_and_ids_without_end_are_kept_nowhere(doors: Doors) -> None:
    """CVE-2021-40797"""

    def ask(start: int, count: int) -> None:
        for number in range(start, start + count):
            for door, path in (
                ("compute latest", f"/v2.1/x{number}/y"),
                ("compute latest", f"/v2.1/servers/{uuid.UUID(int=number)}"),
                ("volume v3", f"/v3/volumes/{uuid.UUID(int=number)}"),
                ("identity", f"/v3/y{number}"),
                ("image", f"/v2/images/{uuid.UUID(int=number)}"),
            ):
                doors.all[door].send("GET", path, query=f"a{number}=1", token=tokens[door])

    tokens = {name: doors.all[name].token() for name in ("compute latest", "volume v3", "identity", "image")}
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.ERROR)
    ask(0, 100)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    ask(100, 200)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    logging.getLogger().setLevel(level)
    assert grown < 100_000


@pytest.mark.parametrize(("size", "status"), [(49_149, 202), (49_152, 400), (65_537, 400), (80_000, 400)])
def test_user_data_is_bounded(doors: Doors, size: int, status: int) -> None:
    """What does not fit the column, or a guest's memory: 65,535 characters of base64"""
    server = {"name": "w", "flavorRef": "1", "imageRef": IMAGE, "user_data": base64.b64encode(bytes(size)).decode()}
    assert doors.compute.call("POST", "/servers", {"server": server}).status_int == status


@pytest.mark.parametrize(
    "text", ["a" * 50_000 + ".", "a" * 65_000, "1.1.1.1\n", "1.1.1.1 -x", "1.1.1.1,2.2.2.2", "::1%lo"]
)
def test_dns_servers_that_are_none_are_refused_at_once(doors: Doors, text: str) -> None:
    """CVE-2014-7821, CVE-2021-40085"""
    door = doors.all["compute v2"]
    for key in ("dns1", "dns2", "gateway"):
        body = json.dumps({"network": {"label": "n", "cidr": "10.9.0.0/24", key: text}}).encode()
        outcome = door.send("POST", "/v2/os-networks", body)
        assert outcome.status == 400, key
        assert outcome.busy_s < 0.1
        assert outcome.changes == 0


def test_a_flavor_without_a_disk_may_be_kept_for_volumes(doors: Doors, tmp_path: Path) -> None:
    """LP 1739646"""
    cloud, rules = doors.compute, tmp_path / "policy.yaml"
    rules.write_text('"os_compute_api:servers:create:zero_disk_flavor": "rule:admin_api"\n')
    flavor = doors.new_flavor()
    body = {"server": {"name": "w", "flavorRef": flavor, "imageRef": IMAGE}}
    assert cloud.call("POST", "/servers", body).status_int == 202
    cloud.redeploy(policy=Policy(str(rules)))
    before = doors.writes.committed
    assert cloud.call("POST", "/servers", body).status_int == 403
    assert doors.writes.committed == before
    assert cloud.call("POST", "/servers", body, who=ADMIN).status_int == 202
    cloud.redeploy(policy=Policy())


def test_quotas_are_not_set_by_members_not_even_to_what_they_are(doors: Doors) -> None:
    """CVE-2014-6414"""
    shown = doors.compute.ok("GET", "/os-quota-sets/apples")["quota_set"]
    before = doors.writes.committed
    for given in (shown, {"cores": shown["cores"]}, {}, {"force": True}):
        given = {key: value for key, value in given.items() if key != "id"}
        assert doors.compute.call("PUT", "/os-quota-sets/apples", {"quota_set": given}).status_int == 403
    assert doors.writes.committed == before


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
    made = doors.compute.ok("POST", "/os-security-groups", {"security_group": {"name": a_name(), "description": "d"}})
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
    made = doors.compute.ok("POST", "/os-security-groups", {"security_group": {"name": a_name(), "description": "d"}})
    group = made["security_group"]["id"]
    wanted = {"security_group_rule": {**rule, "parent_group_id": group}}
    assert doors.compute.call("POST", "/os-security-group-rules", wanted).status_int == 400, json.dumps(rule)
    assert doors.compute.ok("GET", f"/os-security-groups/{group}")["security_group"]["rules"] == []
