# SPDX-License-Identifier: Apache-2.0
"""One row for each action on a server: from which states, through which tasks, to which end; and the API's word for it.

The API's 409, the guarded UPDATE of the database, the end state that a finished operation gets, the tests and the
documentation all read this table; nobody else decides about states.  Sources: the OpenStack Compute API's state tables.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from nova.domain.states import PowerState, TaskState, VmState

S = VmState
T = TaskState


class Action(enum.StrEnum):
    """What can be done to a server; the value is the name in its list of instance actions."""

    CREATE = "create"
    DELETE = "delete"
    SOFT_DELETE = "soft_delete"
    RESTORE = "restore"
    REBOOT = "reboot"
    REBOOT_HARD = "reboot_hard"
    STOP = "stop"
    START = "start"
    PAUSE = "pause"
    UNPAUSE = "unpause"
    SUSPEND = "suspend"
    RESUME = "resume"
    CHANGE_PASSWORD = "changePassword"  # noqa: S105
    TRIGGER_CRASH_DUMP = "trigger_crash_dump"
    RESET_NETWORK = "reset_network"
    INJECT_NETWORK_INFO = "inject_network_info"
    ATTACH_VOLUME = "attach_volume"
    DETACH_VOLUME = "detach_volume"
    ATTACH_INTERFACE = "attach_interface"
    DETACH_INTERFACE = "detach_interface"
    RESCUE = "rescue"
    UNRESCUE = "unrescue"
    UPDATE_METADATA = "update_metadata"
    REBUILD = "rebuild"
    SHELVE = "shelve"
    SHELVE_OFFLOAD = "shelve_offload"
    UNSHELVE = "unshelve"
    CREATE_IMAGE = "create_image"
    CREATE_BACKUP = "create_backup"
    RESIZE = "resize"
    MIGRATE = "migrate"
    CONFIRM_RESIZE = "confirmResize"
    REVERT_RESIZE = "revertResize"
    LIVE_MIGRATE = "live-migration"
    EVACUATE = "evacuate"

    @property
    def recorded_as(self) -> str:
        """The word in os-instance-actions; a hard reboot is a ``reboot`` there."""
        return _RECORDED_AS.get(self, self.value)


_RECORDED_AS = {Action.REBOOT_HARD: "reboot", Action.SOFT_DELETE: "delete"}


class Tasks(enum.Enum):
    """Which tasks may be running when an action begins, where a row does not list them."""

    NONE = "none"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """The row of one action.

    ``during`` is empty for an action that sets no task state.  ``end`` is None where the server stays what it was, and
    ``failure`` is None where a failure leaves it what it was.  A server that was off stays STOPPED where ``end`` is
    ACTIVE and the operation kept the state from before it (``ends_as_before``).
    """

    allowed: frozenset[VmState]
    tasks: Tasks | frozenset[TaskState] = Tasks.NONE
    """Besides "no task", which is always allowed unless the state itself is not."""
    needs_launched: bool = True
    needs_host: bool = True
    during: tuple[TaskState, ...] = ()
    on_host: TaskState | None = None
    """The one of them that begins when a host takes the order up, where that is not the first"""
    end: VmState | None = None
    keeps: frozenset[VmState] = frozenset()
    """Of the states that it may begin in, those that a success leaves as they are"""
    failure: VmState | None = None
    ends_as_before: bool = False
    """Whether the end is what the server was before it moved: ``end``, or STOPPED"""
    obeys_lock: bool = True

    def permits(self, vm_state: VmState, task_state: TaskState | None) -> bool:
        """Whether the action may begin on a server in these states."""
        if vm_state not in self.allowed:
            return False
        if task_state is None or self.tasks is Tasks.ANY:
            return True
        return isinstance(self.tasks, frozenset) and task_state in self.tasks


ANY_STATE = frozenset(VmState) - {S.DELETED}
_MOVING = {T.RESIZE_PREP, T.RESIZE_MIGRATING, T.RESIZE_MIGRATED, T.RESIZE_FINISH, T.RESIZE_REVERTING, T.MIGRATING} | {
    *(T.SHELVING, T.SHELVING_IMAGE_PENDING_UPLOAD, T.SHELVING_IMAGE_UPLOADING, T.SHELVING_OFFLOADING, T.UNSHELVING)
}
_ENDING = {T.DELETING, T.SOFT_DELETING, T.RESTORING}

_RESIZE_ROW = Transition(
    allowed=frozenset({S.ACTIVE, S.STOPPED}),
    during=(T.RESIZE_PREP, T.RESIZE_MIGRATING, T.RESIZE_MIGRATED, T.RESIZE_FINISH),
    end=S.RESIZED,
)

TRANSITIONS: dict[Action, Transition] = {
    Action.CREATE: Transition(
        allowed=frozenset({S.BUILDING}),
        tasks=Tasks.ANY,
        needs_launched=False,
        needs_host=False,
        during=(T.SCHEDULING, T.NETWORKING, T.SPAWNING),
        on_host=T.SPAWNING,
        end=S.ACTIVE,
        failure=S.ERROR,
    ),
    Action.DELETE: Transition(
        allowed=ANY_STATE,
        tasks=Tasks.ANY,
        needs_launched=False,
        needs_host=False,
        during=(T.DELETING,),
        end=S.DELETED,
        failure=S.ERROR,
    ),
    Action.SOFT_DELETE: Transition(
        allowed=frozenset({S.ACTIVE, S.PAUSED, S.SUSPENDED, S.STOPPED, S.RESCUED, S.ERROR}),
        tasks=frozenset(TaskState) - _MOVING - _ENDING,
        during=(T.SOFT_DELETING,),
        end=S.SOFT_DELETED,
    ),
    Action.RESTORE: Transition(
        allowed=frozenset({S.SOFT_DELETED}),
        during=(T.RESTORING,),
        end=S.ACTIVE,
    ),
    Action.REBOOT: Transition(
        allowed=frozenset({S.ACTIVE}),
        during=(T.REBOOTING,),
        end=S.ACTIVE,
        failure=S.ERROR,
    ),
    Action.REBOOT_HARD: Transition(
        allowed=frozenset({S.ACTIVE, S.STOPPED, S.PAUSED, S.SUSPENDED, S.ERROR}),
        tasks=frozenset(
            {T.REBOOTING, T.REBOOT_PENDING, T.REBOOT_STARTED, T.REBOOTING_HARD}
            | {T.RESUMING, T.UNPAUSING, T.PAUSING, T.SUSPENDING}
        ),
        during=(T.REBOOTING_HARD,),
        end=S.ACTIVE,
        failure=S.ERROR,
    ),
    Action.STOP: Transition(
        allowed=frozenset({S.ACTIVE, S.ERROR}),
        during=(T.POWERING_OFF,),
        end=S.STOPPED,
    ),
    Action.START: Transition(
        allowed=frozenset({S.STOPPED}),
        during=(T.POWERING_ON,),
        end=S.ACTIVE,
    ),
    Action.PAUSE: Transition(
        allowed=frozenset({S.ACTIVE}),
        during=(T.PAUSING,),
        end=S.PAUSED,
    ),
    Action.UNPAUSE: Transition(
        allowed=frozenset({S.PAUSED}),
        during=(T.UNPAUSING,),
        end=S.ACTIVE,
    ),
    Action.SUSPEND: Transition(
        allowed=frozenset({S.ACTIVE}),
        during=(T.SUSPENDING,),
        end=S.SUSPENDED,
    ),
    Action.RESUME: Transition(
        allowed=frozenset({S.SUSPENDED}),
        during=(T.RESUMING,),
        end=S.ACTIVE,
    ),
    Action.CHANGE_PASSWORD: Transition(
        allowed=frozenset({S.ACTIVE}),
        during=(T.UPDATING_PASSWORD,),
        end=S.ACTIVE,
    ),
    Action.TRIGGER_CRASH_DUMP: Transition(
        allowed=frozenset({S.ACTIVE, S.PAUSED, S.RESCUED, S.RESIZED, S.ERROR}),
    ),
    Action.RESET_NETWORK: Transition(
        allowed=ANY_STATE,
        tasks=Tasks.ANY,
        needs_launched=False,
        obeys_lock=False,
    ),
    Action.INJECT_NETWORK_INFO: Transition(
        allowed=ANY_STATE,
        tasks=Tasks.ANY,
        needs_launched=False,
        obeys_lock=False,
    ),
    Action.ATTACH_VOLUME: Transition(
        allowed=frozenset({S.ACTIVE, S.PAUSED, S.STOPPED, S.RESIZED, S.SOFT_DELETED}),
    ),
    Action.DETACH_VOLUME: Transition(
        allowed=frozenset({S.ACTIVE, S.PAUSED, S.STOPPED, S.RESIZED, S.SOFT_DELETED}),
    ),
    Action.ATTACH_INTERFACE: Transition(allowed=frozenset({S.ACTIVE, S.PAUSED, S.STOPPED})),
    Action.DETACH_INTERFACE: Transition(allowed=frozenset({S.ACTIVE, S.PAUSED, S.STOPPED})),
    Action.RESCUE: Transition(
        allowed=frozenset({S.ACTIVE, S.STOPPED, S.ERROR}),
        during=(T.RESCUING,),
        end=S.RESCUED,
        failure=S.ERROR,
    ),
    Action.UNRESCUE: Transition(
        allowed=frozenset({S.RESCUED}),
        during=(T.UNRESCUING,),
        end=S.ACTIVE,
    ),
    Action.REBUILD: Transition(
        allowed=frozenset({S.ACTIVE, S.STOPPED, S.ERROR}),
        during=(T.REBUILDING, T.REBUILD_BLOCK_DEVICE_MAPPING, T.REBUILD_SPAWNING),
        end=S.ACTIVE,
        keeps=frozenset({S.STOPPED}),
        failure=S.ERROR,
    ),
    Action.SHELVE: Transition(
        allowed=frozenset({S.ACTIVE, S.STOPPED, S.PAUSED, S.SUSPENDED}),
        during=(T.SHELVING, T.SHELVING_IMAGE_PENDING_UPLOAD, T.SHELVING_IMAGE_UPLOADING),
        end=S.SHELVED,
    ),
    Action.SHELVE_OFFLOAD: Transition(
        allowed=frozenset({S.SHELVED}),
        during=(T.SHELVING_OFFLOADING,),
        end=S.SHELVED_OFFLOADED,
    ),
    Action.UNSHELVE: Transition(
        allowed=frozenset({S.SHELVED, S.SHELVED_OFFLOADED}),
        needs_host=False,
        during=(T.UNSHELVING, T.SPAWNING),
        on_host=T.SPAWNING,
        end=S.ACTIVE,
    ),
    Action.CREATE_IMAGE: Transition(
        allowed=frozenset({S.ACTIVE, S.STOPPED, S.PAUSED, S.SUSPENDED}),
        during=(T.IMAGE_SNAPSHOT_PENDING, T.IMAGE_SNAPSHOT, T.IMAGE_PENDING_UPLOAD, T.IMAGE_UPLOADING),
        obeys_lock=False,
    ),
    Action.CREATE_BACKUP: Transition(
        allowed=frozenset({S.ACTIVE, S.STOPPED, S.PAUSED, S.SUSPENDED}),
        during=(T.IMAGE_BACKUP,),
        obeys_lock=False,
    ),
    Action.UPDATE_METADATA: Transition(
        allowed=frozenset({S.ACTIVE, S.PAUSED, S.SUSPENDED, S.STOPPED}),
        tasks=Tasks.ANY,
        needs_launched=False,
        needs_host=False,
    ),
    Action.RESIZE: _RESIZE_ROW,
    Action.MIGRATE: _RESIZE_ROW,
    Action.CONFIRM_RESIZE: Transition(
        allowed=frozenset({S.RESIZED}),
        during=(T.RESIZE_CONFIRMING,),
        end=S.ACTIVE,
        ends_as_before=True,
    ),
    Action.REVERT_RESIZE: Transition(
        allowed=frozenset({S.RESIZED}),
        during=(T.RESIZE_REVERTING,),
        end=S.ACTIVE,
        ends_as_before=True,
        failure=S.ERROR,
    ),
    Action.LIVE_MIGRATE: Transition(
        allowed=frozenset({S.ACTIVE, S.PAUSED}),
        during=(T.MIGRATING,),
    ),
    Action.EVACUATE: Transition(
        allowed=frozenset({S.ACTIVE, S.STOPPED, S.ERROR}),
        during=(T.REBUILDING,),
        end=S.ACTIVE,
        ends_as_before=True,
        failure=S.ERROR,
        obeys_lock=False,
    ),
}

P = PowerState
_OFF = (P.SHUTDOWN, P.CRASHED, P.NOSTATE)

FOLLOWS: dict[tuple[VmState, PowerState], VmState] = {
    **{(S.ACTIVE, power): S.STOPPED for power in _OFF},
    **{(S.PAUSED, power): S.STOPPED for power in _OFF},
    (S.ACTIVE, P.PAUSED): S.PAUSED,
    (S.PAUSED, P.RUNNING): S.ACTIVE,
    (S.STOPPED, P.RUNNING): S.ACTIVE,
    (S.STOPPED, P.PAUSED): S.PAUSED,
    (S.SUSPENDED, P.RUNNING): S.ACTIVE,
    (S.SUSPENDED, P.PAUSED): S.PAUSED,
}
"""What a server becomes whose guest changed while nothing was asked for; in all other cases it stays what it is."""

MUST_BE_OFF: frozenset[VmState] = frozenset({S.SOFT_DELETED})
"""States in which a guest that runs is powered off."""

_RESIZE = {T.RESIZE_PREP, T.RESIZE_MIGRATING, T.RESIZE_MIGRATED, T.RESIZE_FINISH}
_REBUILD = {T.REBUILDING, T.REBUILD_BLOCK_DEVICE_MAPPING, T.REBUILD_SPAWNING}

_DEFAULT_STATUS: dict[VmState, str] = {
    S.ACTIVE: "ACTIVE",
    S.BUILDING: "BUILD",
    S.STOPPED: "SHUTOFF",
    S.RESIZED: "VERIFY_RESIZE",
    S.PAUSED: "PAUSED",
    S.SUSPENDED: "SUSPENDED",
    S.RESCUED: "RESCUE",
    S.ERROR: "ERROR",
    S.DELETED: "DELETED",
    S.SOFT_DELETED: "SOFT_DELETED",
    S.SHELVED: "SHELVED",
    S.SHELVED_OFFLOADED: "SHELVED_OFFLOADED",
}

_TASK_STATUS: dict[tuple[VmState, TaskState], str] = {
    **{(S.ACTIVE, t): "REBOOT" for t in (T.REBOOTING, T.REBOOT_PENDING, T.REBOOT_STARTED)},
    **{(S.ACTIVE, t): "HARD_REBOOT" for t in (T.REBOOTING_HARD, T.REBOOT_PENDING_HARD, T.REBOOT_STARTED_HARD)},
    (S.ACTIVE, T.UPDATING_PASSWORD): "PASSWORD",
    (S.ACTIVE, T.MIGRATING): "MIGRATING",
    (S.PAUSED, T.MIGRATING): "MIGRATING",
    (S.RESIZED, T.RESIZE_REVERTING): "REVERT_RESIZE",
    **{(s, t): "RESIZE" for s in (S.ACTIVE, S.STOPPED) for t in _RESIZE},
    **{(s, t): "REBUILD" for s in (S.ACTIVE, S.STOPPED, S.ERROR) for t in _REBUILD},
}


def status_of(vm_state: VmState, task_state: TaskState | None) -> str:
    """The status word that the OpenStack API shows for a server in these states."""
    if task_state is not None and (vm_state, task_state) in _TASK_STATUS:
        return _TASK_STATUS[vm_state, task_state]
    return _DEFAULT_STATUS[vm_state]


@dataclass(frozen=True, slots=True)
class StatusFilter:
    """The pairs of states that one status word stands for."""

    vm_states: frozenset[VmState]
    """States that show the word by default."""
    pairs: frozenset[tuple[VmState, TaskState]]
    """States that show it while a task runs."""


def states_of(status: str) -> StatusFilter:
    """The inverse of :func:`status_of`, for filtering lists; both sets are empty for an unknown word."""
    wanted = status.upper()
    return StatusFilter(
        frozenset(state for state, word in _DEFAULT_STATUS.items() if word == wanted),
        frozenset(pair for pair, word in _TASK_STATUS.items() if word == wanted),
    )
