# SPDX-License-Identifier: Apache-2.0
"""Servers follow guests that nobody asked for anything: at once by events, and by a look at all of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from nova.db.instances.rows import INSTANCES
from nova.domain.states import PowerState, TaskState, VmState
from nova.domain.transitions import FOLLOWS
from nova.errors import Unavailable
from tests.functional.test_deletion_workflow import pausing_before
from tests.functional.test_power_workflow import ask
from tests.functional.workflow_cloud import WorkflowCloud, wait_until


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[WorkflowCloud]:
    made = WorkflowCloud(tmp_path)
    made.add_scheduler()
    made.add_network()
    made.add_host("a")
    yield made
    made.close()


@pytest.fixture
def uuid(cloud: WorkflowCloud) -> str:
    [made] = cloud.boot()
    cloud.settled(made)
    return made


def put(cloud: WorkflowCloud, uuid: str, state: VmState, task: TaskState | None = None) -> None:
    """Behind everybody's back."""
    with cloud.db.transaction() as tx:
        tx.execute(update(INSTANCES).where(INSTANCES.c.uuid == uuid).values(vm_state=state, task_state=task))


def becomes(cloud: WorkflowCloud, uuid: str, state: VmState, power: PowerState) -> None:
    wait_until(
        lambda: (cloud.get(uuid).vm_state, cloud.get(uuid).power_state) == (state, power),
        20,
        lambda: str(cloud.get(uuid)),
    )


@pytest.mark.parametrize(("before", "power"), FOLLOWS)
def test_a_server_follows_its_guest_at_once(
    cloud: WorkflowCloud, uuid: str, before: VmState, power: PowerState
) -> None:
    put(cloud, uuid, before)
    end = FOLLOWS[before, power]

    def follows() -> bool:
        """Again and again, since the first look at all guests may come in between and find nothing new to tell."""
        cloud.daemons["a"].runner.told.note(uuid, None)
        cloud.drivers["a"].happens(uuid, power)
        return (cloud.get(uuid).vm_state, cloud.get(uuid).power_state) == (end, power)

    wait_until(follows, 20, lambda: str(cloud.get(uuid)))


def test_what_the_guest_does_is_known_where_it_changes_no_state(cloud: WorkflowCloud, uuid: str) -> None:
    put(cloud, uuid, VmState.RESCUED)
    cloud.drivers["a"].happens(uuid, PowerState.SHUTDOWN)
    becomes(cloud, uuid, VmState.RESCUED, PowerState.SHUTDOWN)


def test_a_server_that_something_is_being_done_to_is_left_to_that(cloud: WorkflowCloud, uuid: str) -> None:
    go_on = threading.Event()
    cloud.kill("a")
    cloud.start_compute("a", pause_before_step=pausing_before("pause_guest", go_on))
    ask(cloud, uuid, "pause")
    wait_until(lambda: uuid in cloud.daemons["a"].runner.touched_since(float("inf")), 10)
    cloud.drivers["a"].happens(uuid, PowerState.SHUTDOWN)
    [other] = cloud.boot()
    cloud.settled(other)
    cloud.drivers["a"].happens(other, PowerState.SHUTDOWN)
    becomes(cloud, other, VmState.STOPPED, PowerState.SHUTDOWN)
    assert cloud.get(uuid).task_state is TaskState.PAUSING
    go_on.set()
    becomes(cloud, uuid, VmState.STOPPED, PowerState.SHUTDOWN)
    assert cloud.operations(uuid)[0].state == "failed"


def test_what_an_operation_did_is_told_only_once(cloud: WorkflowCloud, uuid: str) -> None:
    driver = cloud.drivers["a"]
    [settled] = cloud.settled(uuid)
    before = cloud.sent["conductor"]
    driver.happens(uuid, PowerState.RUNNING)
    wait_until(lambda: cloud.daemons["a"].runner.told.get(uuid) is PowerState.RUNNING, 10)
    driver.happens(uuid, PowerState.SHUTDOWN)
    becomes(cloud, uuid, VmState.STOPPED, PowerState.SHUTDOWN)
    assert settled.power_state is PowerState.RUNNING
    assert cloud.sent["conductor"] - before == 2


def test_after_a_break_all_guests_are_looked_at(cloud: WorkflowCloud, uuid: str) -> None:
    driver = cloud.drivers["a"]
    driver.fail("wait_for_changes", Unavailable("libvirtd was restarted"))
    driver.guests[uuid].state = PowerState.CRASHED
    driver.happens("00000000-0000-4000-8000-000000000000", PowerState.RUNNING)
    becomes(cloud, uuid, VmState.STOPPED, PowerState.CRASHED)


def test_a_guest_that_stopped_while_its_hosts_daemon_was_down_is_seen_at_its_start(
    cloud: WorkflowCloud, uuid: str
) -> None:
    cloud.kill("a")
    cloud.drivers["a"].happens(uuid, PowerState.NOSTATE)
    cloud.start_compute("a")
    becomes(cloud, uuid, VmState.STOPPED, PowerState.NOSTATE)
    cloud.start(uuid)
    assert cloud.settled(uuid)[0].vm_state is VmState.ACTIVE


def test_a_guest_of_a_server_deleted_behind_its_hosts_back_is_removed_when_its_host_is_back(
    cloud: WorkflowCloud, uuid: str
) -> None:
    cloud.kill("a")
    cloud.silence("a")
    cloud.delete(uuid)
    assert cloud.settled(uuid)[0].deleted
    assert cloud.claims() == []
    assert list(cloud.guests()) == [uuid]
    cloud.start_compute("a")
    wait_until(lambda: cloud.guests() == {} and cloud.directories() == set(), 20)
