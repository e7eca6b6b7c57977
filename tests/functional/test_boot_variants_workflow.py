# SPDX-License-Identifier: Apache-2.0
"""Kinds of boots through all daemons, with the fake driver: what arrives at the host."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nova.db import flavors, server_groups
from nova.domain.block_device import BlockDevice
from nova.domain.instance import InjectedFile
from nova.domain.server_group import Policy, ServerGroup
from nova.domain.states import VmState
from nova.secret import Secret
from tests.functional.workflow_cloud import FLAVOR, WorkflowCloud

FILE = InjectedFile(path="/etc/motd", contents=base64.b64encode(b"welcome").decode())


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[WorkflowCloud]:
    """A cloud with one of each, and two hosts."""
    made = WorkflowCloud(tmp_path)
    made.add_scheduler()
    made.add_network()
    made.add_host("a")
    yield made
    made.close()


def test_the_drive_says_what_the_service_says_and_the_secrets_besides(cloud: WorkflowCloud) -> None:
    [plain] = cloud.boot()
    [uuid] = cloud.boot(config_drive=True, files=(FILE,), admin_password=Secret("s3cret"), metadata={"role": "db"})
    assert [server.vm_state for server in cloud.settled(plain, uuid)] == [VmState.ACTIVE] * 2
    drives = cloud.drivers["a"].config_drives
    assert list(drives) == [uuid]
    told = json.loads(drives[uuid]["openstack/latest/meta_data.json"])
    assert (told["uuid"], told["admin_pass"], told["meta"]) == (uuid, "s3cret", {"role": "db"})
    assert told["hostname"].endswith(".novalocal")
    assert drives[uuid]["openstack" + told["files"][0]["content_path"]] == b"welcome"
    network = json.loads(drives[uuid]["openstack/latest/network_data.json"])
    assert len(network["links"]) == 1
    cloud.delete(uuid)
    cloud.settled(uuid)
    assert drives == {}


def test_files_reach_the_guest_whether_or_not_it_asked_for_a_drive(cloud: WorkflowCloud) -> None:
    [uuid] = cloud.boot(files=(FILE,), admin_password=Secret("s3cret"))
    cloud.settled(uuid)
    driver = cloud.drivers["a"]
    injection = driver.injections[uuid]
    assert injection is not None
    assert (injection.files, injection.admin_password) == ((FILE,), Secret("s3cret"))
    assert driver.config_drives[uuid]["openstack/content/0000"] == b"welcome"


def test_ephemeral_disks_and_swap_are_made_as_asked(cloud: WorkflowCloud) -> None:
    with cloud.db.transaction() as tx:
        flavors.create(tx, dataclasses.replace(FLAVOR, flavor_id="rich", name="rich", ephemeral_gb=3, swap_mb=64))
    blank = BlockDevice(source_type="blank", destination_type="local", attached=True)
    devices = (
        dataclasses.replace(blank, volume_size_gb=1, guest_format="ext3"),
        dataclasses.replace(blank, volume_size_gb=2, device_name="/dev/vdb"),
        dataclasses.replace(blank, volume_size_gb=32, guest_format="swap"),
    )
    [uuid] = cloud.boot(flavor_id="rich", block_devices=devices)
    cloud.settled(uuid)
    found = {disk.device_name: (disk.size_mb, disk.file_system) for disk in cloud.drivers["a"].blank_disks[uuid]}
    assert found == {"/dev/vdb": (2048, ""), "/dev/vdc": (1024, "ext3"), "/dev/vdd": (32, "swap")}


def group(cloud: WorkflowCloud, policy: Policy) -> str:
    made = ServerGroup(uuid="", project_id="apples", user_id="alice", name="g", policy=policy)
    return cloud.db.run(lambda tx: server_groups.create(tx, made)).uuid


@pytest.mark.parametrize("at_once", [True, False], ids=["one request", "many requests"])
def test_servers_that_must_be_apart_are_on_a_host_each_and_those_too_many_are_in_error(
    cloud: WorkflowCloud, at_once: bool
) -> None:
    cloud.add_scheduler()
    for name in "bcd":
        cloud.add_host(name)
    hints = {"group": group(cloud, Policy.ANTI_AFFINITY)}
    if at_once:
        uuids = cloud.boot(6, hints=hints)
    else:
        with ThreadPoolExecutor(max_workers=6) as pool:
            uuids = [uuid for made in pool.map(lambda _: cloud.boot(hints=hints), range(6)) for uuid in made]
    servers = cloud.settled(*uuids)
    placed = [server.host for server in servers if server.vm_state is VmState.ACTIVE]
    assert sorted(placed) == ["a", "b", "c", "d"]
    failed = [server.uuid for server in servers if server.vm_state is VmState.ERROR]
    faults = [cloud.fault(uuid) for uuid in failed]
    assert all(fault and "server_group: 4 (a server of the group is there)" in fault.message for fault in faults)


def test_servers_that_must_be_together_are_on_one_host(cloud: WorkflowCloud) -> None:
    cloud.add_scheduler()
    for name in "bcd":
        cloud.add_host(name)
    hints = {"group": group(cloud, Policy.AFFINITY)}
    with ThreadPoolExecutor(max_workers=3) as pool:
        uuids = [uuid for made in pool.map(lambda count: cloud.boot(count, hints=hints), (1, 2, 3)) for uuid in made]
    assert len({server.host for server in cloud.settled(*uuids)}) == 1
