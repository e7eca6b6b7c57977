# SPDX-License-Identifier: Apache-2.0
"""What becomes of an order: carried out, reported until it is accepted, resumed, given up, undone."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from nova.compute.operations.boot import STEPS
from nova.domain.states import PowerState
from nova.domain.transitions import Action
from nova.errors import Forbidden, HypervisorError, InvalidImage, NoCapacity, Timeout, Unavailable
from tests.unit.compute.stand_ins import CONTEXT, ComputeHost, build, instance, order


@pytest.fixture
def a(tmp_path: Path) -> ComputeHost:
    """A compute host without any work."""
    return ComputeHost(tmp_path)


def test_a_build_is_reported_with_its_steps_and_the_guests_power_state(a: ComputeHost) -> None:
    a.runner.accept(CONTEXT, build())
    [report] = a.settled()
    assert report.fault is None
    assert report.power_state is PowerState.RUNNING
    assert [event.result for event in report.events] == ["Success"] * len(STEPS)
    assert a.conductor.asked == [7]
    assert a.journals.unfinished() == []


def test_a_report_is_tried_again_until_it_is_accepted(a: ComputeHost) -> None:
    a.conductor.refusals = [Unavailable("no broker"), Timeout("no answer"), Unavailable("no database")]
    a.runner.accept(CONTEXT, build())
    [report] = a.settled()
    assert report.fault is None
    assert a.driver.calls.count("start") == 1


def test_a_failed_build_leaves_nothing_on_the_host_and_says_why(a: ComputeHost) -> None:
    a.driver.fail("start", HypervisorError("The domain does not start.", detail="qemu: no such bridge"))
    a.runner.accept(CONTEXT, build())
    [report] = a.settled()
    assert report.fault is not None
    assert report.fault.message == "The domain does not start."
    assert "On host a, in step start_guest" in report.fault.details
    assert "no such bridge" in report.fault.details
    assert report.may_retry_elsewhere
    assert (a.driver.guests, a.driver.disks) == ({}, {})


@pytest.mark.parametrize(
    ("error", "elsewhere"),
    [
        (NoCapacity("No space left on device."), True),
        (Unavailable("libvirtd does not answer"), True),
        (InvalidImage("The image has a backing file."), False),
        (Forbidden("The image is not yours."), False),
    ],
)
def test_only_a_cause_that_may_be_the_hosts_is_worth_another_host(
    a: ComputeHost, error: HypervisorError, elsewhere: bool
) -> None:
    a.driver.fail("fetch_images", error)
    a.runner.accept(CONTEXT, build())
    [report] = a.settled()
    assert report.may_retry_elsewhere is elsewhere


def test_a_build_that_is_not_ours_any_more_is_removed(a: ComputeHost) -> None:
    a.conductor.refusals = [Forbidden("not in your hands")]
    a.runner.accept(CONTEXT, build())
    assert a.settled() == []
    assert (a.driver.guests, a.driver.disks) == ({}, {})
    assert a.journals.unfinished() == []


def test_an_order_that_was_done_is_not_done_again(a: ComputeHost) -> None:
    a.runner.accept(CONTEXT, build())
    a.settled()
    a.runner.accept(CONTEXT, build())
    assert len(a.settled()) == 1


def test_a_build_that_comes_after_the_delete_of_its_server_is_not_begun(a: ComputeHost) -> None:
    a.runner.accept(CONTEXT, order(Action.DELETE, 8))
    a.settled()
    a.runner.accept(CONTEXT, build(7))
    assert [report.action for report in a.settled()] == ["delete", "create"]
    assert a.conductor.reports[1].fault is not None
    assert not a.conductor.reports[1].may_retry_elsewhere
    assert "create_disks" not in a.driver.calls


def test_a_report_that_was_not_delivered_before_a_restart_is_delivered_after_it(a: ComputeHost) -> None:
    a.conductor.refusals = [Unavailable("no broker")] * 1000
    a.runner.accept(CONTEXT, build())
    while not (left := a.journals.unfinished()) or left[0].report is None:
        assert a.conductor.refusals
    a.runner.stop(5)
    a.conductor.refusals = []
    again = a.new_runner()
    again.resume(a.journals.unfinished())
    assert again.wait_idle(10)
    assert [report.operation_id for report in a.conductor.reports] == [7]
    assert a.driver.guests[instance().uuid].starts == 1


def test_what_was_given_to_another_host_is_undone_and_not_resumed(a: ComputeHost) -> None:
    journal = a.journals.open(CONTEXT, build())
    journal.attempt()
    journal.began("create_disks")
    a.driver.create_disks(instance(), image=None, kernel=None, ramdisk=None)
    a.conductor.ended = {7}
    a.conductor.refusals = [Forbidden("not in your hands")]
    a.runner.resume([journal])
    a.settled()
    assert a.driver.disks == {}
    assert "start" not in a.driver.calls


def test_an_order_that_is_out_of_date_is_not_begun(a: ComputeHost) -> None:
    a.conductor.ended = {7}
    a.runner.accept(CONTEXT, order(Action.REBOOT_HARD))
    [report] = a.settled()
    assert report.fault is not None
    assert (a.driver.calls, report.events) == ([], ())


def test_a_delete_that_is_out_of_date_stops_nothing(a: ComputeHost) -> None:
    a.conductor.ended = {8}
    a.runner.accept(CONTEXT, order(Action.DELETE, 8))
    a.settled()
    a.runner.accept(CONTEXT, build(9))
    assert a.settled()[-1].fault is None


def test_a_delete_that_failed_does_not_keep_later_orders_from_being_done(a: ComputeHost) -> None:
    a.driver.fail("destroy", HypervisorError("not now"))
    a.runner.accept(CONTEXT, order(Action.DELETE, 8))
    a.settled()
    a.runner.accept(CONTEXT, order(Action.REBOOT_HARD, 9))
    assert [report.fault is None for report in a.settled()] == [False, True]


@pytest.mark.parametrize("action", [Action.START, Action.REBOOT_HARD, Action.STOP])
def test_what_was_done_after_others_had_ended_the_operation_is_undone(a: ComputeHost, action: Action) -> None:
    a.conductor.refusals = [Forbidden("not in your hands")]
    a.runner.accept(CONTEXT, order(action))
    assert a.settled() == []
    assert a.driver.guests.keys() == ({instance().uuid} if action is Action.REBOOT_HARD else set())


def test_an_undo_waits_for_a_hypervisor_that_is_away(a: ComputeHost) -> None:
    a.driver.fail("start", HypervisorError("no"))
    a.driver.fail("destroy", Unavailable("libvirtd does not answer"), times=3)
    a.runner.accept(CONTEXT, build())
    [report] = a.settled()
    assert report.fault is not None
    assert a.driver.calls.count("destroy") == 4
    assert (a.driver.guests, a.driver.disks) == ({}, {})


def test_an_undo_that_waits_when_the_daemon_stops_is_left_to_its_next_start(a: ComputeHost) -> None:
    a.driver.fail("start", HypervisorError("no"))
    a.driver.fail("destroy", Unavailable("libvirtd does not answer"), times=1000)
    a.runner.accept(CONTEXT, build())
    while a.driver.calls.count("destroy") < 2:
        assert a.conductor.reports == []
    a.runner.stop(5)
    assert a.runner.wait_idle(10)
    [left] = a.journals.unfinished()
    assert (left.report, a.conductor.reports) == (None, [])
    assert "start_guest" in left.begun_steps()


def test_no_step_is_done_before_nova_conductor_has_answered(a: ComputeHost) -> None:
    a.conductor.away = [Unavailable("no broker"), Timeout("no answer")]
    a.runner.accept(CONTEXT, build())
    [report] = a.settled()
    assert report.fault is None
    assert a.conductor.away == []


def test_a_daemon_that_stops_before_it_was_answered_keeps_the_order(a: ComputeHost) -> None:
    a.conductor.away = [Unavailable("no broker")] * 1000
    a.runner.accept(CONTEXT, build())
    a.runner.stop(5)
    assert a.runner.wait_idle(10)
    [left] = a.journals.unfinished()
    assert (left.events, left.report, a.conductor.reports) == ((), None, [])


def test_orders_of_two_attempts_are_two_orders(a: ComputeHost) -> None:
    a.runner.accept(CONTEXT, order(Action.REBOOT_HARD))
    a.settled()
    a.runner.accept(CONTEXT, dataclasses.replace(order(Action.REBOOT_HARD), attempt=2))
    assert [report.attempt for report in a.settled()] == [1, 2]


def test_orders_for_different_servers_do_not_wait_for_each_other(a: ComputeHost) -> None:
    a.driver.delay("create_disks", 0.2)
    for number in range(1, 9):
        a.runner.accept(CONTEXT, build(number, number))
    assert len(a.settled()) == 8
    assert len(a.driver.guests) == 8


def test_an_action_that_no_host_does_is_reported_as_failed(a: ComputeHost) -> None:
    a.runner.accept(CONTEXT, order(Action.UPDATE_METADATA))
    [report] = a.settled()
    assert report.fault is not None


def test_an_order_is_accepted_on_a_full_disk(a: ComputeHost, tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("no directory")
    a.runner.accept(CONTEXT, order(Action.DELETE))
    [report] = a.settled()
    assert report.fault is None
