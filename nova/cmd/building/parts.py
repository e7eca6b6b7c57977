# SPDX-License-Identifier: Apache-2.0
"""What the daemons of one process share: options, database, broker, the gate to root; each made when asked for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from nova.cmd.building.pausing import pausing
from nova.cmd.configuration import command_runner, transport_settings
from nova.cmd.daemon import Daemon
from nova.conf.loading import Loaded
from nova.rpc.client import client_for
from nova.rpc.connecting import connect
from nova.rpc.interface import Interface
from nova.rpc.server import Server
from nova.rpc.transport import Transport
from nova.system.commands import CommandRunner
from nova.system.files import lock_directory
from nova.workflow.periodic import PeriodicTask
from nova.workflow.steps import no_pause

if TYPE_CHECKING:
    from nova.db.engine import Database

I = TypeVar("I", bound=Interface)  # noqa: E741


class Parts:
    """The shared collaborators of a process."""

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded
        self.conf: Any = loaded.conf

    @property
    def host(self) -> str:
        """The name of this host in the database and in queues."""
        return str(self.conf.host)

    @functools.cached_property
    def db(self) -> Database:
        """The database, once it answers and has this program's tables; who never asks loads nothing of ``nova.db``."""
        from nova.cmd.wiring import open_database
        from nova.db.schema import require_newest

        database = open_database(self.conf)
        require_newest(database)
        self.transport.watch(database.outage.note)
        return database

    @functools.cached_property
    def transport(self) -> Transport:
        """The way to the other daemons."""
        return connect(transport_settings(self.conf))

    @functools.cached_property
    def commands(self) -> CommandRunner:
        """Runs programs, as root where it must."""
        return command_runner(self.conf)

    @functools.cached_property
    def lock_path(self) -> Path:
        """The directory of lock files that the daemons of this host share."""
        return lock_directory(self.conf.oslo_concurrency.lock_path)

    def client(self, interface: type[I]) -> I:
        """The other daemons that serve *interface*."""
        return client_for(interface, self.transport)

    def daemon(
        self,
        name: str,
        interface: type[Interface],
        implementation: object,
        *,
        tasks: Iterable[PeriodicTask] = (),
        heartbeat: Callable[[], None] | None = None,
        prepare: Callable[[], None] | None = None,
    ) -> Daemon:
        """A daemon that serves one interface; *heartbeat* stands in for the usual row in ``services``."""
        server = Server(
            self.transport,
            host=self.host,
            threads=self.conf.rpc_thread_pool_size,
            max_message_bytes=self.conf.rpc_max_message_bytes,
        )
        server.serve(interface, implementation)
        return Daemon(
            name,
            host=self.host,
            topic=interface.topic,
            servers=[server],
            periodic=list(tasks) if self.conf.periodic_enable else [],
            heartbeat=heartbeat or functools.partial(self._heartbeat, name, interface.topic),
            report_interval_s=self.conf.report_interval,
            prepare=prepare,
        )

    def pause_before_step(self, daemon: str) -> Callable[[str], None]:
        """The hook of fault tests (:mod:`nova.cmd.building.pausing`)."""
        wanted = self.conf.workarounds.pause_before_step
        return pausing(wanted, daemon, Path(self.conf.state_path)) if wanted else no_pause

    def _heartbeat(self, binary: str, topic: str) -> None:
        from nova.db import services

        conf = self.conf
        self.db.run(
            lambda tx: services.heartbeat(
                tx,
                host=self.host,
                binary=binary,
                topic=topic,
                availability_zone=conf.default_availability_zone,
                enabled=conf.enable_new_services,
            )
        )
