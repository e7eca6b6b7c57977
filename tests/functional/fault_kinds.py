# SPDX-License-Identifier: Apache-2.0
"""What can go wrong at a recorded step or with a message: one row for each kind of fault."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from nova.compute import plans
from nova.compute.runner import REPORTING
from nova.domain.transitions import Action
from nova.errors import HypervisorError
from nova.workflow.journal import Journal
from nova.workflow.steps import Step
from tests.functional.fault_cloud import FaultCloud, Point
from tests.functional.workflow_cloud import Killed

AWAY_S = 0.4
Undo = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One kind."""

    at: Callable[[FaultCloud], list[Point]]
    """The points at which it can happen, of the walk that the cloud has just made"""
    arm: Callable[[FaultCloud, Point, Action, pytest.MonkeyPatch], None]
    mend: Callable[[FaultCloud, Point], None] = lambda cloud, point: None
    """What an operator, or time, does afterwards"""


def _steps(cloud: FaultCloud) -> list[Point]:
    """Of hosts, without the report."""
    return [point for point in _host_points(cloud) if point[1] != REPORTING]


def _host_points(cloud: FaultCloud) -> list[Point]:
    return [point for point in _points(cloud) if point[0] == "compute"]


def _points(cloud: FaultCloud) -> list[Point]:
    return list(dict.fromkeys(cloud.trace))


def _messages(cloud: FaultCloud) -> list[Point]:
    return [("message", name) for name in dict.fromkeys(cloud.casts)]


def _orders(cloud: FaultCloud) -> list[Point]:
    return [point for point in _messages(cloud) if point[1].startswith("compute.") and "filters" not in point[1]]


def _die() -> None:
    raise Killed


def _kill(cloud: FaultCloud, point: Point, action: Action, patch: pytest.MonkeyPatch) -> None:
    cloud.arm(point, _die)


def _restart(cloud: FaultCloud, point: Point) -> None:
    """A host's daemon is started again; what a controller's daemon had in hand goes to its sibling at once."""
    if cloud.struck:
        cloud.restart(cloud.struck)


def _kill_after(cloud: FaultCloud, point: Point, action: Action, patch: pytest.MonkeyPatch) -> None:
    """The step was done, and nobody wrote that down."""
    whole = Journal.ended

    def ended(self: Journal, step: str, error: BaseException | None = None) -> None:
        if step == point[1] and not cloud.happened.is_set():
            cloud.struck = self._host
            cloud.daemons[cloud.struck].runner.stop(0)
            cloud.happened.set()
            raise Killed
        whole(self, step, error)

    cloud.arm(None)
    patch.setattr(Journal, "ended", ended)


def _fail(cloud: FaultCloud, point: Point, action: Action, patch: pytest.MonkeyPatch) -> None:
    """The step does all that it does, and then fails."""

    def failing(step: Step[Any]) -> Step[Any]:
        if step.name != point[1]:
            return step

        @functools.wraps(step.do)
        def do(state: Any) -> None:
            step.do(state)
            if not cloud.happened.is_set():
                cloud.happened.set()
                raise HypervisorError("The host is on fire.")

        return replace(step, do=do)

    cloud.arm(None)
    plan = plans.PLANS[action]
    patch.setitem(plans.PLANS, action, replace(plan, steps=[failing(step) for step in plan.steps]))  # type: ignore[arg-type]


def _away(what: Callable[[FaultCloud], tuple[Any, str]]) -> Callable[..., None]:
    """Something does not answer from the point on."""

    def arm(cloud: FaultCloud, point: Point, action: Action, patch: pytest.MonkeyPatch) -> None:
        cloud.arm(point, lambda: setattr(*what(cloud), True))

    return arm


def _back(what: Callable[[FaultCloud], tuple[Any, str]]) -> Callable[..., None]:
    def mend(cloud: FaultCloud, point: Point) -> None:
        cloud.stays_away(AWAY_S)
        setattr(*what(cloud), False)

    return mend


def _broker(cloud: FaultCloud) -> tuple[Any, str]:
    return cloud, "broker_away"


def _database(cloud: FaultCloud) -> tuple[Any, str]:
    return cloud.db, "away"


def _hypervisor(cloud: FaultCloud) -> tuple[Any, str]:
    return cloud.drivers[cloud.struck], "away"


def _lose_host(cloud: FaultCloud, point: Point) -> None:
    """The host is thought dead, what it had is ended or given to others; then it comes back."""
    cloud.kill(cloud.struck)
    cloud.silence(cloud.struck)
    for _ in range(3):
        cloud.time_passes()
    cloud.start_compute(cloud.struck)


def _mail(fault: Callable[[FaultCloud, Callable[[], None]], None]) -> Callable[..., None]:
    def arm(cloud: FaultCloud, point: Point, action: Action, patch: pytest.MonkeyPatch) -> None:
        cloud.arm_mail(point[1], lambda send: fault(cloud, send))

    return arm


def _lose(cloud: FaultCloud, send: Callable[[], None]) -> None:
    pass


def _repeat(cloud: FaultCloud, send: Callable[[], None]) -> None:
    send()
    send()


def _keep(cloud: FaultCloud, send: Callable[[], None]) -> None:
    cloud.kept.append(send)


def _deliver_late(cloud: FaultCloud, point: Point) -> None:
    """The order arrives after the host was thought dead and everything was decided without it."""
    _lose_host(cloud, point)
    for send in cloud.kept:
        send()
    cloud.kept.clear()


FAULTS: Mapping[str, Fault] = {
    "killed": Fault(at=_points, arm=_kill, mend=_restart),
    "killed after": Fault(at=_steps, arm=_kill_after, mend=_restart),
    "step fails": Fault(at=_steps, arm=_fail),
    "broker away": Fault(at=_points, arm=_away(_broker), mend=_back(_broker)),
    "database away": Fault(at=_points, arm=_away(_database), mend=_back(_database)),
    "libvirtd away": Fault(at=_steps, arm=_away(_hypervisor), mend=_back(_hypervisor)),
    "host lost": Fault(at=_host_points, arm=_kill, mend=_lose_host),
    "message lost": Fault(at=_messages, arm=_mail(_lose)),
    "message twice": Fault(at=_messages, arm=_mail(_repeat)),
    "order late": Fault(at=_orders, arm=_mail(_keep), mend=_deliver_late),
}
