# SPDX-License-Identifier: Apache-2.0
"""A journal that was left by a killed daemon says what was ordered and how far it came."""

from __future__ import annotations

from pathlib import Path

import pytest

from nova.context import RequestContext
from nova.domain.flavor import STOCK_FLAVORS
from nova.domain.instance import Instance
from nova.domain.orders import BuildOrder, InstanceOrder, OperationReport
from nova.domain.states import VmState
from nova.errors import HypervisorError
from nova.secret import Secret
from nova.workflow.journal import JournalDirectory


def build_order(operation_id: int = 7) -> BuildOrder:
    instance = Instance(
        id=1,
        uuid="11111111-1111-4111-8111-111111111111",
        user_id="u",
        project_id="p",
        display_name="one",
        hostname="one",
        flavor=STOCK_FLAVORS[0],
        vm_state=VmState.BUILDING,
    )
    order = InstanceOrder(operation_id=operation_id, action="create", instance=instance)
    return BuildOrder(order=order, image=None, admin_password=Secret("hunter2"))


def context() -> RequestContext:
    return RequestContext(user_id="u", project_id="p", auth_token=Secret("token-of-alice"))


def test_a_left_journal_tells_the_order_and_the_steps(tmp_path: Path) -> None:
    journal = JournalDirectory(tmp_path, host="a").open(context(), build_order())
    journal.attempt()
    journal.began("fetch_images")
    journal.ended("fetch_images")
    journal.began("create_disks")
    [found] = JournalDirectory(tmp_path, host="a").unfinished()
    assert isinstance(found.order, BuildOrder)
    assert found.order.order == build_order().order
    assert (found.attempts, found.last_step()) == (1, "create_disks")
    assert [event.result for event in found.events] == ["Success", ""]
    assert found.begun_steps() == {"fetch_images", "create_disks"}


def test_no_password_and_no_token_is_written_down(tmp_path: Path) -> None:
    JournalDirectory(tmp_path, host="a").open(context(), build_order())
    [path] = tmp_path.iterdir()
    assert b"hunter2" not in path.read_bytes()
    assert b"token-of-alice" not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_error_of_a_step_is_kept_with_its_traceback(tmp_path: Path) -> None:
    journal = JournalDirectory(tmp_path, host="a").open(context(), build_order())
    journal.began("start_guest")
    journal.ended("start_guest", HypervisorError("no room"))
    [found] = JournalDirectory(tmp_path, host="a").unfinished()
    assert found.events[0].result == "Error"
    assert "no room" in found.events[0].traceback


def test_a_line_that_was_cut_off_is_left_out_and_later_ones_count(tmp_path: Path) -> None:
    directory = JournalDirectory(tmp_path, host="a")
    directory.open(context(), build_order()).began("fetch_images")
    [path] = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-9])
    [found] = directory.unfinished()
    assert found.events == ()
    found.began("create_disks")
    [again] = directory.unfinished()
    assert again.last_step() == "create_disks"


def test_the_report_is_kept_until_it_is_accepted(tmp_path: Path) -> None:
    directory = JournalDirectory(tmp_path, host="a")
    journal = directory.open(context(), build_order())
    report = OperationReport(operation_id=7, instance_uuid="i", action="create", host="a")
    journal.close(report)
    [found] = directory.unfinished()
    assert found.report == report
    found.discard()
    assert directory.unfinished() == []


def test_a_file_that_is_no_journal_is_set_aside_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "3.journal").write_bytes(b"\x00\xffnonsense\n")
    directory = JournalDirectory(tmp_path, host="a")
    directory.open(context(), build_order())
    assert len(directory.unfinished()) == 1
    assert "set aside" in caplog.text
    assert (tmp_path / "3.journal.bad").exists()


def test_journals_come_oldest_order_first(tmp_path: Path) -> None:
    directory = JournalDirectory(tmp_path, host="a")
    for number in (30, 4, 100):
        directory.open(context(), build_order(number))
    found = [
        journal.order.order.operation_id for journal in directory.unfinished() if isinstance(journal.order, BuildOrder)
    ]
    assert found == [4, 30, 100]


def test_a_directory_that_cannot_be_written_leaves_a_journal_in_memory(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no directory")
    journal = JournalDirectory(blocked / "journal", host="a").open(context(), build_order())
    journal.began("fetch_images")
    assert journal.last_step() == "fetch_images"


def test_an_order_that_comes_again_goes_on_with_its_journal(tmp_path: Path) -> None:
    directory = JournalDirectory(tmp_path, host="a")
    directory.open(context(), build_order()).attempt()
    assert directory.open(context(), build_order()).attempts == 1
