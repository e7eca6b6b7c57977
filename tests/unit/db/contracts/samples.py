# SPDX-License-Identifier: Apache-2.0
"""Rows that the suites need before they can ask anything."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from nova.db import compute_nodes, instances
from nova.db.engine import Database
from nova.domain.flavor import Flavor
from nova.domain.host import HostResources
from nova.domain.instance import Instance
from nova.domain.states import PowerState, TaskState, VmState

R = TypeVar("R")


def moment(*parts: int) -> datetime.datetime:
    """A naive UTC time."""
    return datetime.datetime(*parts, tzinfo=datetime.UTC).replace(tzinfo=None)  # type: ignore[misc,arg-type]


FLAVOR = Flavor(id=1, flavor_id="1", name="m1.tiny", memory_mb=512, vcpus=1, root_gb=1, extra_specs={"a": "b"})
NEW = Instance(
    id=0,
    uuid="",
    user_id="ann",
    project_id="red",
    display_name="web",
    hostname="web",
    flavor=FLAVOR,
    vm_state=VmState.BUILDING,
    task_state=TaskState.SCHEDULING,
)
ACTIVE = dataclasses.replace(
    NEW,
    vm_state=VmState.ACTIVE,
    task_state=None,
    power_state=PowerState.RUNNING,
    host="node1",
    node="node1",
    launched_at=moment(2026, 1, 2, 3, 4, 5, 678901),
)


def add(db: Database, instance: Instance = ACTIVE, **changes: Any) -> Instance:
    """A recorded instance."""
    return db.run(lambda tx: instances.insert(tx, [dataclasses.replace(instance, **changes)]))[0]


def read(db: Database, uuid: str, *, deleted: bool = False) -> Instance:
    """The instance as it is recorded now."""
    return db.run(lambda tx: instances.get(tx, uuid, deleted=deleted), write=False)


def resources(host: str = "node1", **changes: Any) -> HostResources:
    """What a host of the usual size reports."""
    size = HostResources(
        host=host,
        node=host,
        vcpus=8,
        memory_mb=16384,
        disk_gb=100,
        disk_available_gb=90,
        hypervisor_type="QEMU",
        hypervisor_version=8000000,
        cpu_info="{}",
        host_ip="192.0.2.1",
        running_vms=0,
        supported=(("x86_64", "qemu", "hvm"),),
    )
    return dataclasses.replace(size, **changes)


def add_node(db: Database, host: str = "node1", **changes: Any) -> int:
    """The number of a recorded compute node."""
    db.run(lambda tx: compute_nodes.report(tx, resources(host, **changes)))
    return db.run(lambda tx: compute_nodes.find(tx, host=host), write=False)[0].id


def at_once(works: Sequence[Callable[[], R]]) -> list[R | Exception]:
    """The result or error of each of *works*, all run at the same time in threads."""

    def outcome(work: Callable[[], R]) -> R | Exception:
        try:
            return work()
        except Exception as error:
            return error

    with ThreadPoolExecutor(max_workers=len(works)) as pool:
        return list(pool.map(outcome, works))
