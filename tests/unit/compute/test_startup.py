# SPDX-License-Identifier: Apache-2.0
"""nova-compute waits for what it needs, finishes old work and brings guests back; one that is broken stops nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from nova.compute.startup import come_up
from nova.domain.orders import AnyOrder, InstanceOrder, UnfinishedOrders
from nova.domain.states import PowerState, TaskState, VmState
from nova.domain.transitions import Action
from nova.errors import HypervisorError, Unavailable
from nova.virt.driver import Guest
from tests.unit.compute.stand_ins import CONTEXT, ComputeHost, build, instance, never, order


def test_it_waits_for_a_hypervisor_that_is_down(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    a = ComputeHost(tmp_path)
    a.driver.fail("check", Unavailable("libvirtd does not answer"), times=2)
    come_up(a.host, a.runner, a.journals, stopping=never())
    assert len(a.conductor.resources) == 1
    assert "libvirtd does not answer" in caplog.text


def test_interrupted_work_is_finished_and_orders_that_never_came_are_fetched(tmp_path: Path) -> None:
    a = ComputeHost(tmp_path)
    a.journals.open(CONTEXT, build(3, 1)).attempt()
    a.conductor.unfinished = UnfinishedOrders(orders=tuple(map(AnyOrder.of, (build(3, 1), order(Action.START, 4, 2)))))
    come_up(a.host, a.runner, a.journals, stopping=never())
    assert sorted(report.operation_id for report in a.settled()) == [3, 4]
    assert len(a.driver.guests) == 2


def guests_to_resume() -> list[InstanceOrder]:
    states = (
        {"vm_state": VmState.ACTIVE},
        {"vm_state": VmState.STOPPED},
        {"vm_state": VmState.ACTIVE, "task_state": TaskState.POWERING_OFF},
        {"vm_state": VmState.ACTIVE},
    )
    return [
        InstanceOrder(operation_id=0, action="", instance=instance(number, **changes))
        for number, changes in enumerate(states, 1)
    ]


def test_guests_that_should_run_are_started_and_a_broken_one_does_not_stop_the_others(tmp_path: Path) -> None:
    a = ComputeHost(tmp_path, resume_guests=True)
    a.conductor.orders = guests_to_resume()
    a.driver.fail("start", HypervisorError("the disk is gone"))
    come_up(a.host, a.runner, a.journals, stopping=never())
    assert a.driver.power_states() == {instance(4).uuid: PowerState.RUNNING}


def test_a_rescued_server_is_started_from_its_rescue_disk(tmp_path: Path) -> None:
    a = ComputeHost(tmp_path, resume_guests=True)
    patient = instance(1, vm_state=VmState.RESCUED)
    a.driver.rescue_disks[patient.uuid] = "rescue-image"
    a.conductor.orders = [InstanceOrder(operation_id=0, action="", instance=patient)]
    come_up(a.host, a.runner, a.journals, stopping=never())
    assert a.driver.guests[patient.uuid].rescued


def test_a_paused_server_is_paused_again_before_it_runs_and_a_suspended_one_waits(tmp_path: Path) -> None:
    a = ComputeHost(tmp_path, resume_guests=True)
    paused, suspended = instance(1, vm_state=VmState.PAUSED), instance(2, vm_state=VmState.SUSPENDED)
    a.driver.start(Guest(instance=suspended))
    a.driver.suspend(suspended)
    a.conductor.orders = [InstanceOrder(operation_id=0, action="", instance=each) for each in (paused, suspended)]
    come_up(a.host, a.runner, a.journals, stopping=never())
    assert a.driver.power_states() == {paused.uuid: PowerState.PAUSED, suspended.uuid: PowerState.SHUTDOWN}
    assert a.driver.guests[suspended.uuid].saved


def test_guests_stay_off_where_the_operator_wants_that(tmp_path: Path) -> None:
    a = ComputeHost(tmp_path)
    a.conductor.orders = guests_to_resume()
    come_up(a.host, a.runner, a.journals, stopping=never())
    assert a.driver.power_states() == {}


def test_a_stop_ends_the_waiting(tmp_path: Path) -> None:
    a = ComputeHost(tmp_path)
    stopping = never()
    stopping.set()
    come_up(a.host, a.runner, a.journals, stopping=stopping)
    assert a.conductor.resources == []
