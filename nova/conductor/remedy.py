# SPDX-License-Identifier: Apache-2.0
"""What has to be done about an unfinished operation that nothing was heard of for a while: a pure function."""

from __future__ import annotations

import datetime
import enum

from nova.conductor.settings import ConductorSettings
from nova.domain.instance import Operation
from nova.domain.move import LEGS, Silence, leg_of
from nova.domain.states import OperationState
from nova.domain.transitions import Action

PLACED = frozenset({Action.CREATE, Action.REBUILD, Action.UNSHELVE, *LEGS})
"""Actions that a conductor takes up first, and then hands to a host"""


class Remedy(enum.Enum):
    """What to do."""

    WAIT = "wait"
    OFFER = "offer"
    """Nobody has taken the build up: send the message again."""
    TAKE_BACK = "take back"
    """The conductor that had it is silent."""
    DELETE = "delete"
    """Go on with a delete, with the host if it is alive and without it if not."""
    REPORT_DEAD_HOST = "report dead host"
    """Treat it as if its host had reported a failure, or for a leg that others need not wait for, its end."""
    TIME_OUT = "time out"
    """The host is at it for too long."""
    GIVE_UP = "give up"
    """It has been tried too often, or cannot be tried at all."""


def remedy_for(
    operation: Operation, *, now: datetime.datetime, host_is_dead: bool, settings: ConductorSettings
) -> Remedy:
    """What to do at *now* about an operation that nobody touched for ``requested_grace_s``."""
    if operation.host:
        return _on_a_host(operation, now=now, host_is_dead=host_is_dead, settings=settings)
    if operation.action == Action.DELETE:
        return Remedy.DELETE
    if operation.action not in PLACED:
        return Remedy.GIVE_UP
    if operation.state is OperationState.REQUESTED:
        return Remedy.OFFER if operation.attempt <= settings.max_takeovers else Remedy.GIVE_UP
    return Remedy.TAKE_BACK if _age_s(operation.updated_at, now) > settings.takeover_grace_s else Remedy.WAIT


def _on_a_host(
    operation: Operation, *, now: datetime.datetime, host_is_dead: bool, settings: ConductorSettings
) -> Remedy:
    if operation.phase:
        waits = leg_of(operation.action, operation.phase).silence is Silence.WAIT
        return Remedy.REPORT_DEAD_HOST if host_is_dead and not waits else Remedy.WAIT
    if host_is_dead:
        return Remedy.DELETE if operation.action == Action.DELETE else Remedy.REPORT_DEAD_HOST
    if operation.action == Action.CREATE and _age_s(operation.updated_at, now) > settings.build_timeout_s:
        return Remedy.TIME_OUT
    return Remedy.WAIT


def _age_s(moment: datetime.datetime | None, now: datetime.datetime) -> float:
    return float("inf") if moment is None else (now - moment).total_seconds()
