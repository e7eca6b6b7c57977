# SPDX-License-Identifier: Apache-2.0
"""Steps run in order; a failure undoes what began; a step can be kept from beginning."""

from __future__ import annotations

import logging

import pytest

from nova.errors import HypervisorError, Timeout
from nova.workflow.steps import Control, Step, Superseded, run, undo


class Trail:
    """The state object of the operation under test: it notes what was done to it."""

    def __init__(self, fail_in: frozenset[str] = frozenset()) -> None:
        self.seen: list[str] = []
        self.fail_in = fail_in

    def note(self, what: str) -> None:
        self.seen.append(what)
        if what in self.fail_in:
            raise HypervisorError(f"{what} broke")


class Notes:
    """A record in memory."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def began(self, step: str) -> None:
        self.lines.append(f"began {step}")

    def ended(self, step: str, error: BaseException | None = None) -> None:
        self.lines.append(f"ended {step}" + (f": {error}" if error else ""))


def first(trail: Trail) -> None:
    trail.note("first")


def second(trail: Trail) -> None:
    trail.note("second")


def third(trail: Trail) -> None:
    trail.note("third")


def undo_first(trail: Trail) -> None:
    trail.note("undo first")


def undo_third(trail: Trail) -> None:
    trail.note("undo third")


STEPS = [Step(first, undo=undo_first), Step(second), Step(third, undo=undo_third)]


def test_steps_run_in_order_and_each_is_recorded() -> None:
    trail, notes = Trail(), Notes()
    run(STEPS, trail, record=notes, control=Control())
    assert trail.seen == ["first", "second", "third"]
    assert notes.lines == [f"{word} {step}" for step in trail.seen for word in ("began", "ended")]


def test_a_failure_undoes_what_began_in_reverse_and_is_raised_again() -> None:
    trail, notes = Trail(frozenset({"third"})), Notes()
    with pytest.raises(HypervisorError, match="third broke"):
        run(STEPS, trail, record=notes, control=Control())
    assert trail.seen == ["first", "second", "third", "undo third", "undo first"]
    assert notes.lines[-1] == "ended third: third broke"


def test_an_undo_that_fails_is_logged_and_the_others_are_done(caplog: pytest.LogCaptureFixture) -> None:
    trail = Trail(frozenset({"third", "undo third"}))
    with caplog.at_level(logging.ERROR), pytest.raises(HypervisorError, match="third broke"):
        run(STEPS, trail, record=Notes(), control=Control())
    assert trail.seen[-1] == "undo first"
    assert "Undoing step third failed" in caplog.text


def test_a_failure_undoes_what_an_earlier_attempt_began() -> None:
    trail = Trail(frozenset({"first"}))
    with pytest.raises(HypervisorError):
        run(STEPS, trail, record=Notes(), control=Control(), begun_before=frozenset({"first", "third"}))
    assert trail.seen == ["first", "undo third", "undo first"]


def test_a_superseded_operation_begins_no_further_step() -> None:
    control, trail = Control(), Trail()
    steps = [STEPS[0], Step(lambda _: control.give_up("The server was deleted.")), STEPS[2]]
    with pytest.raises(Superseded, match="deleted"):
        run(steps, trail, record=Notes(), control=control)
    assert trail.seen == ["first", "undo first"]


def test_an_operation_past_its_deadline_begins_no_further_step() -> None:
    moments = iter([0.0, 1.0, 11.0])
    control = Control(deadline_s=10, monotonic=lambda: next(moments))
    trail = Trail()
    with pytest.raises(Timeout, match="10 s"):
        run(STEPS, trail, record=Notes(), control=control)
    assert trail.seen == ["first", "undo first"]


def test_undo_leaves_steps_alone_that_never_began() -> None:
    trail = Trail()
    undo(STEPS, trail, begun={"first"})
    assert trail.seen == ["undo first"]
