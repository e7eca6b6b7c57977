# SPDX-License-Identifier: Apache-2.0
"""All daemons in one process, with what a fault test does to them: stop one at a step, take one away, lose mail.

A point is ``(daemon, step)``, as the daemons' own hooks name it; a host's daemon is ``compute`` on any host.
Whatever reaches a point is noted in ``trace``; where the cloud is *armed*, the fault happens, once.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from nova.api.cloud import ApiSettings
from nova.conductor.settings import ConductorSettings
from nova.context import admin_context
from nova.db import flavors, images
from nova.db.engine import Database
from nova.db.settings import DatabaseSettings
from nova.db.transaction import Transaction
from nova.domain.flavor import Flavor
from nova.domain.image import Image
from nova.domain.network import Nic
from nova.domain.security_group import InstanceFilter
from nova.domain.states import VmState
from nova.errors import NovaError, Unavailable
from nova.rpc.codec import decode_envelope
from nova.rpc.settings import TransportSettings
from nova.rpc.transport import Message
from nova.virt.driver import Filters
from nova.virt.fake import FakeDriver, FakeSettings
from nova.virt.filters.noop import NoFilters
from tests.faults.endings import OPEN
from tests.faults.walks import Request, Subject
from tests.functional.volume_cloud import ADMIN, VolumeCloud
from tests.functional.workflow_cloud import IMAGE, CountingTransport, Killed, wait_until

Point = tuple[str, str]
UNSETTLED_VOLUME = frozenset({"attaching", "detaching", "creating", "deleting"})
LARGER = Flavor(flavor_id="larger", name="larger", memory_mb=2048, vcpus=2, root_gb=2)
LATER_S = 200.0
"""So much time passes at once when nothing more happens by itself: more than every grace of nova-conductor"""


class AwayDatabase(Database):
    """A database that can be away."""

    away = False

    @contextlib.contextmanager
    def _attempt(self, write: bool) -> Iterator[Transaction]:
        if self.away:
            raise Unavailable("The database does not answer.")
        with super()._attempt(write) as tx:
            yield tx


class AwayDriver(FakeDriver):
    """A hypervisor that can be away."""

    away = False

    def _enter(self, method: str) -> None:
        if self.away:
            raise Unavailable("libvirtd does not answer.")
        super()._enter(method)


class SeenFilters(NoFilters):
    """Remembers whose packets are filtered."""

    def __init__(self) -> None:
        self.instances: set[str] = set()

    def apply(self, filters: tuple[tuple[InstanceFilter, tuple[Nic, ...]], ...]) -> None:
        self.instances.update(each.instance_uuid for each, _ in filters)

    def retain(self, instance_uuids: frozenset[str]) -> None:
        self.instances &= instance_uuids

    def remove(self, instance_uuid: str) -> None:
        self.instances.discard(instance_uuid)


class FaultyTransport(CountingTransport):
    """Lets the cloud see each message first."""

    cloud: FaultCloud

    def publish(self, message: Message, *, within_s: float) -> None:
        if self.cloud.broker_away:
            raise Unavailable("The message broker does not answer.")
        name = decode_envelope(message.body).method
        self.cloud.on_message(name, message, lambda: super(FaultyTransport, self).publish(message, within_s=within_s))


class FaultCloud(VolumeCloud):
    """See the module."""

    db: AwayDatabase
    failure_memory_s = 0
    """Each walk is on the larger host, whatever happened there before"""

    def __init__(self, directory: Path, **options: Any) -> None:
        self.broker_away = False
        self.filters: dict[str, SeenFilters] = {}
        self.trace: list[Point] = []
        self.casts: list[str] = []
        self.happened = threading.Event()
        self.struck = ""
        """The compute host on which the fault happened, if it was one"""
        self.kept: list[Callable[[], None]] = []
        """What sends the messages that are kept back"""
        self._lock = threading.Lock()
        self._armed: tuple[Point, Callable[[], None]] | None = None
        self._mail: tuple[str, Callable[[Callable[[], None]], None]] | None = None
        super().__init__(directory, **{"conductor": ConductorSettings(shelved_offload_s=3600), **options})
        self.db.run(lambda tx: flavors.create(tx, LARGER))
        self.conductor._recovery._began_at -= 10_000  # it has been up for long, and may judge hosts

    # Making it.

    def api_settings(self) -> ApiSettings:
        unlimited = dict.fromkeys(ApiSettings().default_quotas, -1)
        return ApiSettings(auth_strategy="noauth", default_quotas=unlimited, reclaim_instance_interval_s=3600)

    def make_database(self, settings: DatabaseSettings) -> Database:
        return AwayDatabase(settings)

    def make_driver(self, settings: FakeSettings) -> FakeDriver:
        return AwayDriver(settings)

    def make_filters(self, host: str) -> Filters:
        self.filters[host] = SeenFilters()  # a restarted host knows nothing of its filters
        return self.filters[host]

    def transport(self) -> FaultyTransport:
        transport = FaultyTransport(TransportSettings(), self.broker)
        transport.sent, transport.cloud = self.sent, self
        return transport

    def hook(self, daemon: str) -> Callable[[str], None]:
        name, _, host = daemon.partition("@")
        return lambda step: self._reach((name, step), host)

    # Faults.

    def arm(self, point: Point | None, fault: Callable[[], None] = lambda: None) -> None:
        """Let *fault* happen when *point* is reached next; it may raise what the step shall meet."""
        self.trace, self.casts = [], []
        self.happened.clear()
        self._armed = None if point is None else (point, fault)

    def arm_mail(self, name: str, fault: Callable[[Callable[[], None]], None]) -> None:
        """Let *fault* decide about the next message *name* (``topic.method``): it is given what sends it."""
        self.arm(None)
        self._mail = (name, fault)

    def _reach(self, point: Point, host: str) -> None:
        with self._lock:
            self.trace.append(point)
            if self._armed is None or self._armed[0] != point:
                return
            fault, self._armed, self.struck = self._armed[1], None, host
        try:
            fault()
        finally:
            self.happened.set()

    def on_message(self, name: str, message: Message, send: Callable[[], None]) -> None:
        """A message is on its way."""
        with self._lock:
            if not message.expires_s and not message.address.fanout:
                self.casts.append(name)
            mail = self._mail
            if mail is not None and mail[0] == name:
                self._mail, self.struck = None, message.address.host
        if mail is None or mail[0] != name:
            send()
            return
        try:
            mail[1](send)
        finally:
            self.happened.set()

    def wait_for_fault(self, subject: Subject) -> None:
        """Until it has happened, which may take a turn of recovery."""
        deadline = time.monotonic() + 30
        while not self.happened.wait(0.5):
            assert time.monotonic() < deadline, f"the fault did not happen; reached: {self.trace}"
            self.time_passes()

    def stays_away(self, seconds: float) -> None:
        """Let everybody run against what is away, for a while."""
        time.sleep(seconds)

    def pictures(self) -> tuple[Image, ...]:
        """The images that users made, in whatever state."""
        return self.db.run(lambda tx: images.find(tx, images.Query(viewer=None)), write=False)

    def a_minute_passes(self) -> None:
        """Hosts report what their guests do and remove leftovers, and nova-volume looks after its exports."""
        for daemon in self.daemons.values():
            tasks = {task.name: task for task in daemon.periodic_tasks()}
            tasks["power states"].run()
            tasks["leftovers"].run()
        self.volume_host.look_after(admin_context("volumes"))

    def restart(self, host: str) -> None:
        """nova-compute on *host* again, after it was killed."""
        self.kill(host)
        self.start_compute(host)

    def time_passes(self) -> None:
        """Let everybody look for unfinished work, long after the last thing that was heard of it."""
        self.age_operations(LATER_S)
        for task in self.conductor.periodic_tasks():
            quietly(task.run)
        for daemon in list(self.daemons.values()):
            for task in daemon.periodic_tasks():
                quietly(task.run)
        quietly(lambda: self.volume_host.look_after(admin_context("volumes")))

    # A lab (see tests.faults.walks).

    def ask(self, request: Request) -> Any:
        headers = {"OpenStack-API-Version": f"compute {request.version}"}
        answer = self.call(request.method, f"/v2.1{request.path}", request.body, who=ADMIN, headers=headers)
        assert answer.status_int < 300, f"{request}: {answer.status} {answer.text}"
        return answer.json if answer.body else None

    def subject(self, *, volume: bool) -> Subject:
        """What a walk begins with; a *volume* is a new one."""
        made = self.new_volume(who=ADMIN) if volume else ""
        return Subject(image=IMAGE.id, flavor="small", larger_flavor="larger", volume=made, hosts=tuple(self.drivers))

    def calm(self, subject: Subject, *, within_s: float = 60.0) -> None:
        """Wait until nothing is being done to the server, letting time pass wherever nothing happens by itself."""
        deadline = time.monotonic() + within_s
        while not self._becomes_calm(subject, within_s=0.5):
            assert time.monotonic() < deadline, f"not calm: {self.unrest(subject)}"
            self.time_passes()

    def _becomes_calm(self, subject: Subject, *, within_s: float) -> bool:
        try:
            wait_until(lambda: not self.unrest(subject), within_s)
        except AssertionError:
            return False
        return True

    def unrest(self, subject: Subject) -> list[object]:
        """What is still to be done."""
        found: list[object] = [each for each in self.operations(subject.server) if each.state in OPEN]
        server = self.get(subject.server)
        found += [] if server.deleted or server.task_state is None else [server.task_state]
        found += [] if server.deleted or server.vm_state is not VmState.BUILDING else [server.vm_state]
        found += self.journals()
        found += [name for name, daemon in self.daemons.items() if not daemon.runner.wait_idle(0)]
        found += [image for image in self.pictures() if image.status != "active"]
        if server.vm_state is VmState.SHELVED_OFFLOADED:
            found += [f"disks on {name}" for name, driver in self.drivers.items() if subject.server in driver.disks]
        if server.deleted or not (server.host or server.vm_state is VmState.SHELVED_OFFLOADED):
            found += [f"address of {uuid}" for uuid in self.allocated() if uuid == subject.server]
        volume = self.volume(subject.volume)
        found += [volume.status] if volume is not None and volume.status in UNSETTLED_VOLUME else []
        return found


def quietly(work: Callable[[], object]) -> None:
    """A turn of a periodic task, which may fail, and may be killed."""
    with contextlib.suppress(NovaError, Killed):
        work()
