# SPDX-License-Identifier: Apache-2.0
"""Takes orders on a compute host, carries each out step by step, and reports its end to nova-conductor.

Runs in nova-compute.  An order is in the journal before its message is acknowledged, and leaves the journal when
nova-conductor has accepted the report; in between any crash leads to :meth:`Runner.resume`.  Before its first step
nova-conductor is asked whether the order still holds: its message may have come after recovery had ended the operation.
Orders for one instance follow one another; a delete makes what runs before it on the same instance give up.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TypeVar

from nova.compute.faults import fault_of, may_succeed_elsewhere
from nova.compute.host import Host
from nova.compute.last_seen import LastSeen
from nova.compute.plans import Execution
from nova.compute.told import Told
from nova.context import RequestContext
from nova.domain.instance import Instance
from nova.domain.orders import InstanceOrder, OperationReport, Order, VolumeOrder, instance_order
from nova.domain.states import PowerState
from nova.domain.transitions import FOLLOWS, TRANSITIONS, Action
from nova.errors import Forbidden, NotFound, NovaError, Unavailable
from nova.telemetry.logging import bind
from nova.workflow.background import Background, in_thread
from nova.workflow.journal import Journal, JournalDirectory
from nova.workflow.locks import KeyedLocks
from nova.workflow.steps import Control, Halted, Interrupted, no_pause

LOG = logging.getLogger(__name__)

REMEMBERED = 5000
REPORTING = "report"
"""The name under which the pause hook is called before the end is reported."""
DELETED = "The server was deleted."
TAKEN = "The operation was taken from this host."

ENDING = frozenset({Action.DELETE, Action.SOFT_DELETE})
"""What makes all that came before it on the same instance give up."""

R = TypeVar("R")


@dataclass(slots=True)
class _InHand:
    journal: Journal
    control: Control
    order: InstanceOrder = field(init=False)

    def __post_init__(self) -> None:
        self.order = instance_order(self.journal.order)


class Runner:
    """All orders of one host that are in hand."""

    def __init__(
        self,
        host: Host,
        journals: JournalDirectory,
        *,
        background: Background = in_thread,
        pause_before_step: Callable[[str], None] = no_pause,
    ) -> None:
        self._host = host
        self._journals = journals
        self._background = background
        self._pause_before_step = pause_before_step
        self._locks = KeyedLocks()
        self._builds = threading.Semaphore(host.settings.max_concurrent_builds)
        self._changed = threading.Condition()
        self._in_hand: dict[str, _InHand] = {}
        self._done = LastSeen(REMEMBERED)
        self._deleted = LastSeen(REMEMBERED)
        self._ended = LastSeen(REMEMBERED)
        self._stopping = threading.Event()
        self.told = Told()
        """What nova-conductor was told that guests do"""

    def accept(self, context: RequestContext, order: Order) -> None:
        """Record *order* and begin with it; one that is in hand or was done already is left alone."""
        key = instance_order(order).key
        with self._changed:
            if key in self._in_hand or key in self._done:
                LOG.info("Order %s is known already.", key)
                return
            journal = self._journals.open(context, order)
            if not self._stopping.is_set():
                self._start(self._begin(journal))

    def resume(self, journals: Iterable[Journal]) -> None:
        """Go on with what a former run of this daemon left; what was given to others meanwhile will be undone."""
        with self._changed:
            for journal in journals:
                if instance_order(journal.order).key not in self._in_hand:
                    self._start(self._begin(journal))

    def exclusively(self, instance_uuid: str) -> AbstractContextManager[None]:
        """While it is held, no order for that instance is carried out here; waits for the one that is."""
        return self._locks.hold(instance_uuid)

    def touched_since(self, moment: float) -> frozenset[str]:
        """The instances that something was done to after *moment* (of the monotonic clock), or is being done to now."""
        with self._changed:
            now = frozenset(each.order.instance.uuid for each in self._in_hand.values())
            return now | frozenset(uuid for uuid, ended_at in self._ended.items() if ended_at >= moment)

    @contextlib.contextmanager
    def undisturbed(self, uuid: str) -> Iterator[bool]:
        """Keep orders for an instance waiting for a moment; what it yields is whether none was in hand."""
        if uuid in self._locks.held():
            yield False
            return
        with self._locks.hold(uuid):
            yield True

    def give_up(self, instance_uuids: Collection[str]) -> None:
        """Let what is in hand for these instances, which are deleted, end at its next step."""
        with self._changed:
            for uuid in instance_uuids:
                self._deleted.note(uuid)
            for other in self._in_hand.values():
                if other.order.instance.uuid in instance_uuids and other.order.action != Action.DELETE:
                    other.control.give_up(DELETED)

    def stop(self, grace_s: float) -> None:
        """Take no more orders and let those in hand finish for *grace_s* seconds; the journal keeps the others."""
        self._stopping.set()
        with self._changed:
            self._changed.wait_for(lambda: not self._in_hand, grace_s)

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until nothing is in hand; False when *timeout_s* passed first."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._in_hand, timeout_s)

    def _start(self, entry: _InHand) -> None:
        self._background(lambda: self._handle(entry))

    def _begin(self, journal: Journal) -> _InHand:
        entry = _InHand(journal, self._control(journal))
        if entry.order.action != Action.DELETE and entry.order.instance.uuid in self._deleted:
            entry.control.give_up(DELETED)
        self._in_hand[entry.order.key] = entry
        return entry

    def _control(self, journal: Journal) -> Control:
        is_build = instance_order(journal.order).action == Action.CREATE
        return Control(
            deadline_s=self._host.settings.build_timeout_s if is_build else None,
            pause_before_step=self._pause_before_step,
        )

    def _supersede(self, order: InstanceOrder) -> None:
        """Let all that came before a delete, soft or not, give up; after a real one nothing may come any more."""
        with self._changed:
            if order.action == Action.DELETE:
                self._deleted.note(order.instance.uuid)
            others = [other for other in self._in_hand.values() if _gives_way(other.order, to=order)]
            for other in others:
                other.control.give_up(DELETED)
        if others and order.action == Action.DELETE:
            self._background(lambda: self._cut_power(order.instance))

    def _cut_power(self, instance: Instance) -> None:
        """So that a step which waits for the guest, to power off or to let go of a disk, waits no longer."""
        try:
            self._host.driver.shut_down(instance, timeout_s=0)
        except NovaError as exc:
            LOG.warning("The power of server %s could not be cut before its deletion: %s", instance.uuid, exc)

    def _handle(self, entry: _InHand) -> None:
        with bind(entry.journal.context):
            try:
                if entry.order.action in ENDING and self._may_begin(entry):
                    self._supersede(entry.order)
                with self._locks.hold(entry.order.instance.uuid):
                    self._work(entry)
            finally:
                self._end(entry)

    def _work(self, entry: _InHand) -> None:
        with self._turn(entry):
            report = entry.journal.report or self._carry_out(entry)
        if report is None:
            return
        self._pause_before_step(REPORTING)
        if self._deliver(entry, report):
            entry.journal.discard()
            self._done.note(entry.order.key)
            if report.action == Action.DELETE and report.fault is not None:
                self._deleted.forget(report.instance_uuid)

    def _end(self, entry: _InHand) -> None:
        with self._changed:
            del self._in_hand[entry.order.key]
            self._ended.note(entry.order.instance.uuid)
            self._changed.notify_all()

    def _turn(self, entry: _InHand) -> AbstractContextManager[object]:
        return self._builds if entry.order.action == Action.CREATE else nullcontext()

    def _carry_out(self, entry: _InHand) -> OperationReport | None:
        """Run the steps; the report of how that ended, which is in the journal from now on.

        An order that does not hold any more only has what was begun for it undone.  None when the daemon stops before
        that was known.
        """
        journal = entry.journal
        if not self._may_begin(entry) and self._stopping.is_set():
            return None
        try:
            shared_storage = self._run(entry)
        except Halted:
            return None
        except Exception as error:
            LOG.warning("%s of server %s failed.", entry.order.action, entry.order.instance.uuid, exc_info=error)
            report = self._report(entry, error)
        else:
            LOG.info("%s of server %s is done.", entry.order.action, entry.order.instance.uuid)
            report = dataclasses.replace(self._report(entry), shared_storage=shared_storage)
        journal.close(report)
        return report

    def _run(self, entry: _InHand) -> bool | None:
        """Run the steps; what they found out about shared storage."""
        journal, execution = entry.journal, self._execution(entry)
        if journal.attempts >= self._host.settings.max_attempts:
            execution.undo(journal.begun_steps())
            raise Interrupted(
                f"nova-compute was restarted {journal.attempts} times during this operation, "
                f"the last time in or after step {journal.last_step() or 'none'}."
            )
        begun_before = journal.begun_steps()
        journal.attempt()
        execution.run(record=journal, control=entry.control, begun_before=begun_before)
        return execution.shared_storage

    def _execution(self, entry: _InHand) -> Execution:
        return Execution(entry.journal.context, entry.journal.order, self._host, again=self._patience(entry))

    def _patience(self, entry: _InHand) -> Callable[[Exception], bool]:
        """An undo that something is away for is tried again for a while: else the guest is not as the database says."""
        patience_s, pause_s = self._host.settings.undo_patience_s, min(1.0, self._host.settings.retry_longest_s)
        gives_up_at = 0.0

        def again(error: Exception) -> bool:
            nonlocal gives_up_at
            gives_up_at = gives_up_at or time.monotonic() + patience_s
            pointless = entry.order.instance.uuid in self._deleted
            if not isinstance(error, Unavailable) or pointless or time.monotonic() > gives_up_at:
                return False
            LOG.warning("An undo of order %s waits: %s", entry.order.key, error)
            if self._stopping.wait(pause_s):
                raise Halted
            return True

        return again

    def _report(self, entry: _InHand, error: Exception | None = None) -> OperationReport:
        order, events = entry.order, entry.journal.events
        step = events[-1].name if events else ""
        return OperationReport(
            operation_id=order.operation_id,
            instance_uuid=order.instance.uuid,
            action=order.action,
            host=self._host.name,
            attempt=order.attempt,
            phase=order.phase,
            events=events,
            fault=None if error is None else fault_of(error, host=self._host.name, step=step),
            may_retry_elsewhere=error is not None and may_succeed_elsewhere(error),
            power_state=self._power_state(order),
            device=entry.journal.order.device if isinstance(entry.journal.order, VolumeOrder) else None,
        )

    def _power_state(self, order: InstanceOrder) -> PowerState | None:
        if order.action == Action.DELETE:
            return None
        try:
            return self._host.driver.power_state(order.instance)
        except NovaError as exc:
            LOG.warning("The power state of server %s is not known: %s", order.instance.uuid, exc)
            return None

    def _may_begin(self, entry: _InHand) -> bool:
        """Whether nova-conductor lets us work on it; also False when the daemon stops before it has answered."""
        order, conductor = entry.order, self._host.conductor
        if entry.control.given_up:
            return False
        answer = self._insist(
            f"whether order {order.key} still holds",
            lambda: conductor.begin_operation(
                entry.journal.context,
                operation_id=order.operation_id,
                attempt=order.attempt,
                phase=order.phase,
                host=self._host.name,
            ),
        )
        if answer is False:
            LOG.warning("Order %s to %s server %s is out of date.", order.key, order.action, order.instance.uuid)
            entry.control.give_up(TAKEN)
        return bool(answer)

    def _deliver(self, entry: _InHand, report: OperationReport) -> bool:
        """Report until it is accepted; False when the daemon stops first."""
        try:
            what = f"the end of operation {report.operation_id}"
            return bool(self._insist(what, lambda: self._finish(entry, report)))
        except (Forbidden, NotFound) as exc:
            return self._disown(entry, report, exc)

    def _finish(self, entry: _InHand, report: OperationReport) -> bool:
        self._host.conductor.finish_operation(entry.journal.context, report=report)
        self.told.note(report.instance_uuid, _power_state_told(entry.order, report))
        if report.fault is None:
            self._execution(entry).settle()
        return True

    def _insist(self, what: str, ask: Callable[[], R]) -> R | None:
        """What nova-conductor answers, as soon as it does; None when the daemon stops first."""
        pause_s = 0.5
        while not self._stopping.is_set():
            try:
                return ask()
            except (Forbidden, NotFound):
                raise
            except NovaError as exc:
                LOG.warning("nova-conductor could not be asked yet about %s: %s", what, exc)
                self._stopping.wait(pause_s)
                pause_s = min(pause_s * 2, self._host.settings.retry_longest_s)
        return None

    def _disown(self, entry: _InHand, report: OperationReport, refusal: NovaError) -> bool:
        """The operation was ended by others, as failed: what was done is undone, as a failure here would have.

        False when the daemon stops before that is done.
        """
        LOG.warning("Operation %s is not in our hands any more: %s", report.operation_id, refusal)
        if report.fault is None:
            try:
                self._execution(entry).undo(entry.journal.begun_steps())
            except Halted:
                return False
        return True


def _gives_way(other: InstanceOrder, *, to: InstanceOrder) -> bool:
    """Whether *other* is pointless once the delete *to* begins."""
    if other.instance.uuid != to.instance.uuid or other.action == Action.DELETE:
        return False
    return to.action == Action.DELETE or other.operation_id < to.operation_id


def _power_state_told(order: InstanceOrder, report: OperationReport) -> PowerState | None:
    """What nova-conductor knows of the guest from *report*; None where the server may not have followed its guest."""
    power_state = report.power_state
    end = TRANSITIONS[Action(report.action)].end or order.instance.vm_state
    if report.fault is not None or power_state is None or (end, power_state) in FOLLOWS:
        return None
    return power_state
