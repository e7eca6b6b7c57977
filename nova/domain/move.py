# SPDX-License-Identifier: Apache-2.0
"""Moves of instances between hosts (the API calls them migrations), and the legs that each consists of.

A move's operation is in the hands of one host at a time.  Each leg is a list of steps on one side; when the host has
reported its end, nova-conductor hands the operation on as the leg's row says.  Recovery reads the same rows.
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Mapping
from dataclasses import dataclass

from nova.domain.flavor import Flavor
from nova.domain.instance import Instance
from nova.domain.states import TaskState, VmState
from nova.domain.transitions import Action


class MoveKind(enum.StrEnum):
    """Why an instance moves; the values are the API's ``migration_type``."""

    RESIZE = "resize"
    MIGRATION = "migration"
    LIVE = "live-migration"
    EVACUATION = "evacuation"


class MoveStatus(enum.StrEnum):
    """How far a move is, in the words of os-migrations."""

    ACCEPTED = "accepted"
    PRE_MIGRATING = "pre-migrating"
    PREPARING = "preparing"
    MIGRATING = "migrating"
    POST_MIGRATING = "post-migrating"
    RUNNING = "running"
    FINISHED = "finished"
    CONFIRMING = "confirming"
    CONFIRMED = "confirmed"
    REVERTING = "reverting"
    REVERTED = "reverted"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    DONE = "done"
    ERROR = "error"


ENDED = frozenset(
    {
        MoveStatus.CONFIRMED,
        MoveStatus.REVERTED,
        MoveStatus.COMPLETED,
        MoveStatus.CANCELLED,
        MoveStatus.DONE,
        MoveStatus.ERROR,
    }
)
"""Nothing is held for the move any more, on either side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What of a running guest was copied so far, in bytes."""

    memory_total: int = 0
    memory_processed: int = 0
    memory_remaining: int = 0
    disk_total: int = 0
    disk_processed: int = 0
    disk_remaining: int = 0

    @property
    def percent(self) -> int:
        """How much is done of what is known to be there, 0 to 100."""
        total = self.memory_total + self.disk_total
        left = self.memory_remaining + self.disk_remaining
        return 0 if total <= 0 else max(0, min(100, 100 * (total - left) // total))


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One move, from its request to its end."""

    id: int = 0
    instance_uuid: str
    kind: MoveKind
    status: MoveStatus
    source_host: str
    source_node: str = ""
    dest_host: str = ""
    dest_node: str = ""
    dest_address: str = ""
    """Where the destination takes guests and disks"""
    old_flavor: Flavor
    new_flavor: Flavor
    old_vm_state: VmState
    """What the instance was when it was asked for, and is again afterwards"""
    shared_storage: bool | None = None
    """Whether both sides have the same disks below them; None where nobody knows yet"""
    block_migration: bool | None = None
    """What was asked for; None leaves it to what the hosts find"""
    progress: Progress = Progress()
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None

    @property
    def same_host(self) -> bool:
        """Whether it is a resize that stays where it is."""
        return self.source_host == self.dest_host


@dataclass(frozen=True, slots=True, kw_only=True)
class Departed:
    """An instance that is not on a host any more, or never came to be there, and the move that says so."""

    instance: Instance
    move: Move


class Side(enum.Enum):
    """On which of the two hosts a leg runs."""

    SOURCE = "source"
    DESTINATION = "destination"


class Phase(enum.StrEnum):
    """The legs; the value is in the operation's row, in its order and in the report."""

    DEPART = "depart"
    RECEIVE = "receive"
    LAUNCH = "launch"
    RETURN = "return"
    CLEAR = "clear"
    RETREAT = "retreat"
    RESTORE = "restore"
    PREPARE = "prepare"
    TRANSFER = "transfer"
    SETTLE = "settle"
    LEAVE = "leave"
    DISCARD = "discard"
    RECREATE = "recreate"


class Silence(enum.Enum):
    """What becomes of a leg whose host does not answer for a long time."""

    FAIL = "fail"
    """Nothing runs there because of this leg; it counts as failed."""
    WAIT = "wait"
    """The guest may run there, or can run only there: nobody else may go on."""
    PASS = "pass"  # noqa: S105 - no password
    """What it has to do is made up for when the host comes back; the move goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One row: where the leg runs, and what comes after it."""

    side: Side
    then: Phase | None = None
    """None: the move has ended well"""
    otherwise: Phase | None = None
    """After a failure; None: the operation has failed"""
    silence: Silence = Silence.FAIL
    task: TaskState | None = None
    """The instance's task while it runs; None leaves it as it is"""
    status: MoveStatus | None = None
    undoes: bool = False
    """Whether it is here because another leg failed: then the operation fails, however this one ends"""


_MOVE: Mapping[Phase, Leg] = {
    Phase.DEPART: Leg(
        side=Side.SOURCE,
        then=Phase.RECEIVE,
        task=TaskState.RESIZE_MIGRATING,
        status=MoveStatus.MIGRATING,
    ),
    Phase.RECEIVE: Leg(
        side=Side.DESTINATION,
        then=Phase.LAUNCH,
        otherwise=Phase.RETURN,
        task=TaskState.RESIZE_MIGRATED,
    ),
    Phase.LAUNCH: Leg(
        side=Side.DESTINATION,
        otherwise=Phase.RETURN,
        silence=Silence.WAIT,
        task=TaskState.RESIZE_FINISH,
        status=MoveStatus.POST_MIGRATING,
    ),
    Phase.RETURN: Leg(side=Side.SOURCE, silence=Silence.WAIT, undoes=True),
}

LEGS: Mapping[Action, Mapping[Phase, Leg]] = {
    Action.RESIZE: _MOVE,
    Action.MIGRATE: _MOVE,
    Action.CONFIRM_RESIZE: {
        Phase.CLEAR: Leg(side=Side.SOURCE, silence=Silence.PASS, status=MoveStatus.CONFIRMING),
    },
    Action.REVERT_RESIZE: {
        Phase.RETREAT: Leg(
            side=Side.DESTINATION, then=Phase.RESTORE, silence=Silence.WAIT, status=MoveStatus.REVERTING
        ),
        Phase.RESTORE: Leg(side=Side.SOURCE, silence=Silence.WAIT),
    },
    Action.LIVE_MIGRATE: {
        Phase.PREPARE: Leg(side=Side.DESTINATION, then=Phase.TRANSFER, status=MoveStatus.PREPARING),
        Phase.TRANSFER: Leg(
            side=Side.SOURCE,
            then=Phase.SETTLE,
            otherwise=Phase.DISCARD,
            silence=Silence.WAIT,
            status=MoveStatus.RUNNING,
        ),
        Phase.SETTLE: Leg(side=Side.DESTINATION, then=Phase.LEAVE, otherwise=Phase.LEAVE, silence=Silence.PASS),
        Phase.LEAVE: Leg(side=Side.SOURCE, silence=Silence.PASS),
        Phase.DISCARD: Leg(side=Side.DESTINATION, silence=Silence.PASS, undoes=True),
    },
    Action.EVACUATE: {
        Phase.RECREATE: Leg(side=Side.DESTINATION, status=MoveStatus.PRE_MIGRATING),
    },
}
"""The legs of each action that spans hosts, the first one first."""


def first_phase(action: Action) -> Phase:
    """Where the action begins."""
    return next(iter(LEGS[action]))


def leg_of(action: str, phase: str) -> Leg:
    """The row; KeyError for a leg that the action does not have."""
    return LEGS[Action(action)][Phase(phase)]


def host_of(move: Move, leg: Leg) -> str:
    """Where *leg* of *move* runs."""
    return move.source_host if leg.side is Side.SOURCE else move.dest_host


def more_than(larger: Flavor, smaller: Flavor) -> dict[str, int]:
    """What of the quota one flavor takes above another: never below nothing."""
    return {
        "cores": max(0, larger.vcpus - smaller.vcpus),
        "ram": max(0, larger.memory_mb - smaller.memory_mb),
    }


def shrinks_disk(old: Flavor, new: Flavor) -> bool:
    """Whether a disk of an instance would have to become smaller, which nothing here does."""
    return new.root_gb < old.root_gb or new.ephemeral_gb < old.ephemeral_gb
