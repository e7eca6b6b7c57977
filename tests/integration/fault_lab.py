# SPDX-License-Identifier: Apache-2.0
"""A production cloud as a walk over faults sees it: requests, records, and what is really on the host."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select

from nova.db import faults, images, instances, operations, quotas, volumes
from nova.db.models.base import table_of
from nova.db.models.volume import VolumeExportRow
from nova.domain.instance import Fault, Instance, Operation
from nova.domain.shelving import shelved_image_of
from nova.domain.states import OperationState, PowerState, VmState
from nova.domain.transitions import Action
from nova.virt.filters.names import INSTANCE, key_of
from tests.faults.endings import OPEN, RUNS, half_deleted
from tests.faults.walks import Request, Subject
from tests.integration.boots import Boots
from tests.integration.leaks import addresses_held, claims, disks, domains, journals, taps, used
from tests.integration.netns import run
from tests.integration.production import COMPUTE, CONTROLLER, ProductionCloud, wait_until

SMALL = "walk"
BACK_IN_S = 60.0
"""How long after the last part is back everything must have ended"""
WORDS = {
    "running": PowerState.RUNNING,
    "paused": PowerState.PAUSED,
    "shut off": PowerState.SHUTDOWN,
    "crashed": PowerState.CRASHED,
}
UNSETTLED = frozenset({"attaching", "detaching", "creating", "deleting"})


class FaultLab:
    """See the module (``tests.faults.walks.Lab``, ``tests.faults.endings.Records``)."""

    def __init__(self, cloud: ProductionCloud, boots: Boots) -> None:
        self.cloud = cloud
        self.http = boots.http
        self.image = boots.image
        flavor = {"name": SMALL, "id": SMALL, "ram": 64, "vcpus": 1, "disk": 0}
        self.http.compute("POST", "/flavors", {"flavor": flavor})

    # Requests.

    def ask(self, request: Request) -> Any:
        return self.http.compute(request.method, request.path, request.body)

    def subject(self, *, volume: bool) -> Subject:
        """What a walk begins with; a *volume* is a new one, perhaps not yet there."""
        made = ""
        if volume:
            made = str(self.http.volume("POST", "/volumes", {"volume": {"size": 1}})["volume"]["id"])
        return Subject(image=self.image, flavor=SMALL, volume=made, hosts=(COMPUTE,))

    # Records.

    def get(self, uuid: str) -> Instance:
        return self.cloud.db.run(lambda tx: instances.get(tx, uuid, deleted=True), write=False)

    def operations(self, uuid: str) -> list[Operation]:
        return self.cloud.db.run(lambda tx: operations.list_for_instance(tx, uuid), write=False)

    def fault(self, uuid: str) -> Fault | None:
        return self.cloud.db.run(lambda tx: faults.latest_for(tx, [uuid]).get(uuid), write=False)

    def calm(self, subject: Subject) -> None:
        self.all_calm([subject])

    def all_calm(self, subjects: Iterable[Subject], *, within_s: float = BACK_IN_S * 2) -> float:
        """Wait until nothing is being done to any of them; how long that took."""
        began_at = time.monotonic()
        unrest: list[object] = []
        while (time.monotonic() - began_at) < within_s:
            unrest = [*(why for subject in subjects for why in self._unrest(subject)), *journals(self.cloud)]
            if not unrest:
                return time.monotonic() - began_at
            time.sleep(0.5)
        raise AssertionError(f"not calm in {within_s:g} s: {unrest}")

    def _unrest(self, subject: Subject) -> list[object]:
        found: list[object] = []
        if subject.server:
            server = self.get(subject.server)
            found += [each for each in self.operations(subject.server) if each.state in OPEN]
            busy = server.task_state is not None or server.vm_state is VmState.BUILDING
            found += [server] if busy and not server.deleted else []
        if subject.volume:
            status = self._volume_status(subject.volume)
            found += [f"volume {subject.volume} is {status}"] if status in UNSETTLED else []
        return found

    def _volume_status(self, volume_id: str) -> str:
        found = self.cloud.db.run(lambda tx: volumes.find(tx, volumes.VolumeQuery()), write=False)
        return next((each.status.value for each in found if each.id == volume_id), "")

    # Stopping daemons at steps.

    @contextlib.contextmanager
    def stopping_at(self, points: Iterable[str]) -> Iterator[None]:
        """Within the block daemons wait before the *points* (``daemon:step``); after it they go on."""
        lines = "\n".join(points)
        for host in (CONTROLLER, COMPUTE):
            (self.cloud.files.state(host) / "paused").unlink(missing_ok=True)
            (self.cloud.files.state(host) / "pause_before_step").write_text(lines)
        try:
            yield
        finally:
            self.let_go()

    def let_go(self) -> None:
        """Let daemons go on."""
        for host in (CONTROLLER, COMPUTE):
            (self.cloud.files.state(host) / "pause_before_step").unlink(missing_ok=True)

    def stopped(self) -> list[str]:
        """Where daemons have come to a point where they wait, once for each operation."""
        lines: list[str] = []
        for host in (CONTROLLER, COMPUTE):
            with contextlib.suppress(FileNotFoundError):
                lines += (self.cloud.files.state(host) / "paused").read_text().split()
        return lines

    # What is there.

    def disk_of(self, server: Instance) -> int:
        """What tells the server's disk from another one made in its place; 0 when there is none."""
        directory = self.cloud.files.state(COMPUTE) / "instances" / server.uuid
        return next((path.stat().st_ino for path in (directory / "disk", directory / "root") if path.exists()), 0)

    def assert_consistent(self, uuids: list[str]) -> None:
        """Everything that is held is held by one of the servers, exactly as its record says."""
        alive = [server for server in map(self.get, uuids) if not server.deleted]
        placed = [server for server in alive if server.host]
        ids = sorted(server.uuid for server in placed)
        wait_until(lambda: sorted(addresses_held(self.cloud).values()) == ids, "addresses of servers", timeout_s=30)
        assert sorted(claims(self.cloud)) == ids
        memory = sum(server.flavor.memory_mb for server in placed)
        assert used(self.cloud)[COMPUTE] == (len(placed), memory, 0)
        counted = self._counted(alive)
        assert counted == sum(server.vm_state is not VmState.SOFT_DELETED for server in alive)
        self._assert_guests(placed)
        self._assert_volumes()

    def _counted(self, alive: list[Instance]) -> int:
        if not alive:
            return 0
        project, wanted = alive[0].project_id, {"instances": -1}
        found = self.cloud.db.run(lambda tx: quotas.usages(tx, project, defaults=wanted), write=False)
        return found["instances"].in_use

    def _assert_guests(self, placed: list[Instance]) -> None:
        whole = [server for server in placed if not half_deleted(self, server)]
        there = {Path(path).name for path in disks(self.cloud)}
        assert {server.uuid for server in whole} <= there <= {server.uuid for server in placed}
        assert set(domains(self.cloud)) <= {server.name for server in placed}
        for server in whole:
            state = self._power(server)
            assert state in RUNS.get(server.vm_state, set(PowerState)), (server.vm_state, state)
        running = [server for server in placed if self._power(server) in (PowerState.RUNNING, PowerState.PAUSED)]
        assert len(taps(self.cloud)) == len(running)
        known = {f"{INSTANCE}{key_of(server.uuid)}" for server in placed}
        assert set(self._filter_chains()) <= known

    def _power(self, server: Instance) -> PowerState:
        word = run("virsh", "-c", self.cloud.uri, "domstate", server.name, check=False).strip()
        return WORDS.get(word, PowerState.NOSTATE)

    def _filter_chains(self) -> list[str]:
        rules = run("ip", "netns", "exec", self.cloud.namespace, "iptables", "-w", "-S")
        chains = [line.split()[1] for line in rules.splitlines() if line.startswith("-N")]
        return [chain for chain in chains if chain.startswith(INSTANCE)]

    def _assert_volumes(self) -> None:
        found = self.cloud.db.run(lambda tx: volumes.find(tx, volumes.VolumeQuery()), write=False)
        assert {volume.status.value for volume in found} <= {"available", "in-use"}, found
        in_use = {volume.ec2_number for volume in found if volume.status.value == "in-use"}
        wait_until(lambda: self._exported() <= in_use, "exports to be withdrawn", timeout_s=30)

    def _exported(self) -> set[int]:
        c = table_of(VolumeExportRow).c
        with self.cloud.db.transaction() as tx:
            return set(tx.execute(select(c.volume_id)).scalars())

    def remove(self, subjects: list[Subject]) -> None:
        """Delete the servers, then volumes and images; nothing is left."""
        for subject in subjects:
            if not self.get(subject.server).deleted:
                self.http.compute("POST", f"/servers/{subject.server}/action", {"forceDelete": None})
        self.all_calm(subjects)
        for subject in subjects:
            if subject.volume:
                self.http.volume("DELETE", f"/volumes/{subject.volume}")
        for image in self.cloud.db.run(lambda tx: images.find(tx, images.Query(viewer=None)), write=False):
            if image.id != self.image:
                self.http.call("DELETE", "image", f"/v2/images/{image.id}")
        self.assert_consistent([subject.server for subject in subjects])

    def assert_images(self, uuids: list[str]) -> None:
        """Every image but our own is the whole result of a snapshot that finished."""
        made = [each for uuid in uuids for each in self.operations(uuid)]
        snapshots = [each for each in made if each.action in (Action.CREATE_IMAGE, Action.CREATE_BACKUP)]
        wanted = {str(each.arguments["image"]["id"]) for each in snapshots if each.state is OperationState.FINISHED}
        alive = [server for server in map(self.get, uuids) if not server.deleted]
        wanted |= {shelved_image_of(server) for server in alive if shelved_image_of(server)}
        found = self.cloud.db.run(lambda tx: images.find(tx, images.Query(viewer=None)), write=False)
        assert {image.id for image in found} - {self.image} == wanted
