# SPDX-License-Identifier: Apache-2.0
"""What EC2 calls the state of a server: a number and a word."""

from __future__ import annotations

from nova.api.ec2.documents import Value
from nova.domain.instance import Instance
from nova.domain.states import TaskState, VmState

PENDING, RUNNING, SHUTTING_DOWN, TERMINATED, STOPPING, STOPPED = (
    *((0, "pending"), (16, "running"), (32, "shutting-down")),
    *((48, "terminated"), (64, "stopping"), (80, "stopped")),
)

_VM_STATES = {
    VmState.BUILDING: PENDING,
    VmState.ACTIVE: RUNNING,
    VmState.DELETED: TERMINATED,
    VmState.SOFT_DELETED: TERMINATED,
    VmState.STOPPED: STOPPED,
    VmState.PAUSED: (80, "pause"),
    VmState.SUSPENDED: (80, "suspend"),
    VmState.RESCUED: (16, "rescue"),
    VmState.RESIZED: (16, "resize"),
}
_TASK_STATES = {
    TaskState.DELETING: SHUTTING_DOWN,
    TaskState.SOFT_DELETING: SHUTTING_DOWN,
    TaskState.POWERING_OFF: STOPPING,
    TaskState.POWERING_ON: PENDING,
}


def state_of(instance: Instance) -> tuple[int, str]:
    """Number and word; a state that EC2 never had is called by our own word."""
    if instance.deleted:
        return TERMINATED
    if instance.task_state in _TASK_STATES:
        return _TASK_STATES[instance.task_state]
    return _VM_STATES.get(instance.vm_state, (0, instance.vm_state.value))


def shown(state: tuple[int, str]) -> dict[str, Value]:
    """As an element."""
    return {"code": state[0], "name": state[1]}
