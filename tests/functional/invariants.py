# SPDX-License-Identifier: Apache-2.0
"""What must hold of a cloud in which nothing is being done, whatever happened: records and hosts agree exactly."""

from __future__ import annotations

from collections import Counter

from nova.db import quotas
from nova.domain.instance import Instance
from nova.domain.shelving import shelved_image_of
from nova.domain.states import OperationState, PowerState, VmState
from nova.domain.transitions import Action
from tests.faults.endings import RUNS, half_deleted
from tests.functional.fault_cloud import FaultCloud

SNAPSHOTS = {Action.CREATE_IMAGE, Action.CREATE_BACKUP}
COUNTED = {"instances": -1, "cores": -1, "ram": -1}
SHELVED = {VmState.SHELVED, VmState.SHELVED_OFFLOADED}
WITHOUT_DISK = {VmState.BUILDING, *SHELVED}
"""A shelved server is in its image; what is on its host may be half removed"""


def assert_consistent(cloud: FaultCloud, uuids: list[str]) -> None:
    """Everything that is held is held by one of *uuids*, exactly as its record says."""
    servers = [cloud.get(uuid) for uuid in uuids]
    alive = [server for server in servers if not server.deleted]
    placed = [server for server in alive if server.host]
    assert [server.uuid for server in alive if server.task_state is not None] == []
    _assert_room(cloud, alive, placed)
    holders = [server.uuid for server in alive if server.host or server.vm_state in SHELVED]
    assert sorted(cloud.allocated()) == sorted(uuid for uuid in holders for _ in cloud.addresses(uuid))
    _assert_hosts(cloud, placed)
    _assert_volumes(cloud)
    _assert_images(cloud, alive)


def _assert_room(cloud: FaultCloud, alive: list[Instance], placed: list[Instance]) -> None:
    claimed = [server for server in placed if server.vm_state is not VmState.SHELVED_OFFLOADED]
    assert sorted(cloud.claims()) == sorted(server.uuid for server in claimed)
    used = dict.fromkeys(cloud.drivers, (0, 0, 0))
    for server in claimed:
        flavor, (vcpus, memory_mb, disk_gb) = server.flavor, used[server.host]
        used[server.host] = (vcpus + flavor.vcpus, memory_mb + flavor.memory_mb, disk_gb + flavor.disk_gb)
    assert cloud.used() == used
    counted: Counter[str] = Counter()
    for server in alive:
        if server.vm_state is VmState.SOFT_DELETED:
            continue
        counted += Counter(instances=1, cores=server.flavor.vcpus, ram=server.flavor.memory_mb)
    for project in {server.project_id for server in alive}:
        found = cloud.db.run(lambda tx, project=project: quotas.usages(tx, project, defaults=COUNTED), write=False)
        kept = {name: found[name].in_use for name in ("instances", "cores", "ram") if found[name].in_use}
        assert kept == dict(counted)


def _assert_hosts(cloud: FaultCloud, placed: list[Instance]) -> None:
    """Guests, disks and filters are where their server is, and nowhere else."""
    where = {server.uuid: [server.host] for server in placed}
    disks: dict[str, list[str]] = {}
    for host, driver in cloud.drivers.items():
        for uuid in driver.disks:
            disks.setdefault(uuid, []).append(host)
    whole = [s for s in placed if s.vm_state not in WITHOUT_DISK and not half_deleted(cloud, s)]
    assert {s.uuid: [s.host] for s in whole}.items() <= disks.items() <= where.items()
    assert cloud.guests().items() <= where.items()
    for host, filters in cloud.filters.items():
        assert filters.instances <= {server.uuid for server in placed if server.host == host}
    for server in placed:
        driver = cloud.drivers[server.host]
        guest = driver.guests.get(server.uuid)
        state = PowerState.NOSTATE if guest is None else guest.state
        assert state in RUNS.get(server.vm_state, set(PowerState)), (server.vm_state, state)
        if server.vm_state is not VmState.ERROR:
            assert (guest is not None and guest.rescued) == (server.vm_state is VmState.RESCUED)
            assert (server.uuid in driver.rescue_disks) == (server.vm_state is VmState.RESCUED)


def _assert_images(cloud: FaultCloud, alive: list[Instance]) -> None:
    """Every image is the whole result of an operation that finished; no copy of a disk is left."""
    operations = [operation for server in alive for operation in cloud.operations(server.uuid)]
    finished = [each for each in operations if each.action in SNAPSHOTS and each.state is OperationState.FINISHED]
    wanted = {str(each.arguments["image"]["id"]) for each in finished}
    wanted |= {shelved_image_of(server) for server in alive if shelved_image_of(server)}
    assert {image.id for image in cloud.pictures()} == wanted
    assert [driver.copies for driver in cloud.drivers.values() if driver.copies] == []


def _assert_volumes(cloud: FaultCloud) -> None:
    """A volume is exported and in a guest while its record says that it is in use, and only then."""
    in_use = {}
    for volume in cloud.volumes():
        assert volume.status in ("available", "in-use"), volume
        if volume.status == "in-use":
            in_use[volume.id] = volume.instance_uuid
    exported = {export["path"].name.removeprefix("volume-") for export in cloud.target.exports.values()}
    assert exported <= in_use.keys()
    for driver in cloud.drivers.values():
        for uuid, guest in driver.guests.items():
            wanted = {volume for volume, server in in_use.items() if server == uuid}
            server = cloud.get(uuid)
            if server.vm_state in (VmState.ACTIVE, VmState.PAUSED):
                assert guest.volumes.keys() == wanted
            assert guest.volumes.keys() <= wanted
