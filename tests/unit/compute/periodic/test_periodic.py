# SPDX-License-Identifier: Apache-2.0
"""The periodic work of a compute host."""

from __future__ import annotations

from pathlib import Path

import pytest

from nova.compute.periodic.heartbeat import send_heartbeat
from nova.compute.periodic.leftovers import remove_leftovers
from nova.compute.periodic.power_states import report_power_states
from nova.domain.states import PowerState
from nova.errors import HypervisorError, Unavailable
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


def test_leftovers_are_only_named_where_the_operator_wants_that(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    a = ComputeHost(tmp_path, reap_deleted_guests=False)
    with_guests(a, 1)
    a.conductor.deleted = [instance(1, deleted=True)]
    remove_leftovers(a.host, a.runner)
    assert set(a.driver.guests) == {instance(1).uuid}
    assert instance(1).uuid in caplog.text


def test_power_states_of_servers_that_were_just_worked_on_are_not_reported(tmp_path: Path) -> None:
    a = ComputeHost(tmp_path)
    with_guests(a, 2)
    moments = iter([0.0])
    a.runner.accept(CONTEXT, build(7, 1))
    a.settled()
    report_power_states(a.host, a.runner, monotonic=lambda: next(moments))
    assert a.conductor.states == [{instance(2).uuid: PowerState.RUNNING}]
