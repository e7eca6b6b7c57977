# SPDX-License-Identifier: Apache-2.0
"""Attach and detach through a compute host: what the guest, the volume and the server's devices are afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nova.db import block_devices, instances, operations, volumes
from nova.db.orders import order_for
from nova.domain.block_device import BlockDevice
from nova.domain.states import OperationState, VmState, VolumeStatus
from nova.domain.transitions import Action
from nova.domain.volume import Volume
from nova.errors import HypervisorError
from nova.interfaces.compute import give_order
from tests.functional.workflow_cloud import ALICE, WorkflowCloud, wait_until

VOLUME = "44444444-4444-4444-8444-444444444444"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[WorkflowCloud]:
    """A cloud with a compute host, storage, and a volume that is available."""
    made = WorkflowCloud(tmp_path)
    made.add_scheduler()
    made.add_network()
    made.add_storage()
    made.add_host("a")
    with made.db.transaction() as tx:
        volumes.create(
            tx,
            Volume(
                id=VOLUME,
                user_id="alice",
                project_id="apples",
                size_gb=1,
                status=VolumeStatus.AVAILABLE,
                host="storage",
            ),
        )
    yield made
    made.close()


def attach(cloud: WorkflowCloud, uuid: str, *, delete_on_termination: bool = False) -> None:
    """What the API does for an attach."""
    with cloud.db.transaction() as tx:
        volumes.begin_attach(tx, VOLUME, project_id="apples", instance_uuid=uuid, host="a", mountpoint="/dev/vdb")
        device = BlockDevice(
            instance_uuid=uuid,
            source_type="volume",
            destination_type="volume",
            device_name="/dev/vdb",
            volume_id=VOLUME,
            delete_on_termination=delete_on_termination,
        )
        block_devices.add(tx, device)
    ask(cloud, uuid, Action.ATTACH_VOLUME)


def detach(cloud: WorkflowCloud, uuid: str) -> None:
    """What the API does for a detach."""
    with cloud.db.transaction() as tx:
        volumes.begin_detach(tx, VOLUME, project_id="apples", instance_uuid=uuid)
    ask(cloud, uuid, Action.DETACH_VOLUME)


def ask(cloud: WorkflowCloud, uuid: str, action: Action) -> None:
    with cloud.db.transaction() as tx:
        instances.begin(tx, uuid, action)
        [operation] = operations.open(
            tx, action, instance_uuids=[uuid], context=ALICE, arguments={"volume_id": VOLUME}, host="a"
        )
        order = order_for(tx, operation, instances.get(tx, uuid))
    give_order(cloud.api.compute.on("a"), ALICE, order)
    wait_until(lambda: cloud.operations(uuid)[0].state not in (OperationState.REQUESTED, OperationState.RUNNING), 10)


def volume(cloud: WorkflowCloud) -> Volume:
    with cloud.db.transaction() as tx:
        return volumes.get(tx, VOLUME)


def devices(cloud: WorkflowCloud, uuid: str) -> list[tuple[str, bool]]:
    with cloud.db.transaction() as tx:
        return [(each.volume_id, each.attached) for each in block_devices.for_instance(tx, uuid) if each.volume_id]


def booted(cloud: WorkflowCloud) -> str:
    [uuid] = cloud.boot()
    cloud.settled(uuid)
    return uuid


def test_a_volume_is_attached_survives_a_hard_reboot_and_is_detached(cloud: WorkflowCloud) -> None:
    uuid = booted(cloud)
    attach(cloud, uuid)
    assert (volume(cloud).status, volume(cloud).instance_uuid) == (VolumeStatus.IN_USE, uuid)
    assert devices(cloud, uuid) == [(VOLUME, True)]
    assert cloud.storage.exports == {(VOLUME, "a")}
    cloud.reboot(uuid, hard=True)
    cloud.settled(uuid)
    assert set(cloud.drivers["a"].guests[uuid].volumes) == {VOLUME}
    detach(cloud, uuid)
    assert (volume(cloud).status, volume(cloud).instance_uuid) == (VolumeStatus.AVAILABLE, "")
    assert devices(cloud, uuid) == []
    assert cloud.storage.exports == set()
    assert cloud.drivers["a"].guests[uuid].volumes == {}


def test_an_attach_that_fails_leaves_server_and_volume_as_they_were_and_says_why(cloud: WorkflowCloud) -> None:
    uuid = booted(cloud)
    cloud.drivers["a"].fail("attach_volume", HypervisorError("The portal does not answer."))
    attach(cloud, uuid)
    assert cloud.get(uuid).vm_state is VmState.ACTIVE
    assert volume(cloud).status is VolumeStatus.AVAILABLE
    assert devices(cloud, uuid) == []
    assert cloud.storage.exports == set()
    newest = cloud.operations(uuid)[0]
    assert (newest.state, newest.message) == (OperationState.FAILED, "The portal does not answer.")
    fault = cloud.fault(uuid)
    assert fault is not None
    assert fault.message == "The portal does not answer."


def test_a_detach_that_fails_leaves_the_volume_attached(cloud: WorkflowCloud) -> None:
    uuid = booted(cloud)
    attach(cloud, uuid)
    cloud.drivers["a"].fail("detach_volume", HypervisorError("The guest does not let go."))
    detach(cloud, uuid)
    assert volume(cloud).status is VolumeStatus.IN_USE
    assert devices(cloud, uuid) == [(VOLUME, True)]


@pytest.mark.parametrize(("with_server", "expected"), [(False, VolumeStatus.AVAILABLE), (True, VolumeStatus.DELETING)])
def test_a_delete_frees_its_volumes_or_takes_them_along(
    cloud: WorkflowCloud, with_server: bool, expected: VolumeStatus
) -> None:
    uuid = booted(cloud)
    attach(cloud, uuid, delete_on_termination=with_server)
    cloud.delete(uuid)
    cloud.settled(uuid)
    assert volume(cloud).status is expected
    assert cloud.storage.exports == set()
