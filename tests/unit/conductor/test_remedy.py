# SPDX-License-Identifier: Apache-2.0
"""What recovery does about each kind of unfinished operation."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from nova.conductor.remedy import Remedy, remedy_for
from nova.conductor.settings import ConductorSettings
from nova.domain.instance import Operation
from nova.domain.states import OperationState
from nova.system.clock import utc_now

NOW = utc_now()
SETTINGS = ConductorSettings(takeover_grace_s=180, build_timeout_s=3600, max_takeovers=10)
REQUESTED, RUNNING = OperationState.REQUESTED, OperationState.RUNNING


def operation(action: str, state: OperationState, *, silent_s: float = 60, **changes: Any) -> Operation:
    return Operation(
        id=1,
        instance_uuid="i",
        action=action,
        request_id="req-1",
        user_id="u",
        project_id="p",
        state=state,
        updated_at=NOW - datetime.timedelta(seconds=silent_s),
        **changes,
    )


@pytest.mark.parametrize(
    ("found", "host_is_dead", "expected"),
    [
        (operation("create", REQUESTED), False, Remedy.OFFER),
        (operation("create", REQUESTED, attempt=10), False, Remedy.OFFER),
        (operation("create", REQUESTED, attempt=11), False, Remedy.GIVE_UP),
        (operation("create", RUNNING), False, Remedy.WAIT),
        (operation("create", RUNNING, silent_s=181), False, Remedy.TAKE_BACK),
        (operation("create", RUNNING, host="a"), False, Remedy.WAIT),
        (operation("create", RUNNING, host="a", silent_s=3601), False, Remedy.TIME_OUT),
        (operation("create", RUNNING, host="a"), True, Remedy.REPORT_DEAD_HOST),
        (operation("delete", REQUESTED), False, Remedy.DELETE),
        (operation("delete", REQUESTED, host="a"), False, Remedy.WAIT),
        (operation("delete", RUNNING, host="a"), True, Remedy.DELETE),
        (operation("reboot", REQUESTED), False, Remedy.GIVE_UP),
        (operation("reboot", REQUESTED, host="a"), False, Remedy.WAIT),
        (operation("stop", REQUESTED, host="a"), True, Remedy.REPORT_DEAD_HOST),
    ],
)
def test_the_remedy_for_an_unfinished_operation(found: Operation, host_is_dead: bool, expected: Remedy) -> None:
    assert remedy_for(found, now=NOW, host_is_dead=host_is_dead, settings=SETTINGS) is expected
