# SPDX-License-Identifier: Apache-2.0
"""Pause, suspend and their ends, from the request to the guest, with all daemons."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova.api.actions import inside
from nova.db import instances
from nova.domain.states import OperationState, PowerState, VmState
from nova.errors import HypervisorError
from tests.functional.osapi.test_life_of_a_server import Client
from tests.functional.test_rescue_workflow import killed_at
from tests.functional.workflow_cloud import ALICE, WorkflowCloud, wait_until


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
    """A server that runs."""
    [made] = cloud.boot()
    cloud.settled(made)
    return made


def ask(cloud: WorkflowCloud, uuid: str, action: str) -> None:
    status, answer = Client(cloud).call("POST", f"/servers/{uuid}/action", {action: None})
    assert status == 202, answer


def act(cloud: WorkflowCloud, uuid: str, action: str) -> VmState:
    ask(cloud, uuid, action)
    return cloud.settled(uuid)[0].vm_state


@pytest.mark.parametrize(
    ("action", "state", "power", "back"),
    [
        ("pause", VmState.PAUSED, PowerState.PAUSED, "unpause"),
        ("suspend", VmState.SUSPENDED, PowerState.SHUTDOWN, "resume"),
    ],
)
def test_a_guest_rests_and_goes_on_without_a_boot(
    cloud: WorkflowCloud, uuid: str, action: str, state: VmState, power: PowerState, back: str
) -> None:
    assert act(cloud, uuid, action) is state
    assert cloud.get(uuid).power_state is cloud.drivers["a"].guests[uuid].state is power
    assert act(cloud, uuid, back) is VmState.ACTIVE
    assert cloud.get(uuid).power_state is PowerState.RUNNING
    assert cloud.drivers["a"].guests[uuid].starts == 1
    assert [each.action for each in cloud.operations(uuid)] == [back, action, "create"]


@pytest.mark.parametrize(
    ("before", "action", "method", "state"),
    [
        ("", "pause", "pause", VmState.ACTIVE),
        ("pause", "unpause", "unpause", VmState.PAUSED),
        ("", "suspend", "suspend", VmState.ACTIVE),
        ("suspend", "resume", "start", VmState.SUSPENDED),
    ],
)
def test_what_fails_leaves_the_server_as_it_was_and_can_be_asked_again(
    cloud: WorkflowCloud, uuid: str, before: str, action: str, method: str, state: VmState
) -> None:
    if before:
        act(cloud, uuid, before)
    cloud.drivers["a"].fail(method, HypervisorError("not now"))
    assert act(cloud, uuid, action) is state
    assert cloud.operations(uuid)[0].state is OperationState.FAILED
    assert "not now" in str(cloud.fault(uuid))
    assert act(cloud, uuid, action) is not state


@pytest.mark.parametrize("before", ["pause", "suspend"])
def test_a_hard_reboot_ends_the_rest(cloud: WorkflowCloud, uuid: str, before: str) -> None:
    act(cloud, uuid, before)
    cloud.reboot(uuid, hard=True)
    assert cloud.settled(uuid)[0].vm_state is VmState.ACTIVE
    guest = cloud.drivers["a"].guests[uuid]
    assert (guest.state, guest.saved) == (PowerState.RUNNING, False)


@pytest.mark.parametrize("before", ["pause", "suspend"])
def test_a_resting_server_is_deleted(cloud: WorkflowCloud, uuid: str, before: str) -> None:
    act(cloud, uuid, before)
    cloud.delete(uuid)
    assert cloud.settled(uuid)[0].deleted
    assert cloud.guests() == {}


def set_agent(cloud: WorkflowCloud, uuid: str, word: str) -> None:
    """Let the server's image have had a guest agent, or none."""
    cloud.db.run(lambda tx: instances.set_system_metadata(tx, uuid, {"image_hw_qemu_guest_agent": word}))


def call(cloud: WorkflowCloud, uuid: str, action: object, *, status: int) -> object:
    answered, body = Client(cloud).call("POST", f"/servers/{uuid}/action", action)
    assert answered == status, body
    return body


def test_a_password_is_set_by_the_guests_agent_if_it_has_one(cloud: WorkflowCloud, uuid: str) -> None:
    wanted = {"changePassword": {"adminPass": "open sesame"}}
    set_agent(cloud, uuid, "no")
    call(cloud, uuid, wanted, status=501)
    set_agent(cloud, uuid, "yes")
    call(cloud, uuid, wanted, status=202)
    assert cloud.settled(uuid)[0].vm_state is VmState.ACTIVE
    assert cloud.drivers["a"].passwords == {uuid: "open sesame"}
    cloud.drivers["a"].happens(uuid, PowerState.SHUTDOWN)
    wait_until(lambda: cloud.get(uuid).vm_state is VmState.STOPPED, 10)
    call(cloud, uuid, wanted, status=409)


def test_a_password_that_a_restart_lost_must_be_given_again(cloud: WorkflowCloud, uuid: str) -> None:
    killed_at(
        cloud,
        "set_admin_password",
        lambda: call(cloud, uuid, {"changePassword": {"adminPass": "open sesame"}}, status=202),
    )
    assert cloud.settled(uuid)[0].vm_state is VmState.ACTIVE
    assert cloud.drivers["a"].passwords == {}
    assert "once more" in str(cloud.fault(uuid))
    assert b"sesame" not in b"".join(path.read_bytes() for path in cloud.directory.rglob("*") if path.is_file())


def test_counters_and_the_crash_interrupt_reach_the_guest(cloud: WorkflowCloud, uuid: str) -> None:
    found = inside.diagnostics(cloud.api, dataclasses.replace(ALICE, is_admin=True), uuid)
    assert found["cpu0_time"] > 0
    cloud.db.run(lambda tx: inside.trigger_crash_dump(cloud.api, tx, ALICE, uuid))
    wait_until(lambda: b"interrupted" in cloud.drivers["a"].guests[uuid].console, 10)
