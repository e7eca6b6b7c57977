# SPDX-License-Identifier: Apache-2.0
"""How instances move along the table of :mod:`nova.domain.transitions`: each step is one guarded UPDATE.

Nobody else writes ``vm_state`` and ``task_state``.  A step whose guard does not hold changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select, update

from nova import errors
from nova.db.instances.rows import INSTANCES, flavor_columns
from nova.db.transaction import Transaction
from nova.domain.flavor import Flavor
from nova.domain.states import PowerState, TaskState, VmState
from nova.domain.transitions import TRANSITIONS, Action, Tasks, Transition

C = INSTANCES.c
_GUARDED = (C.vm_state, C.task_state, C.launched_at, C.host, C.locked)


def begin(
    tx: Transaction, uuid: str, action: Action, *, project_id: str | None = None, ignore_lock: bool = False
) -> None:
    """Let *action* begin: its first task state is set if the instance's states, host and lock allow it now.

    Raises NotFound (also for another project's instance) and InvalidState.  *ignore_lock* is for administrators.
    """
    transition = TRANSITIONS[action]
    mine = _named(uuid, project_id)
    values: dict[str, Any] = {"updated_at": tx.now}
    if transition.during:
        values |= {"task_state": transition.during[0].value, "progress": 0}
    allowed = _conditions(transition, ignore_lock=ignore_lock)
    if tx.execute(update(INSTANCES).where(*mine, *allowed).values(values)).rowcount == 1:
        return
    raise _refused(tx, uuid, action, project_id=project_id, ignore_lock=ignore_lock)


def ensure_allowed(tx: Transaction, uuid: str, action: Action, *, ignore_lock: bool = False) -> None:
    """Raise what :func:`begin` would raise now, without changing anything: for work that comes before it."""
    allowed = _conditions(TRANSITIONS[action], ignore_lock=ignore_lock)
    if tx.execute(select(C.id).where(*_named(uuid, None), *allowed)).first() is None:
        raise _refused(tx, uuid, action, project_id=None, ignore_lock=ignore_lock)


def progress(
    tx: Transaction, uuid: str, task_state: TaskState, *, expected: Iterable[TaskState], percent: int | None = None
) -> bool:
    """Go on to *task_state*, if the task is one of *expected*, and note how much is done; whether it was."""
    guard = C.task_state.in_(sorted(task.value for task in expected))
    values: dict[str, Any] = {"task_state": task_state.value, "updated_at": tx.now}
    if percent is not None:
        values["progress"] = percent
    return _step(tx, uuid, guard, values=values)


def finish(
    tx: Transaction,
    uuid: str,
    action: Action,
    *,
    ok: bool,
    power_state: PowerState | None = None,
    vm_state: VmState | None = None,
) -> bool:
    """End *action*: the end or failure state of its row, and no task.  Whether it was still the running action.

    A task of another action (a delete that came in between) is left alone.  The first success sets ``launched_at``; a
    finished DELETE marks the row deleted.

    :param vm_state: instead of the row's state, where that depends on what the instance was before
    """
    transition = TRANSITIONS[action]
    if not transition.during:
        return power_state is None or _step(tx, uuid, values={"power_state": int(power_state), "updated_at": tx.now})
    values: dict[str, Any] = {"task_state": None, "updated_at": tx.now}
    end = vm_state or (transition.end if ok else transition.failure)
    if ok:
        values["progress"] = case((C.progress > 0, 100), else_=0)
    if end is not None:
        values["vm_state"] = _end_state(end, transition.keeps if ok else frozenset())
    if power_state is not None:
        values["power_state"] = int(power_state)
    if ok and end is VmState.ACTIVE:
        values["launched_at"] = func.coalesce(C.launched_at, tx.now)
    if end is VmState.DELETED:
        values |= _tombstone(tx)
    elif end is VmState.SOFT_DELETED:
        values["deleted_at"] = tx.now
    elif action is Action.RESTORE and ok:
        values["deleted_at"] = None
    running = C.task_state.in_(sorted(task.value for task in transition.during))
    return _step(tx, uuid, running, values=values)


def abandon(tx: Transaction, uuid: str, action: Action) -> bool:
    """End *action*, of which nothing was done: no task, and the state that it began in.  Whether it was running."""
    running = C.task_state.in_(sorted(task.value for task in TRANSITIONS[action].during))
    return _step(tx, uuid, running, values={"task_state": None, "updated_at": tx.now})


def assign_host(tx: Transaction, uuid: str, *, host: str, node: str) -> bool:
    """Put an instance that is being built on a host; an empty *host* takes it away.  Whether it is being built."""
    building = C.task_state.in_(sorted(task.value for task in TRANSITIONS[Action.CREATE].during))
    values = {"host": host or None, "node": node or None, "updated_at": tx.now}
    return _step(tx, uuid, C.vm_state == VmState.BUILDING.value, building, values=values)


def relocate(tx: Transaction, uuid: str, *, host: str, node: str, flavor: Flavor) -> None:
    """The instance is on *host* now, with *flavor*, as the move that has it in hand says."""
    _step(tx, uuid, values={"host": host, "node": node, "updated_at": tx.now, **flavor_columns(flavor)})


def follow_guest(
    tx: Transaction, uuid: str, *, host: str, power_state: PowerState, vm_state: VmState | None = None
) -> bool:
    """Record what the guest does, and *vm_state* where that follows from it.

    Only while the instance is on *host* and no task runs; whether that was so.
    """
    values: dict[str, Any] = {"power_state": int(power_state), "updated_at": tx.now}
    if vm_state is not None:
        values["vm_state"] = vm_state.value
    return _step(tx, uuid, C.host == host, C.task_state.is_(None), values=values)


def destroy(tx: Transaction, uuid: str) -> bool:
    """Mark the instance deleted, whatever its states; False when it was already."""
    values = {"task_state": None, "vm_state": VmState.DELETED.value, "updated_at": tx.now} | _tombstone(tx)
    return _step(tx, uuid, values=values)


def reset_state(tx: Transaction, uuid: str, vm_state: VmState) -> None:
    """An administrator's word on what the instance is; its task is forgotten.  Raises NotFound.

    An ACTIVE one is held to run until its host says otherwise.
    """
    values: dict[str, Any] = {"task_state": None, "vm_state": vm_state.value, "updated_at": tx.now, "deleted_at": None}
    if vm_state is VmState.ACTIVE:
        values["power_state"] = int(PowerState.RUNNING)
    if not _step(tx, uuid, values=values):
        raise errors.NotFound.of("instance", uuid)


def lock(tx: Transaction, uuid: str, *, by: str) -> None:
    """Lock against everybody but administrators; *by* is ``owner`` or ``admin``.  Raises NotFound."""
    if not _step(tx, uuid, values={"locked": True, "locked_by": by, "updated_at": tx.now}):
        raise errors.NotFound.of("instance", uuid)


def unlock(tx: Transaction, uuid: str) -> None:
    """Take the lock away.  Raises NotFound."""
    if not _step(tx, uuid, values={"locked": False, "locked_by": None, "updated_at": tx.now}):
        raise errors.NotFound.of("instance", uuid)


def _step(tx: Transaction, uuid: str, *guards: ColumnElement[bool], values: dict[str, Any]) -> bool:
    return tx.execute(update(INSTANCES).where(*_named(uuid, None), *guards).values(values)).rowcount == 1


def _end_state(end: VmState, kept: frozenset[VmState]) -> Any:
    """*end*, but for the states that are *kept*."""
    if not kept:
        return end.value
    return case((C.vm_state.in_(sorted(state.value for state in kept)), C.vm_state), else_=end.value)


def _named(uuid: str, project_id: str | None) -> list[ColumnElement[bool]]:
    scope = [] if project_id is None else [C.project_id == project_id]
    return [C.uuid == uuid, C.deleted == 0, *scope]


def _tombstone(tx: Transaction) -> dict[str, Any]:
    return {
        "deleted": C.id,
        "deleted_at": tx.now,
        "terminated_at": case((C.terminated_at.is_(None), tx.now), else_=C.terminated_at),
    }


def _conditions(transition: Transition, *, ignore_lock: bool) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [C.vm_state.in_(sorted(state.value for state in transition.allowed))]
    if transition.tasks is Tasks.NONE:
        conditions.append(C.task_state.is_(None))
    elif isinstance(transition.tasks, frozenset):
        tasks = sorted(task.value for task in transition.tasks)
        conditions.append(or_(C.task_state.is_(None), C.task_state.in_(tasks)))
    if transition.needs_launched:
        conditions.append(C.launched_at.is_not(None))
    if transition.needs_host:
        conditions.append(C.host.is_not(None))
    if transition.obeys_lock and not ignore_lock:
        conditions.append(C.locked.is_(False))
    return [and_(*conditions)]


def _refused(
    tx: Transaction, uuid: str, action: Action, *, project_id: str | None, ignore_lock: bool
) -> errors.NovaError:
    """Why *action* may not begin."""
    row = tx.execute(select(*_GUARDED).where(*_named(uuid, project_id))).first()
    if row is None:
        return errors.NotFound.of("instance", uuid)
    return _refusal(uuid, action, TRANSITIONS[action], row, ignore_lock=ignore_lock)


def _refusal(uuid: str, action: Action, transition: Transition, row: Any, *, ignore_lock: bool) -> errors.InvalidState:
    vm_state, task_state, launched_at, host, locked = row
    if locked and transition.obeys_lock and not ignore_lock:
        return errors.InvalidState(f"Instance {uuid} is locked", resource="server", id=uuid, attribute="locked")
    attribute, state = "", ""
    if vm_state not in {state.value for state in transition.allowed}:
        attribute, state = "vm_state", vm_state
    elif task_state is not None and not transition.permits(VmState(vm_state), TaskState(task_state)):
        attribute, state = "task_state", task_state
    elif transition.needs_launched and launched_at is None:
        attribute, state = "launched_at", "None"
    elif transition.needs_host and host is None:
        attribute, state = "host", "None"
    if not attribute:
        return errors.InvalidState(f"Another request is changing instance {uuid} just now", resource="server", id=uuid)
    return errors.InvalidState(
        f"Cannot '{action.recorded_as}' instance {uuid} while it is in {attribute} {state}",
        resource="server",
        id=uuid,
        attribute=attribute,
        state=state,
    )
