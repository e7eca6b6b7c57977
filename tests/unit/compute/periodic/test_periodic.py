# SPDX-License-Identifier: Apache-2.0
"""The periodic work of a compute host."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from nova.compute.periodic.heartbeat import send_heartbeat
from nova.compute.periodic.leftovers import remove_leftovers
from nova.compute.periodic.power_states import report_power_states
from nova.domain.orders import InstanceOrder
from nova.domain.states import PowerState, VmState
from nova.errors import HypervisorError, Unavailable
from nova.system.clock import utc_now
from nova.virt.driver import Guest
from tests.unit.compute.stand_ins import CONTEXT, ComputeHost, build, instance


def with_guests(a: ComputeHost, *numbers: int) -> None:
    for number in numbers:
        a.driver.create_disks(instance(number), image=None, kernel=None, ramdisk=None)
        a.driver.start(Guest(instance=instance(number)))


def test_no_heartbeat_while_the_hypervisor_does_not_answer(tmp_path: Path) -> None:
    a = ComputeHost(tmp_path)
    a.driver.fail("check", Unavailable("libvirtd does not answer"))
    with pytest.raises(Unavailable, match="libvirtd"):
        send_heartbeat(a.host)
    assert a.conductor.beats == []
    send_heartbeat(a.host)
    assert a.conductor.beats == ["nova-compute"]


def test_guests_of_deleted_servers_go_and_strangers_stay(tmp_path: Path) -> None:
    a = ComputeHost(tmp_path)
    with_guests(a, 1, 2, 3)
    a.conductor.on_host = [instance(1)]
    a.conductor.deleted = [instance(2, deleted=True)]
    a.conductor.elsewhere = {instance(3).uuid}
    remove_leftovers(a.host, a.runner)
    left = {instance(1).uuid, instance(3).uuid}
    assert set(a.driver.guests) == set(a.driver.disks) == left


def test_a_leftover_that_cannot_be_removed_does_not_keep_the_next_one(tmp_path: Path) -> None:
    a = ComputeHost(tmp_path)
    with_guests(a, 1, 2)
    a.conductor.deleted = [instance(1, deleted=True), instance(2, deleted=True)]
    a.driver.fail("destroy", HypervisorError("busy"))
    remove_leftovers(a.host, a.runner)
    assert set(a.driver.guests) == {instance(1).uuid}


@pytest.mark.parametrize(
    ("action", "state", "named"),
    [
        ("noop", PowerState.RUNNING, False),
        ("log", PowerState.RUNNING, True),
        ("shutdown", PowerState.SHUTDOWN, True),
        ("reap", None, True),
    ],
)
@pytest.mark.parametrize("kind", ["deleted", "unknown"])
def test_the_operator_says_what_becomes_of_leftovers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str, action: str, state: PowerState | None, named: bool
) -> None:
    a = ComputeHost(tmp_path, **{f"{kind}_guest_action": action})
    with_guests(a, 1)
    if kind == "deleted":
        a.conductor.deleted = [instance(1, deleted=True)]
    remove_leftovers(a.host, a.runner)
    assert a.driver.power_states().get(instance(1).uuid) is state
    assert (instance(1).uuid in a.driver.disks) == (action != "reap")
    assert (instance(1).uuid in caplog.text) == named


def test_strangers_are_only_named_where_nothing_else_was_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    a = ComputeHost(tmp_path)
    with_guests(a, 1)
    remove_leftovers(a.host, a.runner)
    assert a.driver.power_states() == {instance(1).uuid: PowerState.RUNNING}
    assert "not known to the database" in caplog.text


def test_what_was_deleted_just_now_may_have_time(tmp_path: Path) -> None:
    a = ComputeHost(tmp_path, deleted_guest_grace_s=600)
    with_guests(a, 1, 2)
    long_ago = utc_now() - datetime.timedelta(seconds=601)
    a.conductor.deleted = [
        instance(1, deleted=True, terminated_at=utc_now()),
        instance(2, deleted=True, terminated_at=long_ago),
    ]
    remove_leftovers(a.host, a.runner)
    assert set(a.driver.guests) == {instance(1).uuid}


def test_a_guest_that_runs_and_must_not_is_powered_off(tmp_path: Path) -> None:
    a = ComputeHost(tmp_path)
    with_guests(a, 1)
    kept = instance(1, vm_state=VmState.SOFT_DELETED)
    a.conductor.orders = [InstanceOrder(operation_id=0, action="", instance=kept)]
    report_power_states(a.host, a.runner)
    assert a.driver.power_states() == {instance(1).uuid: PowerState.SHUTDOWN}


def test_power_states_of_servers_that_were_just_worked_on_are_not_reported(tmp_path: Path) -> None:
    a = ComputeHost(tmp_path)
    with_guests(a, 2)
    moments = iter([0.0])
    a.runner.accept(CONTEXT, build(7, 1))
    a.settled()
    report_power_states(a.host, a.runner, monotonic=lambda: next(moments))
    [report] = a.conductor.guest_reports
    assert report.states == {instance(2).uuid: PowerState.RUNNING}
    assert report.busy == (instance(1).uuid,)
    assert report.complete
