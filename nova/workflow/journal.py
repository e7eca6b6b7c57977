# SPDX-License-Identifier: Apache-2.0
"""How far each operation of this host has come: one small file per operation, kept until its end was reported.

The first line holds the order, every further one something that happened: an attempt, the begin or end of a step, the
report.  The first line is there whole or not at all; further lines are appended, and one that was cut off by a crash is
as good as not written, because steps may run twice.  Nothing is forced to the disk: a killed process loses nothing, and
after a power cut nova-conductor still knows what was ordered.  Passwords and tokens are not written down.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import logging
import os
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from nova.context import RequestContext
from nova.domain.instance import StepEvent
from nova.domain.orders import AnyOrder, BuildOrder, OperationReport, Order, instance_order
from nova.system.clock import utc_now

LOG = logging.getLogger(__name__)

SUCCESS = "Success"
ERROR = "Error"
SUFFIX = ".journal"


class _Accepted(msgspec.Struct, frozen=True, tag="accepted", omit_defaults=True):
    context: RequestContext
    order: AnyOrder


class _Attempt(msgspec.Struct, frozen=True, tag="attempt"):
    at: datetime.datetime


class _Began(msgspec.Struct, frozen=True, tag="began"):
    step: str
    at: datetime.datetime


class _Ended(msgspec.Struct, frozen=True, tag="ended", omit_defaults=True):
    at: datetime.datetime
    result: str
    traceback: str = ""


class _Reported(msgspec.Struct, frozen=True, tag="report"):
    report: OperationReport


_Line = _Accepted | _Attempt | _Began | _Ended | _Reported
_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[_Line] = msgspec.json.Decoder(_Line)


class Journal:
    """The record of one operation, in memory and, where it has a *path*, in its file."""

    def __init__(
        self,
        context: RequestContext,
        order: Order,
        *,
        host: str,
        clock: Callable[[], datetime.datetime] = utc_now,
        path: Path | None = None,
    ) -> None:
        self.context = context
        self.order = order
        self.attempts = 0
        self.report: OperationReport | None = None
        """The end, once it is known."""
        self._events: list[StepEvent] = []
        self._host = host
        self._clock = clock
        self._path = path

    @property
    def events(self) -> tuple[StepEvent, ...]:
        """All steps of all attempts, in order."""
        return tuple(self._events)

    def begun_steps(self) -> frozenset[str]:
        """The names of all steps that were ever begun."""
        return frozenset(event.name for event in self._events)

    def last_step(self) -> str:
        """The step that was begun last; empty before the first one."""
        return self._events[-1].name if self._events else ""

    def attempt(self) -> None:
        """The steps are about to be run, once more."""
        self._add(_Attempt(self._clock()))

    def began(self, step: str) -> None:
        """See :class:`nova.workflow.steps.Record`."""
        self._add(_Began(step, self._clock()))

    def ended(self, step: str, error: BaseException | None = None) -> None:
        """See :class:`nova.workflow.steps.Record`."""
        text = "" if error is None else "".join(traceback.format_exception(error))
        self._add(_Ended(self._clock(), SUCCESS if error is None else ERROR, text))

    def close(self, report: OperationReport) -> None:
        """The operation has ended; what is left is to tell nova-conductor."""
        self._add(_Reported(report))

    def discard(self) -> None:
        """The end was reported: nothing of this operation has to be remembered."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _add(self, line: _Line) -> None:
        self.apply(line)
        if self._path is None:
            return
        try:
            with self._path.open("ab") as stream:
                stream.write(b"\n" + _encoder.encode(line) + b"\n")
        except OSError as exc:
            LOG.warning("The journal %s cannot be written (%s); the operation goes on without it.", self._path, exc)

    def apply(self, line: _Line) -> None:
        """Take in what *line* says."""
        if isinstance(line, _Attempt):
            self.attempts += 1
        elif isinstance(line, _Began):
            self._events.append(StepEvent(name=line.step, host=self._host, started_at=line.at))
        elif isinstance(line, _Ended) and self._events:
            self._events[-1] = dataclasses.replace(
                self._events[-1], finished_at=line.at, result=line.result, traceback=line.traceback
            )
        elif isinstance(line, _Reported):
            self.report = line.report


class JournalDirectory:
    """All journals of one host."""

    def __init__(self, path: Path, *, host: str, clock: Callable[[], datetime.datetime] = utc_now) -> None:
        self._path = path
        self._host = host
        self._clock = clock

    def open(self, context: RequestContext, order: Order) -> Journal:
        """The journal of an order that has just come: the one that is there, if the order has come before.

        Where it cannot be written (a full disk), the journal is kept in memory: a delete must be possible then, and
        after a crash nova-conductor hands the order out again.
        """
        path = self._path / f"{instance_order(order).key}{SUFFIX}"
        left = self._read(path) if path.exists() else None
        if left is not None:
            return left
        try:
            _write_whole(path, _encoder.encode(_first_line(context, order)) + b"\n")
        except OSError as exc:
            LOG.warning("The journal %s cannot be written (%s); it is kept in memory.", path, exc)
            return Journal(context, order, host=self._host, clock=self._clock)
        return Journal(context, order, host=self._host, clock=self._clock, path=path)

    def unfinished(self) -> list[Journal]:
        """The journals that a former run of this daemon left, oldest order first."""
        found = [journal for path in self._path.glob(f"*{SUFFIX}") if (journal := self._read(path)) is not None]
        return sorted(found, key=lambda journal: instance_order(journal.order).operation_id)

    def _read(self, path: Path) -> Journal | None:
        """One journal; a file that holds none is set aside, so that it stops no start."""
        try:
            lines = list(_lines(path.read_bytes()))
        except OSError as exc:
            LOG.error("The journal %s cannot be read: %s", path, exc)
            return None
        accepted = lines[0] if lines else None
        if not isinstance(accepted, _Accepted):
            LOG.error("The file %s holds no journal; it is set aside as %s.bad.", path, path.name)
            path.replace(path.with_name(f"{path.name}.bad"))
            return None
        journal = Journal(accepted.context, accepted.order.order, host=self._host, clock=self._clock, path=path)
        for line in lines[1:]:
            journal.apply(line)
        return journal


def _first_line(context: RequestContext, order: Order) -> _Accepted:
    bare = dataclasses.replace(context, auth_token=None)
    if isinstance(order, BuildOrder):
        order = dataclasses.replace(order, admin_password=None)
    return _Accepted(bare, AnyOrder.of(order))


def _lines(content: bytes) -> Iterator[_Line]:
    """All whole lines."""
    for raw in filter(None, content.split(b"\n")):
        try:
            yield _decoder.decode(raw)
        except (msgspec.MsgspecError, ValueError):
            LOG.warning("A journal line of %d bytes was cut off and is left out.", len(raw))


def _write_whole(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
