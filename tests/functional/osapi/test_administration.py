# SPDX-License-Identifier: Apache-2.0
"""Services, hosts, hypervisors, zones, quotas, limits and usage."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from sqlalchemy import update

from nova.db.instances.rows import INSTANCES
from tests.functional.compute_cloud import ADMIN, ComputeCloud


def admin(cloud: ComputeCloud, path: str, **options: Any) -> Any:
    return cloud.ok("GET", path, who=ADMIN, **options)


def test_services_say_whether_they_live(cloud: ComputeCloud) -> None:
    listed = admin(cloud, "/os-services")["services"]
    assert [(each["binary"], each["zone"], each["state"], each["status"]) for each in listed] == [
        ("nova-compute", "nova", "up", "enabled"),
        ("nova-scheduler", "internal", "up", "enabled"),
    ]
    assert len(admin(cloud, "/os-services?binary=nova-compute&host=h1")["services"]) == 1
    assert "forced_down" in admin(cloud, "/os-services", version="2.11")["services"][0]


def test_services_are_disabled_with_a_reason_and_enabled(cloud: ComputeCloud) -> None:
    named = {"host": "h1", "binary": "nova-compute"}
    body = {**named, "disabled_reason": "new disks"}
    put = cloud.ok("PUT", "/os-services/disable-log-reason", body, who=ADMIN)["service"]
    assert put == {**named, "status": "disabled", "disabled_reason": "new disks"}
    assert admin(cloud, "/os-services")["services"][0]["disabled_reason"] == "new disks"
    assert cloud.ok("PUT", "/os-services/enable", named, who=ADMIN)["service"]["status"] == "enabled"
    assert cloud.ok("PUT", "/os-services/disable", named, who=ADMIN)["service"]["status"] == "disabled"
    unknown = {"host": "h9", "binary": "nova-compute"}
    assert cloud.refused("PUT", "/os-services/enable", unknown, status=404, who=ADMIN)
    assert cloud.refused("PUT", "/os-services/paint", named, status=404, who=ADMIN)
    assert cloud.refused("PUT", "/os-services/force-down", named, status=404, who=ADMIN)
    forced = cloud.ok("PUT", "/os-services/force-down", {**named, "forced_down": True}, who=ADMIN, version="2.11")
    assert forced["service"]["forced_down"] is True
    assert admin(cloud, "/os-services")["services"][0]["state"] == "down"


def test_a_services_record_is_removed(cloud: ComputeCloud) -> None:
    number = admin(cloud, "/os-services?binary=nova-scheduler")["services"][0]["id"]
    assert cloud.call("DELETE", f"/os-services/{number}", who=ADMIN).status_int == 204
    assert cloud.refused("DELETE", f"/os-services/{number}", status=404, who=ADMIN)
    assert cloud.refused("DELETE", "/os-services/x", status=404, who=ADMIN)


def test_hosts_show_what_projects_have_there(cloud: ComputeCloud) -> None:
    cloud.running()
    hosts = admin(cloud, "/os-hosts")["hosts"]
    assert {"host_name": "h1", "service": "compute", "zone": "nova"} in hosts
    assert len(admin(cloud, "/os-hosts?zone=nova")["hosts"]) == 1
    rows = [row["resource"] for row in admin(cloud, "/os-hosts/h1")["host"]]
    assert [row["project"] for row in rows] == ["(total)", "(used_now)", "(used_max)", "apples"]
    assert rows[0]["memory_mb"] == 16384
    assert rows[3] == {"host": "h1", "project": "apples", "cpu": 1, "memory_mb": 512, "disk_gb": 1}
    assert cloud.refused("GET", "/os-hosts/h9", status=404, who=ADMIN)
    put = cloud.ok("PUT", "/os-hosts/h1", {"status": "disable"}, who=ADMIN)
    assert put == {"host": "h1", "status": "disabled"}
    for word, state in (("disable", "off_maintenance"), ("enable", "on_maintenance")):
        put = cloud.ok("PUT", "/os-hosts/h1", {"maintenance_mode": word}, who=ADMIN)
        assert put == {"host": "h1", "maintenance_mode": state}
        (daemon,) = admin(cloud, "/os-services?binary=nova-compute")["services"]
        assert daemon["status"] == "disabled"
    assert daemon["disabled_reason"] == "maintenance"
    cloud.ok("PUT", "/os-hosts/h1", {"maintenance_mode": "disable"}, who=ADMIN)
    assert admin(cloud, "/os-services?binary=nova-compute")["services"][0]["status"] == "enabled"
    both = {"status": "enable", "maintenance_mode": "Disable"}
    answer = cloud.ok("PUT", "/os-hosts/h1", both, who=ADMIN)
    assert answer == {"host": "h1", "status": "enabled", "maintenance_mode": "off_maintenance"}
    assert cloud.refused("PUT", "/os-hosts/h9", {"maintenance_mode": "enable"}, status=404, who=ADMIN)
    assert cloud.refused("GET", "/os-hosts/h1/reboot", status=501, who=ADMIN)


def test_hypervisors_are_listed_searched_and_added_up(cloud: ComputeCloud) -> None:
    uuid = cloud.running()
    (brief,) = admin(cloud, "/os-hypervisors")["hypervisors"]
    assert brief == {"id": brief["id"], "hypervisor_hostname": "h1", "state": "up", "status": "enabled"}
    full = admin(cloud, f"/os-hypervisors/{brief['id']}")["hypervisor"]
    assert (full["free_ram_mb"], full["vcpus"], full["service"]["host"]) == (16384, 8, "h1")
    assert full["cpu_info"] == '{"arch": "x86_64"}'
    assert admin(cloud, f"/os-hypervisors/{brief['id']}", version="2.28")["hypervisor"]["cpu_info"] == {
        "arch": "x86_64"
    }
    assert admin(cloud, "/os-hypervisors/detail")["hypervisors"] == [full]
    assert admin(cloud, "/os-hypervisors/h/search")["hypervisors"] == [brief]
    assert admin(cloud, "/os-hypervisors/h1/servers")["hypervisors"][0]["servers"][0]["uuid"] == uuid
    assert admin(cloud, "/os-hypervisors/statistics")["hypervisor_statistics"]["count"] == 1
    for path in ("/os-hypervisors/zz/search", "/os-hypervisors/zz/servers", "/os-hypervisors/zz", "/os-hypervisors/99"):
        assert cloud.refused("GET", path, status=404, who=ADMIN)
    page = admin(cloud, "/os-hypervisors?limit=1", version="2.33")
    assert page["hypervisors_links"][0]["href"].endswith(f"marker={brief['id']}")
    assert cloud.refused("GET", "/os-hypervisors?marker=99", status=400, who=ADMIN, version="2.33")


def test_zones_are_listed_for_all_and_explained_to_administrators(cloud: ComputeCloud) -> None:
    listed = cloud.ok("GET", "/os-availability-zone")["availabilityZoneInfo"]
    assert listed == [{"zoneName": "nova", "zoneState": {"available": True}, "hosts": None}]
    detail = {zone["zoneName"]: zone for zone in admin(cloud, "/os-availability-zone/detail")["availabilityZoneInfo"]}
    assert detail["nova"]["hosts"]["h1"]["nova-compute"]["available"] is True
    assert "h0" in detail["internal"]["hosts"]
    assert cloud.refused("GET", "/os-availability-zone/detail", status=403)


def test_limits_show_what_is_used(cloud: ComputeCloud) -> None:
    cloud.boot()
    absolute = cloud.ok("GET", "/limits")["limits"]["absolute"]
    assert (absolute["maxTotalInstances"], absolute["totalInstancesUsed"], absolute["totalRAMUsed"]) == (10, 1, 512)
    assert absolute["maxServerMeta"] == absolute["maxImageMeta"] == 128
    assert cloud.ok("GET", "/limits?reserved=1")["limits"]["rate"] == []
    assert cloud.refused("GET", "/limits?tenant_id=pears", status=403)
    assert admin(cloud, "/limits?tenant_id=apples")["limits"]["absolute"]["totalInstancesUsed"] == 1


def test_quotas_of_a_project_are_set_and_forgotten(cloud: ComputeCloud) -> None:
    path = "/os-quota-sets/apples"
    before = cloud.ok("GET", path)["quota_set"]
    assert (before["id"], before["instances"]) == ("apples", 10)
    changed = cloud.ok("PUT", path, {"quota_set": {"instances": "3", "cores": -1}}, who=ADMIN)["quota_set"]
    assert (changed["instances"], changed["cores"], "id" in changed) == (3, -1, False)
    assert cloud.ok("GET", f"{path}/defaults")["quota_set"]["instances"] == 10
    assert admin(cloud, f"{path}/detail")["quota_set"]["instances"] == {"in_use": 0, "limit": 3, "reserved": 0}
    assert cloud.call("DELETE", path, who=ADMIN).status_int == 202
    assert cloud.ok("GET", path)["quota_set"] == before
    assert cloud.refused("PUT", path, {"quota_set": {"instances": 10}}, status=403)
    assert cloud.refused("GET", "/os-quota-sets/pears", status=403)


@pytest.mark.parametrize(
    "quota", [{"instances": -2}, {"instances": "x"}, {"ponies": 1}, {"instances": 2**31}, {"ram": 1.5}]
)
def test_wrong_quotas_are_refused(cloud: ComputeCloud, quota: dict[str, Any]) -> None:
    assert cloud.refused("PUT", "/os-quota-sets/apples", {"quota_set": quota}, status=400, who=ADMIN)


def test_a_quota_below_what_is_used_needs_force(cloud: ComputeCloud) -> None:
    cloud.boot()
    path = "/os-quota-sets/apples"
    assert "in use" in cloud.refused("PUT", path, {"quota_set": {"instances": 0}}, status=400, who=ADMIN)
    assert cloud.ok("PUT", path, {"quota_set": {"instances": 0, "force": "True"}}, who=ADMIN)


def test_a_user_gets_no_more_than_his_project(cloud: ComputeCloud) -> None:
    path = "/os-quota-sets/apples?user_id=alice"
    assert cloud.refused("PUT", path, {"quota_set": {"instances": 11}}, status=400, who=ADMIN)
    assert cloud.ok("PUT", path, {"quota_set": {"instances": 1}}, who=ADMIN)["quota_set"]["instances"] == 1
    cloud.boot()
    server = {"server": {"name": "x", "flavorRef": "1", "imageRef": "70a599e0-31e7-49b7-b260-868f441e862b"}}
    assert cloud.refused("POST", "/servers", server, status=403)


def test_the_default_class_changes_what_all_others_have(cloud: ComputeCloud) -> None:
    cloud.ok("PUT", "/os-quota-class-sets/default", {"quota_class_set": {"instances": 4}}, who=ADMIN)
    assert cloud.ok("GET", "/os-quota-sets/apples")["quota_set"]["instances"] == 4
    assert admin(cloud, "/os-quota-class-sets/default")["quota_class_set"]["instances"] == 4


def test_usage_adds_up_the_hours_of_servers(cloud: ComputeCloud) -> None:
    uuid = cloud.running(flavorRef="2")
    start = datetime.datetime(2026, 1, 1)  # noqa: DTZ001
    with cloud.db.transaction() as tx:
        values = {"launched_at": start, "terminated_at": start + datetime.timedelta(hours=10)}
        tx.execute(update(INSTANCES).where(INSTANCES.c.uuid == uuid).values(**values))
    period = "start=2026-01-01T05:00:00&end=2026-01-02T00:00:00"
    usage = cloud.ok("GET", f"/os-simple-tenant-usage/apples?{period}")["tenant_usage"]
    assert (usage["total_hours"], usage["total_memory_mb_usage"]) == (5.0, 5 * 2048)
    assert usage["server_usages"][0]["state"] == "terminated"
    (all_of_it,) = admin(cloud, f"/os-simple-tenant-usage?{period}&detailed=True")["tenant_usages"]
    assert all_of_it == usage
    assert "server_usages" not in admin(cloud, f"/os-simple-tenant-usage?{period}")["tenant_usages"][0]
    assert cloud.ok("GET", "/os-simple-tenant-usage/apples?start=2025-01-01T00:00:00&end=2025-02-01T00:00:00") == {
        "tenant_usage": {}
    }
    assert cloud.refused("GET", f"/os-simple-tenant-usage/pears?{period}", status=403)
    for query in ("start=x", "start=2026-01-02T00:00:00&end=2026-01-01T00:00:00"):
        assert cloud.refused("GET", f"/os-simple-tenant-usage/apples?{query}", status=400)


def test_extensions_are_sorted_and_found_by_alias(cloud: ComputeCloud) -> None:
    listed = cloud.ok("GET", "/extensions")["extensions"]
    aliases = [each["alias"] for each in listed]
    assert aliases == sorted(aliases)
    assert cloud.ok("GET", "/extensions/os-keypairs")["extension"]["alias"] == "os-keypairs"
    assert cloud.refused("GET", "/extensions/os-nothing", status=404)
