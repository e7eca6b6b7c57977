# SPDX-License-Identifier: Apache-2.0
"""Scheduler, conductor, network and compute daemons of one cloud in one process: real database, messages in memory.

Requests come in through the API's own actions.  Only the hypervisor, the wiring of the network host, the storage and
the bytes of images are stand-ins.  ``kill`` stops a compute host as SIGKILL would: between two of its steps, for good.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from sqlalchemy import select, update

from nova.api.actions import boot, delete, power, reboot
from nova.api.actions.boot_request import BootRequest
from nova.api.cloud import ApiSettings
from nova.api.cloud import Cloud as ApiCloud
from nova.api.policy import Policy
from nova.compute.daemon import ComputeDaemon
from nova.compute.host import Host
from nova.compute.settings import ComputeSettings
from nova.conductor.cloud import Cloud as ConductorCloud
from nova.conductor.service import ConductorService
from nova.conductor.settings import ConductorSettings
from nova.context import RequestContext
from nova.db import addresses, faults, flavors, instances, networks, operations, services
from nova.db.engine import Database, DatabaseSettings
from nova.db.models import Base
from nova.db.models.base import table_of
from nova.db.models.host import ComputeNodeRow, InstanceClaimRow, ServiceRow
from nova.db.models.instance import InstanceActionRow
from nova.db.models.network import FixedIpRow
from nova.domain.block_device import Connector, VolumeConnection
from nova.domain.flavor import Flavor
from nova.domain.image import Image
from nova.domain.instance import Fault, Instance, Operation
from nova.domain.network import Forward, Network
from nova.domain.states import VmState
from nova.errors import Forbidden
from nova.image.files import ImageFiles
from nova.image.local import LocalImages
from nova.interfaces.compute import Compute
from nova.interfaces.conductor import Conductor
from nova.interfaces.network import NetworkService
from nova.interfaces.scheduler import Scheduler
from nova.interfaces.volume import VolumeService
from nova.network.flat import FlatDhcp
from nova.network.service import Service as NetworkDaemon
from nova.network.settings import NetworkSettings
from nova.network.topology import ModeSettings
from nova.rpc.client import client_for
from nova.rpc.memory import MemoryBroker, MemoryTransport
from nova.rpc.server import Server
from nova.rpc.settings import TransportSettings
from nova.rpc.transport import Message
from nova.scheduler.limits import Limits
from nova.scheduler.service import SchedulerService
from nova.scheduler.settings import SchedulerSettings
from nova.secret import Secret
from nova.system.clock import utc_now
from nova.virt.driver import Filters
from nova.virt.fake import FakeDriver, FakeSettings
from nova.virt.filters.noop import NoFilters
from nova.workflow.steps import no_pause

ALICE = RequestContext(user_id="alice", project_id="apples", roles=("member",))
IMAGE_BYTES = b"\0" * 4096
IMAGE = Image(
    id="22222222-2222-4222-8222-222222222222",
    name="tiny",
    disk_format="raw",
    container_format="bare",
    size_bytes=len(IMAGE_BYTES),
    checksum=hashlib.md5(IMAGE_BYTES, usedforsecurity=False).hexdigest(),
    created_at=utc_now(),
    properties={"hw_qemu_guest_agent": "yes"},
)
FLAVOR = Flavor(flavor_id="small", name="small", memory_mb=1024, vcpus=1, root_gb=1)
DONE = frozenset(VmState) - {VmState.BUILDING, VmState.DELETED}


class Killed(BaseException):
    """The process is gone: nothing below catches it."""


class Images:
    """One image that is always there, and in the built-in store what users make."""

    def __init__(self, store: LocalImages | None = None) -> None:
        self._store = store

    def get(self, context: RequestContext, image_id: str) -> Image:
        return self._store.get(context, image_id) if self._store and image_id != IMAGE.id else IMAGE

    def read(self, context: RequestContext, image_id: str) -> Iterator[bytes]:
        return self._store.read(context, image_id) if self._store and image_id != IMAGE.id else iter([IMAGE_BYTES])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class GuardedImages(Images):
    """The same from a service that asks for a token."""

    def __init__(self, token: Secret) -> None:
        super().__init__()
        self._token = token

    def read(self, context: RequestContext, image_id: str) -> Iterator[bytes]:
        if context.auth_token != self._token:
            raise Forbidden("The image service does not accept the token.")
        return super().read(context, image_id)


class NoWiring:
    """A network host without a kernel."""

    def __init__(self) -> None:
        self.forwards: list[Forward] = []

    def apply(self, networks: object, hosts: object, forwards: Sequence[Forward], known: object) -> None:
        self.forwards = list(forwards)

    def forward(self, forwards: Sequence[Forward], known: object) -> None:
        self.forwards = list(forwards)

    def single_addresses(self) -> set[str]:
        return set()

    def add(self, hosts: object) -> None: ...
    def remove(self, released: object) -> None: ...
    def tidy(self) -> None: ...
    def remove_all(self) -> None: ...
    def serves(self, network_id: int) -> bool:
        return True


class Storage:
    """A nova-volume that exports whatever it is asked for."""

    def __init__(self) -> None:
        self.exports: set[tuple[str, str]] = set()

    def create(self, context: RequestContext, *, volume_id: str) -> None: ...

    def delete(self, context: RequestContext, *, volume_id: str) -> None: ...

    def connect(self, context: RequestContext, *, volume_id: str, connector: Connector) -> VolumeConnection:
        self.exports.add((volume_id, connector.host))
        return VolumeConnection(volume_id=volume_id, portal="127.0.0.1:3260", iqn=f"iqn.x:{volume_id}", lun=1)

    def disconnect(self, context: RequestContext, *, volume_id: str, connector: Connector) -> None:
        self.exports.discard((volume_id, connector.host))


class CountingTransport(MemoryTransport):
    """Counts what goes over the wire: a cast is one message, a call two."""

    sent: Counter[str]

    def publish(self, message: Message, *, within_s: float) -> None:
        self.sent[message.address.topic] += 2 if message.expires_s else 1
        super().publish(message, within_s=within_s)


class WorkflowCloud:
    """The daemons; ``close`` stops them."""

    failure_memory_s = SchedulerSettings().failure_memory_s

    def __init__(self, directory: Path, *, conductor: ConductorSettings | None = None, url: str = "") -> None:
        self.directory = directory
        self.db = self.make_database(
            DatabaseSettings(url=url or f"sqlite:///{directory}/nova.sqlite", max_pool_size=10, max_overflow=40)
        )
        Base.metadata.create_all(self.db.engine)
        self.broker = MemoryBroker()
        self.sent: Counter[str] = Counter()
        self.servers: list[Server] = []
        self.drivers: dict[str, FakeDriver] = {}
        self.daemons: dict[str, ComputeDaemon] = {}
        self.compute_servers: dict[str, Server] = {}
        self.storage = Storage()
        self.wiring = NoWiring()
        self.store = LocalImages(self.db, ImageFiles(directory / "images"))
        self.images: Images = Images(self.store)
        """Where compute hosts that start from now on read"""
        self.network_server: Server | None = None
        self._names = itertools.count()
        self._limits = Limits(ram_ratio=1.0, reserved_memory_mb=0)
        self.conductor = self._conductor(conductor or ConductorSettings())
        self.api = self._api()
        self._prepare()

    # Making it.

    def make_database(self, settings: DatabaseSettings) -> Database:
        return Database(settings)

    def make_driver(self, settings: FakeSettings) -> FakeDriver:
        return FakeDriver(settings)

    def make_filters(self, host: str) -> Filters:
        return NoFilters()

    def hook(self, daemon: str) -> Callable[[str], None]:
        """What *daemon* calls before each of its steps."""
        return no_pause

    def transport(self) -> CountingTransport:
        transport = CountingTransport(TransportSettings(), self.broker)
        transport.sent = self.sent
        return transport

    def serve(self, interface: Any, implementation: object, *, host: str) -> Server:
        server = Server(self.transport(), host=host)
        server.serve(interface, implementation)
        server.start()
        self.servers.append(server)
        return server

    def _conductor(self, settings: ConductorSettings) -> ConductorService:
        transport = self.transport()
        service = ConductorService(
            ConductorCloud(
                db=self.db,
                conductor=client_for(Conductor, transport),
                scheduler=client_for(Scheduler, transport),
                compute=client_for(Compute, transport),
                network=client_for(NetworkService, transport),
                volume=client_for(VolumeService, transport),
                settings=settings,
                delete_image=self.store.delete,
                pause_before_step=self.hook("conductor"),
            )
        )
        self.conductor_server = self.serve(Conductor, service, host="controller")
        return service

    def _api(self) -> ApiCloud:
        transport = self.transport()
        absent = cast(Any, None)
        return ApiCloud(
            db=self.db,
            conductor=client_for(Conductor, transport),
            compute=client_for(Compute, transport),
            network=client_for(NetworkService, transport),
            volume=client_for(VolumeService, transport),
            scheduler=client_for(Scheduler, transport),
            images=cast(Any, Images(self.store)),
            identity=absent,
            policy=Policy(),
            settings=ApiSettings(
                default_quotas={**ApiSettings().default_quotas, "instances": -1, "cores": -1, "ram": -1}
            ),
        )

    def _prepare(self) -> None:
        with self.db.transaction() as tx:
            flavors.create(tx, FLAVOR)
            net = Network(id=0, uuid="33333333-3333-4333-8333-333333333333", label="net", cidr="10.0.0.0/16")
            networks.create(tx, [net_with_details(net)])

    def add_scheduler(self) -> None:
        """One more nova-scheduler."""
        settings = SchedulerSettings(limits=self._limits, failure_memory_s=self.failure_memory_s)
        self.serve(
            Scheduler,
            SchedulerService(self.db, settings, pause_before_step=self.hook("scheduler")),
            host=f"scheduler{next(self._names)}",
        )

    def add_network(self) -> None:
        """The nova-network."""
        service = NetworkDaemon(
            database=self.db,
            topology=FlatDhcp(ModeSettings(bridge="br100")),
            wiring=cast(Any, self.wiring),
            settings=NetworkSettings(host="controller"),
            peers=client_for(NetworkService, self.transport()),
            pause_before_step=self.hook("network"),
        )
        service.start()
        self.network_server = self.serve(NetworkService, service, host="controller")

    def add_storage(self) -> None:
        """A nova-volume."""
        self.serve(VolumeService, self.storage, host="storage")

    def add_host(self, name: str, **resources: int) -> FakeDriver:
        """A compute host with its own fake hypervisor."""
        self.drivers[name] = self.make_driver(FakeSettings(host=name, **resources))
        self.start_compute(name)
        return self.drivers[name]

    def start_compute(self, name: str, *, pause_before_step: Callable[[str], None] | None = None) -> ComputeDaemon:
        """nova-compute on a host, after whatever was before; it has come up when this returns."""
        transport = self.transport()
        host = Host(
            driver=self.drivers[name],
            filters=self.make_filters(name),
            conductor=client_for(Conductor, transport),
            volume=client_for(VolumeService, transport),
            peers=client_for(Compute, transport),
            images=self.images,
            image_service=cast(Any, self.images),
            settings=ComputeSettings(host=name, retry_longest_s=0.2, event_wait_s=0.2),
        )

        hook = pause_before_step or self.hook(f"compute@{name}")

        def pause(step: str) -> None:
            try:
                hook(step)
            except Killed:
                daemon.runner.stop(0)  # the dead take up nothing more
                raise

        daemon = ComputeDaemon(
            host,
            journal_dir=self.directory / name / "journal",
            background=survivable,
            pause_before_step=pause,
        )
        self.daemons[name] = daemon
        by_name = {task.name: task for task in daemon.periodic_tasks()}
        by_name["resources"].run()
        daemon.heartbeat()
        daemon.start()
        self.compute_servers[name] = self.serve(Compute, daemon.service, host=name)
        return daemon

    def kill(self, name: str, *, grace_s: float = 5) -> None:
        """Let nova-compute on *name* take nothing more; what it has in hand dies at its next step.

        :param grace_s: how long messages that were taken may still be acknowledged; with 0 they come again
        """
        server = self.compute_servers.pop(name)
        self.servers.remove(server)
        server.stop(grace_s)
        self.daemons.pop(name)._stopping.set()

    def close(self) -> None:
        """Stop everything."""
        for daemon in self.daemons.values():
            daemon.stop(5)
        for server in self.servers:
            server.stop(5)
        self.db.dispose()

    # What users do.

    def boot(self, count: int = 1, **changes: Any) -> list[str]:
        """Ask for servers; their uuids."""
        usual = {"name": "web", "flavor_id": "small", "image_id": IMAGE.id, "min_count": count, "max_count": count}
        request = BootRequest(**(usual | changes))
        made, _ = boot.boot(self.api, ALICE, request)
        return [each.uuid for each in made]

    def delete(self, uuid: str) -> None:
        """Ask for a delete."""
        self.db.run(lambda tx: delete.delete(self.api, tx, ALICE, uuid))

    def stop(self, uuid: str) -> None:
        """Ask for a stop."""
        self.db.run(lambda tx: power.stop(self.api, tx, ALICE, uuid))

    def start(self, uuid: str) -> None:
        """Ask for a start."""
        self.db.run(lambda tx: power.start(self.api, tx, ALICE, uuid))

    def reboot(self, uuid: str, *, hard: bool) -> None:
        """Ask for a reboot."""
        self.db.run(lambda tx: reboot.reboot(self.api, tx, ALICE, uuid, hard=hard))

    # What is seen.

    def get(self, uuid: str) -> Instance:
        """The server as it is now, deleted or not."""
        return self.db.run(lambda tx: instances.get(tx, uuid, deleted=True), write=False)

    def fault(self, uuid: str) -> Fault | None:
        """Its newest fault."""
        return self.db.run(lambda tx: faults.latest_for(tx, [uuid]).get(uuid), write=False)

    def operations(self, uuid: str) -> list[Operation]:
        """Its operations, newest first."""
        return self.db.run(lambda tx: operations.list_for_instance(tx, uuid), write=False)

    def settled(self, *uuids: str, within_s: float = 20.0) -> list[Instance]:
        """The servers, once nothing is being done to any of them."""
        return [self._settled(uuid, within_s) for uuid in uuids]

    def _settled(self, uuid: str, within_s: float) -> Instance:
        wait_until(lambda: self._is_settled(uuid), within_s, lambda: f"{self.get(uuid)} {self.operations(uuid)}")
        return self.get(uuid)

    def _is_settled(self, uuid: str) -> bool:
        found = self.get(uuid)
        return found.deleted or (found.vm_state in DONE and found.task_state is None)

    def used(self) -> dict[str, tuple[int, int, int]]:
        """What is claimed on each host: VCPUs, MB, GB."""
        c = table_of(ComputeNodeRow).c
        with self.db.transaction() as tx:
            rows = tx.execute(select(c.host, c.vcpus_used, c.memory_mb_used, c.local_gb_used))
            return {host: (vcpus, memory, disk) for host, vcpus, memory, disk in rows}

    def claims(self) -> list[str]:
        """The instances that hold room."""
        with self.db.transaction() as tx:
            return list(tx.execute(select(table_of(InstanceClaimRow).c.instance_uuid)).scalars())

    def allocated(self) -> list[str]:
        """The instances that hold addresses, one entry for each address."""
        c = table_of(FixedIpRow).c
        with self.db.transaction() as tx:
            return list(tx.execute(select(c.instance_uuid).where(c.allocated)).scalars())

    def addresses(self, uuid: str) -> list[str]:
        """The server's addresses."""
        nics = self.db.run(lambda tx: addresses.nics_of(tx, [uuid]), write=False)
        return [address.address for nic in nics.get(uuid, ()) for address in nic.addresses]

    def guests(self) -> dict[str, list[str]]:
        """All guests: hosts by instance."""
        found: dict[str, list[str]] = {}
        for host, driver in self.drivers.items():
            for uuid in driver.guests:
                found.setdefault(uuid, []).append(host)
        return found

    def directories(self) -> set[str]:
        """The instances that have disks on any host."""
        return {uuid for driver in self.drivers.values() for uuid in driver.disks}

    def journals(self) -> list[Path]:
        """What is left in the journals of all hosts."""
        return sorted(self.directory.glob("*/journal/*"))

    # What time does.

    def age_operations(self, seconds: float) -> None:
        """Let all that operations did have been that long ago."""
        c = table_of(InstanceActionRow).c
        with self.db.transaction() as tx:
            for row in tx.execute(select(c.id, c.updated_at)).all():
                older = row.updated_at - datetime.timedelta(seconds=seconds)
                tx.execute(update(table_of(InstanceActionRow)).where(c.id == row.id).values(updated_at=older))

    def silence(self, host: str) -> None:
        """Let the host's last heartbeat have been a day ago."""
        c = table_of(ServiceRow).c
        with self.db.transaction() as tx:
            long_ago = tx.now - datetime.timedelta(days=1)
            tx.execute(update(table_of(ServiceRow)).where(c.host == host).values(updated_at=long_ago))

    def beat(self, host: str) -> None:
        """A heartbeat of the host."""
        self.db.run(lambda tx: services.heartbeat(tx, host=host, binary="nova-compute", topic="compute"))


def net_with_details(network: Network) -> Network:
    """The network as the operator's command would make it."""
    return dataclasses.replace(
        network,
        netmask="255.255.0.0",
        gateway="10.0.0.1",
        dhcp_start="10.0.0.2",
        bridge="br100",
        dhcp_server="10.0.0.1",
    )


def survivable(work: Callable[[], None]) -> None:
    """A thread that may be killed."""

    def run() -> None:
        try:
            work()
        except Killed:
            return

    threading.Thread(target=run, daemon=True).start()


def wait_until(condition: Callable[[], bool], within_s: float, describe: Callable[[], str] = lambda: "") -> None:
    """Poll *condition*; fail the test with what *describe* says when it does not come true."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"did not happen in {within_s:g} s: {describe()}"
        time.sleep(0.01)
