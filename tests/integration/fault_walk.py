# SPDX-License-Identifier: Apache-2.0
"""Every action with real guests, daemons, broker and database: one is killed or away while all operations are at work.

All actions run side by side, each on a server of its own, and stop before chosen steps; then the fault happens.  The
rounds are chosen so that each action is stopped before each of its steps.  In a minute after the last part is back
every operation must have ended, well or with a reason, and what is held must be what the records say.

All of it takes half an hour: ``pytest tests/integration/fault_walk.py``.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest

from nova.compute.plans import PLANS
from nova.compute.runner import REPORTING
from nova.domain.instance import Instance
from nova.domain.transitions import Action
from tests.faults import matrix
from tests.faults.endings import outcome
from tests.faults.rounds import rounds, stops
from tests.faults.walks import WALKS, Subject, ask, needs_volume
from tests.integration.boots import Boots, blank_image
from tests.integration.databases import MariaDb
from tests.integration.fault_lab import FaultLab
from tests.integration.production import COMPUTE, ProductionCloud, command_line, shown_on_failure, wait_until
from tests.integration.test_faults_libvirt import fill

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(900)]

OUTAGE_S = 20.0
CONFIGURATION = """
[DEFAULT]
reclaim_instance_interval = 3600
shutdown_timeout = 2
volume_stats_interval = 5
shelved_offload_time = -1

[workarounds]
pause_before_step = watched
"""
WALKED = sorted(action for action in set(WALKS) & set(PLANS) if not WALKS[action].only_functional)
STEPS: Mapping[str, Sequence[str]] = {
    action.value: [*(step.name for step in PLANS[action].steps), REPORTING] for action in WALKED
}
ROUNDS = rounds(STEPS)
IN_THE_MIDDLE = max(ROUNDS, key=lambda chosen: len(stops(STEPS, chosen) - {(each, REPORTING) for each in STEPS}))
"""Where most operations are half done"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultLab]:
    """One cloud for all rounds."""
    with ProductionCloud(MariaDb.create, grace_s=20, instances_mb=512, more=CONFIGURATION) as cloud:
        boots = Boots(cloud, blank_image(tmp_path_factory.mktemp("image")))
        yield FaultLab(cloud, boots)


@dataclass
class Chorus:
    """All actions at once: a subject for each, and what its server was before."""

    lab: FaultLab
    subjects: dict[Action, Subject]
    before: dict[Action, Instance | None]
    disks: dict[Action, int]

    @classmethod
    def ready(cls, lab: FaultLab, actions: Sequence[Action] = WALKED) -> Chorus:
        """Each action's server in its start state."""
        subjects = {action: lab.subject(volume=needs_volume(action)) for action in actions}
        lab.all_calm(subjects.values())
        ways = {action: way_to(action) for action in actions}
        for number in range(max(map(len, ways.values()))):
            for action, way in ways.items():
                if number < len(way):
                    subjects[action] = ask(lab, way[number], subjects[action])
            lab.all_calm(subjects.values())
        servers = {action: lab.get(it.server) if it.server else None for action, it in subjects.items()}
        disks = {action: lab.disk_of(server) if server else 0 for action, server in servers.items()}
        return cls(lab, subjects, servers, disks)

    def sing(self) -> None:
        """Ask for everything."""
        for action, subject in self.subjects.items():
            self.subjects[action] = ask(self.lab, action, subject)

    def ends(self, request: pytest.FixtureRequest, fault: str) -> None:
        """All have ended as they may; the servers are removed, and nothing is left."""
        took_s = self.lab.all_calm(self.subjects.values())
        print(f"{fault}: everything had ended {took_s:.0f} s after the last part was back")
        for action, subject in self.subjects.items():
            ended = outcome(self.lab, subject.server, action, before=self.before[action])
            matrix.record(request, action.value, fault, ended)
            self._assert_disk_kept(action, subject)
        servers = [subject.server for subject in self.subjects.values()]
        self.lab.assert_images(servers)
        self.lab.assert_consistent(servers)
        self.lab.remove(list(self.subjects.values()))

    def _assert_disk_kept(self, action: Action, subject: Subject) -> None:
        server = self.lab.get(subject.server)
        if self.disks[action] and action not in (Action.DELETE, Action.REBUILD, Action.SHELVE_OFFLOAD):
            assert self.lab.disk_of(server) == self.disks[action], action


def way_to(action: Action) -> tuple[Action, ...]:
    """What is done first for *action*."""
    walk = WALKS[action]
    before = walk.before if walk.before_idle is None else walk.before_idle
    return (Action.CREATE, *before) if walk.needs_server else ()


def all_stop(lab: FaultLab, chorus: Chorus, *, number: int) -> None:
    """Wait until so *many* daemons' operations have come to where they stop."""
    try:
        wait_until(lambda: len(lab.stopped()) >= number, "all to stop", timeout_s=180)
    except AssertionError as error:
        error.add_note(f"{number} wanted, these stopped: {lab.stopped()}")
        error.add_note(f"not ended: {[lab.operations(it.server)[0] for it in chorus.subjects.values()]}")
        raise


def stopped_chorus(lab: FaultLab, chosen: frozenset[str], fault: Callable[[], None]) -> Chorus:
    """The operations, when those that come to a step of *chosen* have stopped there and *fault* has happened."""
    expected = stops(STEPS, chosen)
    chorus = Chorus.ready(lab, [action for action in WALKED if action.value in {each for each, _ in expected}])
    with lab.stopping_at(f"compute:{step}" for step in chosen):
        chorus.sing()
        all_stop(lab, chorus, number=len(expected))
        fault()
    return chorus


@pytest.mark.parametrize("chosen", ROUNDS, ids=lambda chosen: f"{min(chosen)}-{len(chosen)}")
def test_nova_compute_killed_before_each_step(
    lab: FaultLab, chosen: frozenset[str], request: pytest.FixtureRequest
) -> None:
    kill_before(lab, chosen, request)


def kill_before(lab: FaultLab, chosen: frozenset[str], request: pytest.FixtureRequest) -> None:
    """One round of it."""
    with shown_on_failure(lab.cloud):
        chorus = stopped_chorus(lab, chosen, lambda: lab.cloud.kill("nova-compute"))
        lab.cloud.restart("nova-compute")
        chorus.ends(request, "compute killed")


def test_libvirtd_killed(lab: FaultLab, request: pytest.FixtureRequest) -> None:
    """It is started again at once, as systemd would; calls in between fail."""
    with shown_on_failure(lab.cloud):
        stopped_chorus(lab, IN_THE_MIDDLE, lambda: kill_libvirtd(lab.cloud)).ends(request, "libvirtd killed")


def test_broker_away(lab: FaultLab, request: pytest.FixtureRequest) -> None:
    def fault() -> None:
        lab.cloud.broker.kill()
        lab.let_go()
        time.sleep(OUTAGE_S)
        lab.cloud.broker.start()

    with shown_on_failure(lab.cloud):
        stopped_chorus(lab, IN_THE_MIDDLE, fault).ends(request, "broker away")


def test_database_away(lab: FaultLab, request: pytest.FixtureRequest) -> None:
    def fault() -> None:
        lab.cloud.database.kill()
        lab.let_go()
        time.sleep(OUTAGE_S)
        lab.cloud.database.start()

    with shown_on_failure(lab.cloud):
        stopped_chorus(lab, IN_THE_MIDDLE, fault).ends(request, "database away")


def test_disk_full(lab: FaultLab, request: pytest.FixtureRequest) -> None:
    ballast = lab.cloud.files.state(COMPUTE) / "instances" / "ballast"

    def fault() -> None:
        fill(ballast)
        lab.let_go()
        time.sleep(OUTAGE_S / 2)
        ballast.unlink()

    with shown_on_failure(lab.cloud):
        stopped_chorus(lab, IN_THE_MIDDLE, fault).ends(request, "disk full")


@pytest.mark.parametrize("step", ["begin_operation", "finish_operation"])
def test_nova_conductor_killed(lab: FaultLab, step: str, request: pytest.FixtureRequest) -> None:
    with shown_on_failure(lab.cloud):
        chorus = Chorus.ready(lab)
        with lab.stopping_at([f"conductor:{step}"]):
            chorus.sing()
            all_stop(lab, chorus, number=len(WALKED))
            lab.cloud.kill("nova-conductor")
        lab.cloud.restart("nova-conductor")
        chorus.ends(request, "conductor killed")


def kill_libvirtd(cloud: ProductionCloud) -> None:
    """The one of *cloud*; its guests run on."""
    [pid] = [pid for pid in cloud.pids() if "libvirtd" in command_line(pid).split(" ")[0]]
    os.kill(pid, signal.SIGKILL)
