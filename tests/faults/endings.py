# SPDX-License-Identifier: Apache-2.0
"""How an operation may end: as its row says, or with a reason that its owner can read."""

from __future__ import annotations

from typing import Protocol

from nova.domain.instance import Fault, Instance, Operation
from nova.domain.states import OperationState, PowerState, VmState
from nova.domain.transitions import TRANSITIONS, Action

OPEN = (OperationState.REQUESTED, OperationState.RUNNING)
RUNS = {
    VmState.ACTIVE: {PowerState.RUNNING},
    VmState.PAUSED: {PowerState.PAUSED},
    VmState.RESCUED: {PowerState.RUNNING},
    VmState.STOPPED: {PowerState.SHUTDOWN, PowerState.NOSTATE},
    VmState.SHELVED: {PowerState.SHUTDOWN, PowerState.NOSTATE},
    VmState.SUSPENDED: {PowerState.SHUTDOWN, PowerState.SUSPENDED, PowerState.NOSTATE},
}
"""What the guest of a server does, by the server's state, where that says it"""


class Records(Protocol):
    """What a cloud's database says."""

    def get(self, uuid: str) -> Instance:
        """The server, deleted or not."""
        ...

    def operations(self, uuid: str) -> list[Operation]:
        """Its operations, newest first."""
        ...

    def fault(self, uuid: str) -> Fault | None:
        """Its newest fault."""
        ...


def outcome(records: Records, uuid: str, action: Action, *, before: Instance | None) -> str:
    """``finished`` or ``explained``; fails where its end is not that of its row, or has no reason."""
    server, operation = records.get(uuid), records.operations(uuid)[0]
    transition = TRANSITIONS[action]
    assert operation.action == action
    assert operation.state not in OPEN
    if operation.state is OperationState.FINISHED:
        kept = before is not None and server.vm_state == before.vm_state and server.vm_state in transition.keeps
        assert kept or transition.end in (None, server.vm_state), (server, operation)
        return "finished"
    assert operation.message, operation
    if server.vm_state is VmState.ERROR:
        fault = records.fault(uuid)
        assert fault is not None
        assert fault.message
    allowed = {transition.failure} if transition.failure else {before.vm_state} if before else set()
    # A guest that ran on or stopped by itself is followed.
    allowed |= {VmState.ACTIVE, VmState.STOPPED} if allowed & {VmState.ACTIVE, VmState.STOPPED} else set()
    assert server.vm_state in allowed, (server, operation)
    return "explained"


def half_deleted(records: Records, server: Instance) -> bool:
    """Whether its delete failed on the host, and has to be asked for again: some of it may be gone."""
    return server.vm_state is VmState.ERROR and records.operations(server.uuid)[0].action == Action.DELETE
