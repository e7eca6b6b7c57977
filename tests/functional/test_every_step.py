# SPDX-License-Identifier: Apache-2.0
"""Every action of a compute host, with every fault, at every step that it records: it ends well, or says why.

An action's steps are those that a walk without a fault records, in all daemons; a new action needs a row in
``tests/faults/walks.py`` and nothing else.  The table of all walks is printed at the end of the run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nova.compute.plans import PLANS
from nova.conductor.settings import ConductorSettings
from nova.context import admin_context
from nova.domain.transitions import Action
from tests.faults import matrix
from tests.faults.endings import outcome
from tests.faults.walks import WALKS, Subject, ask, begin, needs_volume
from tests.functional.fault_cloud import FaultCloud, Point, quietly
from tests.functional.fault_kinds import FAULTS, Fault
from tests.functional.invariants import assert_consistent
from tests.functional.volume_cloud import ADMIN
from tests.functional.workflow_cloud import Killed

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultCloud]:
    """A host with room for everything, and a smaller one."""
    monkeypatch.setattr(threading, "excepthook", _let_die(threading.excepthook))
    made = FaultCloud(tmp_path, conductor=ConductorSettings(shelved_offload_s=-1))
    made.add_scheduler()
    made.add_network()
    made.add_storage()
    made.add_host("a", memory_mb=64 * 1024)
    made.add_host("b", memory_mb=32 * 1024)
    yield made
    made.close()


def _let_die(report: Callable[[threading.ExceptHookArgs], object]) -> Callable[[threading.ExceptHookArgs], object]:
    return lambda args: None if args.exc_type is Killed else report(args)


def test_every_action_of_a_compute_host_has_a_walk() -> None:
    assert set(PLANS) <= set(WALKS)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("action", sorted(set(WALKS) & set(PLANS)))
def test_an_operation_ends_cleanly(
    cloud: FaultCloud, action: Action, fault: str, request: pytest.FixtureRequest
) -> None:
    walked(cloud, action)
    for point in FAULTS[fault].at(cloud):
        try:
            ended = walked(cloud, action, point, FAULTS[fault])
        except AssertionError as error:
            error.add_note(f"{action}: {fault} at {' '.join(point)}")
            raise
        matrix.record(request, action.value, fault, ended)


def walked(cloud: FaultCloud, action: Action, point: Point | None = None, fault: Fault | None = None) -> str:
    """How one operation ended; everything is removed afterwards."""
    subject = begin(cloud, action, cloud.subject(volume=needs_volume(action)))
    before = cloud.get(subject.server) if subject.server else None
    with pytest.MonkeyPatch.context() as patch:
        cloud.arm(None)
        if point is not None and fault is not None:
            fault.arm(cloud, point, action, patch)
        subject = ask(cloud, action, subject)
        if point is not None and fault is not None:
            cloud.wait_for_fault(subject)
            fault.mend(cloud, point)
        cloud.calm(subject)
    trace, casts = list(cloud.trace), list(cloud.casts)
    ended = outcome(cloud, subject.server, action, before=before)
    cloud.a_minute_passes()
    assert_consistent(cloud, [subject.server])
    remove(cloud, subject)
    cloud.trace, cloud.casts = trace, casts
    return ended


def remove(cloud: FaultCloud, subject: Subject) -> None:
    """Delete the server and the volume; nothing is held afterwards."""
    if not cloud.get(subject.server).deleted:
        cloud.ask(WALKS[Action.DELETE].request(subject))
        cloud.calm(subject)
    for image in cloud.pictures():
        cloud.store.delete(admin_context("test"), image.id)
    if cloud.volume(subject.volume) is not None:
        cloud.ok("DELETE", f"/v3/volumes/{subject.volume}", status=202, who=ADMIN)
        cloud.vanishes(subject.volume)
    quietly(cloud.time_passes)
    assert_consistent(cloud, [])
    assert cloud.guests() == {}
