# SPDX-License-Identifier: Apache-2.0
"""A cloud of two compute hosts with fake hypervisors, and what tests of moves between them ask and look at."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import select

from nova.context import RequestContext
from nova.db import flavors, moves
from nova.db.models.base import table_of
from nova.db.models.quota import QuotaUsageRow
from nova.domain.flavor import Flavor
from nova.domain.instance import Instance
from nova.domain.move import Move
from nova.domain.states import OperationState
from tests.functional.osapi.test_life_of_a_server import Client
from tests.functional.workflow_cloud import FLAVOR, Killed, WorkflowCloud, wait_until

BIG = Flavor(flavor_id="big", name="big", memory_mb=2048, vcpus=2, root_gb=3)
ADMIN = RequestContext(user_id="root", project_id="operations", roles=("admin",), is_admin=True)


def two_hosts(directory: Path, **options: Any) -> WorkflowCloud:
    """Hosts ``a`` and ``b``, and a flavor to grow into."""
    made = WorkflowCloud(directory, **options)
    with made.db.transaction() as tx:
        flavors.create(tx, BIG)
    made.add_scheduler()
    made.add_network()
    made.add_storage()
    for name in ("a", "b"):
        made.add_host(name)
    return made


def booted(cloud: WorkflowCloud, *, host: str = "a") -> str:
    """A server that runs on *host*."""
    others = [name for name in cloud.drivers if name != host]
    for name in others:
        cloud.silence(name)
    [uuid] = cloud.boot()
    assert cloud.settled(uuid)[0].host == host
    for name in others:
        cloud.beat(name)
    return uuid


def act(
    cloud: WorkflowCloud,
    uuid: str,
    action: str,
    argument: Any = None,
    *,
    status: int = 202,
    admin: bool = False,
    version: str = "2.1",
) -> Any:
    """POST /servers/{id}/action"""
    client = Client(cloud, who="admin:operations" if admin else "alice:apples", version=version)
    answered, body = client.call("POST", f"/servers/{uuid}/action", {action: argument})
    assert answered == status, body
    return body


def move_of(cloud: WorkflowCloud, uuid: str) -> Move:
    """The newest move of the server."""
    return cloud.db.run(lambda tx: moves.find(tx, {"instance_uuid": uuid}), write=False)[0]


def ended(cloud: WorkflowCloud, uuid: str, within_s: float = 20) -> Instance:
    """The server, once its newest operation has ended and no host has anything in hand."""
    open_states = (OperationState.REQUESTED, OperationState.RUNNING)
    wait_until(
        lambda: cloud.operations(uuid)[0].state not in open_states and cloud.journals() == [],
        within_s,
        lambda: f"{cloud.operations(uuid)[0]} {cloud.journals()}",
    )
    return cloud.get(uuid)


def in_use(cloud: WorkflowCloud) -> tuple[int, int]:
    """Cores and MB that are counted for the project."""
    c = table_of(QuotaUsageRow).c
    with cloud.db.transaction() as tx:
        rows = tx.execute(select(c.resource, c.in_use).where(c.user_id == "", c.project_id == "apples"))
        found = {row.resource: row.in_use for row in rows}
    return found.get("cores", 0), found.get("ram", 0)


def amounts(*flavors_held: Flavor) -> tuple[int, int, int]:
    """What servers of these flavors take on a host."""
    return (
        sum(each.vcpus for each in flavors_held),
        sum(each.memory_mb for each in flavors_held),
        sum(each.disk_gb for each in flavors_held),
    )


SMALL = amounts(FLAVOR)
NONE = amounts()


def dying_before(step: str, reached: threading.Event) -> Callable[[str], None]:
    """A hook that kills its daemon before *step*."""

    def hook(name: str) -> None:
        if name == step:
            reached.set()
            raise Killed

    return hook


def killed_at(cloud: WorkflowCloud, host: str, step: str, ask: Callable[[], object]) -> None:
    """Let the daemon of *host* be killed before *step* of what *ask* asks for, and start it again."""
    reached = threading.Event()
    cloud.kill(host)
    cloud.start_compute(host, pause_before_step=dying_before(step, reached))
    ask()
    assert reached.wait(10), f"{host} never came to {step}"
    cloud.kill(host)
    cloud.start_compute(host)
