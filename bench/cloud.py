# SPDX-License-Identifier: Apache-2.0
"""A cloud of separate daemons on MariaDB and RabbitMQ, at the intervals that operators have, and what it counts."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from bench.api_alone import Caller
from bench.timing import cpu_s
from tests.integration.databases import MariaDb
from tests.integration.production import ADMIN_PASSWORD, COMPUTE, ProductionCloud, command_line
from tests.integration.rabbitmq import CTL
from tools import guest_image
from tools.quickstart.client import Client
from tools.quickstart.layout import APIS

DAEMONS = ("nova-api", "nova-scheduler", "nova-conductor", "nova-compute")
"""Those that upstream's figures are of"""
OURS = (*DAEMONS, "nova-network", "nova-volume")
IDLE_S = 10.0
AS_USUAL = ("--report_interval=10", "--service_down_time=60", "--conductor-recovery_interval_s=10")


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What the cloud has spent so far."""

    statements: float
    messages: float
    all_cpu_s: float
    our_cpu_s: float

    def since(self, before: Counted) -> Counted:
        """What was spent since *before*."""
        return Counted(
            statements=self.statements - before.statements,
            messages=self.messages - before.messages,
            all_cpu_s=self.all_cpu_s - before.all_cpu_s,
            our_cpu_s=self.our_cpu_s - before.our_cpu_s,
        )

    def times(self, factor: float) -> Counted:
        """So many times that."""
        return Counted(
            statements=self.statements * factor,
            messages=self.messages * factor,
            all_cpu_s=self.all_cpu_s * factor,
            our_cpu_s=self.our_cpu_s * factor,
        )

    def per(self, count: float) -> Counted:
        """The share of each of *count*."""
        return self.times(1 / count)


class BenchCloud(ProductionCloud):
    """See the module; a context manager."""

    def __init__(self, *, driver: str, computes: tuple[str, ...] = (COMPUTE,)) -> None:
        super().__init__(MariaDb.create, driver=driver, computes=computes)

    def _add(self, name: str, program: str, host: str, *options: str) -> None:
        super()._add(name, program, host, *AS_USUAL, *options)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it; nova-compute first, which may be waiting for an answer of nova-conductor."""
        self.daemons["nova-compute"].stop()
        super().__exit__(kind, error, trace)

    def pids_of(self, names: Iterable[str]) -> list[int]:
        """The processes of some daemons."""
        wanted = set(names)
        return [pid for pid in self.pids() if wanted & {Path(word).name for word in command_line(pid).split()[:2]}]

    def counted(self) -> Counted:
        """Statements that read or write, messages that the broker took, processor time."""
        return Counted(
            statements=sum(int(value) for _, value in self.database.execute(_STATEMENTS)),
            messages=self._messages(),
            all_cpu_s=cpu_s(self.pids()),
            our_cpu_s=cpu_s(self.pids_of(OURS)),
        )

    def idle(self) -> Counted:
        """What a second costs in which nobody asks for anything."""
        before, began_at = self.counted(), time.monotonic()
        time.sleep(IDLE_S)
        return self.counted().since(before).per(time.monotonic() - began_at)

    def _messages(self) -> float:
        environment = self.broker._environment
        argv = [CTL, "-n", environment["RABBITMQ_NODENAME"], "eval", _MESSAGES]
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True, timeout=60)
        return float(done.stdout)

    def with_image(self) -> str:
        """The id of the small bootable image, uploaded as a user would."""
        return self.admin().upload_image("tiny", guest_image.build().disk)

    def admin(self) -> Client:
        """The administrator."""
        return Client(user="admin", password=ADMIN_PASSWORD, project="admin")

    def caller(self) -> Caller:
        """The administrator again, over one connection and with next to no work of his own."""
        admin = self.admin()
        token = str(admin.session.headers["X-Auth-Token"])
        return Caller(APIS["osapi_compute"], token=token, project=admin.project_id)


_STATEMENTS = "SHOW GLOBAL STATUS WHERE Variable_name IN ('Com_select','Com_insert','Com_update','Com_delete')"
_MESSAGES = (
    "lists:sum([maps:get(messages_received_total, Counts, 0) || {_, Counts} <- "
    "maps:to_list(rabbit_global_counters:overview())])."
)


def boot(caller: Caller, image_id: str, name: str) -> str:
    """Ask for a server; its id."""
    body = {"server": {"name": name, "imageRef": image_id, "flavorRef": "1"}}
    return str(json.loads(caller.call("POST", "/servers", body))["server"]["id"])


def is_active(caller: Caller, uuid: str) -> bool:
    """Whether it has come up; RuntimeError when it never will."""
    server = json.loads(caller.get(f"/servers/{uuid}"))["server"]
    if server["status"] == "ERROR":
        raise RuntimeError(f"the boot failed: {server.get('fault')}")
    return bool(server["status"] == "ACTIVE")
