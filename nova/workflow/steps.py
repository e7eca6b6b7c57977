# SPDX-License-Identifier: Apache-2.0
"""Long operations as a straight list of steps, each with what undoes it.

A step and an undo may each be run twice, and an undo may find its step half done: both must take that as it is.  An
operation's module declares its list; ``run`` carries it out and, when a step fails, undoes in reverse what was begun.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from nova.errors import Conflict, InternalError, Timeout

LOG = logging.getLogger(__name__)

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Step(Generic[S]):
    """One thing done to one collaborator, given the operation's state object."""

    do: Callable[[S], None]
    undo: Callable[[S], None] | None = None

    @property
    def name(self) -> str:
        """What logs, journals and the list of instance actions call it."""
        return self.do.__name__


class Record(Protocol):
    """Where it is written down how far an operation has come."""

    def began(self, step: str) -> None:
        """*step* is about to run."""
        ...

    def ended(self, step: str, error: BaseException | None = None) -> None:
        """*step* ran to its end, or raised *error*."""
        ...


class Superseded(Conflict):
    """A later request (a delete) made this operation pointless."""

    default_message = "The operation was given up because of a later request."


class Halted(Exception):
    """The daemon stops in the middle of an undo, which its next start has to go on with."""


class Interrupted(InternalError):
    """The operation was interrupted by restarts of its daemon so often that it is not begun again."""


def never(error: Exception) -> bool:
    """An undo that failed is not tried again."""
    return False


def no_pause(step: str) -> None:
    """The hook before a step, where nobody wants one."""


class Control:
    """The ways to stop an operation between two of its steps: by a later request, by its deadline, by a test's hook."""

    def __init__(
        self,
        *,
        deadline_s: float | None = None,
        pause_before_step: Callable[[str], None] = no_pause,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._ends_at = None if deadline_s is None else monotonic() + deadline_s
        self._deadline_s = deadline_s
        self._pause_before_step = pause_before_step
        self._reason = ""

    def give_up(self, reason: str) -> None:
        """Let no further step begin; *reason* is a sentence for the user."""
        self._reason = self._reason or reason

    @property
    def given_up(self) -> bool:
        """Whether no further step will begin."""
        return bool(self._reason)

    def before(self, step: str) -> None:
        """Raise Superseded or Timeout when *step* must not begin."""
        self._pause_before_step(step)
        self.check(f"before step {step}")

    def check(self, where: str) -> None:
        """For long steps, now and then: raise Superseded or Timeout when there is no use in going on."""
        if self._reason:
            raise Superseded(self._reason)
        if self._ends_at is not None and self._monotonic() > self._ends_at:
            raise Timeout(f"The operation was not finished in {self._deadline_s:g} s.", detail=where)


def run(
    steps: Sequence[Step[S]],
    state: S,
    *,
    record: Record,
    control: Control,
    begun_before: Collection[str] = (),
    again: Callable[[Exception], bool] = never,
) -> None:
    """Run *steps* in order.  When one raises, undo those that began, the last one first, and raise its error again.

    :param begun_before: names of steps that began in an earlier attempt, which a failure must undo as well
    :param again: see :func:`undo`
    """
    begun = set(begun_before)
    try:
        for step in steps:
            control.before(step.name)
            begun.add(step.name)
            _run_one(step, state, record)
    except Exception:
        undo(steps, state, begun=begun, again=again)
        raise


def _run_one(step: Step[S], state: S, record: Record) -> None:
    record.began(step.name)
    try:
        step.do(state)
    except Exception as error:
        record.ended(step.name, error)
        raise
    record.ended(step.name)


def undo(
    steps: Sequence[Step[S]], state: S, *, begun: Collection[str], again: Callable[[Exception], bool] = never
) -> None:
    """Undo those of *steps* whose names are in *begun*, the last one first.

    An undo that fails is logged, and the others are done all the same.

    :param again: asked with the error of an undo whether to try it once more; may wait, and raise Halted
    """
    for step in reversed(steps):
        if step.undo is not None and step.name in begun:
            _undo_one(step.name, step.undo, state, again)


def _undo_one(name: str, work: Callable[[S], None], state: S, again: Callable[[Exception], bool]) -> None:
    while True:
        try:
            work(state)
        except Exception as error:
            if again(error):
                continue
            LOG.exception("Undoing step %s failed; going on with the steps before it.", name)
        return
