# SPDX-License-Identifier: Apache-2.0
"""Listing 1,000 servers in detail and showing one, over HTTP; a part of ``python -m bench``.

The floor is what nobody can do without: one SELECT for their rows and ``json.dumps`` of the same answer.
"""

from __future__ import annotations

import json

from sqlalchemy import select

from bench.api_alone import PROJECT, Caller, api_alone
from bench.table import Row
from bench.timing import best_of
from nova.db import address_claims, compute_nodes, instances, networks, security_groups, services
from nova.db.engine import Database, Transaction
from nova.db.instances.rows import INSTANCES
from nova.domain.flavor import STOCK_FLAVORS
from nova.domain.host import HostResources
from nova.domain.instance import Instance
from nova.domain.network_plan import CreateNetwork, plan
from nova.domain.states import PowerState, VmState
from tests.integration.databases import MariaDb

SERVERS = 1000
HOST = "h1"
NOW_HERE = HostResources(
    host=HOST,
    node=HOST,
    vcpus=1000,
    memory_mb=1 << 20,
    disk_gb=100_000,
    disk_available_gb=100_000,
    hypervisor_type="fake",
    hypervisor_version=1000,
    cpu_info="{}",
    host_ip="192.0.2.11",
    running_vms=SERVERS,
)


def rows() -> list[Row]:
    """Both rows for each database."""
    found = _rows("SQLite", "")
    server = MariaDb.create()
    try:
        return found + _rows("MariaDB", server.fresh_url())
    finally:
        server.close()


def _rows(name: str, url: str) -> list[Row]:
    with api_alone(url) as (db, caller):
        with db.transaction() as tx:
            fill(tx)
        listed_s = best_of(lambda: caller.get("/servers/detail"))
        answer = json.loads(caller.get("/servers/detail"))
        if len(answer["servers"]) != SERVERS:
            raise RuntimeError(f"{len(answer['servers'])} servers are listed")
        floor_s = best_of(lambda: floor(db, answer))
        shown_s = _show(caller, answer["servers"][0]["id"])
    return [
        Row(
            what=f"list 1,000 servers in detail, {name} (floor: one SELECT and json.dumps)",
            ours=listed_s * 1000,
            floor=floor_s * 1000,
            unit="ms",
            at_most_ratio=4,
            at_most=100,
        ),
        Row(what=f"show one server, {name}", ours=shown_s * 1000, unit="ms", at_most=3),
    ]


def _show(caller: Caller, uuid: str) -> float:
    return best_of(lambda: caller.get(f"/servers/{uuid}"), turns=100)


def floor(db: Database, answer: object) -> str:
    """The least that an answer takes."""
    statement = str(select(INSTANCES).compile(db.engine))
    bare = db.engine.raw_connection()
    try:
        cursor = bare.cursor()
        cursor.execute(statement)
        cursor.fetchall()
    finally:
        bare.close()
    return json.dumps(answer)


def fill(tx: Transaction) -> None:
    """One host, one network, and its servers: each with a card, an address, a group and metadata."""
    services.heartbeat(tx, host=HOST, binary="nova-compute", topic="compute")
    compute_nodes.report(tx, NOW_HERE)
    planned = plan(CreateNetwork(label="net", cidr="10.0.0.0/16", network_size=2**16), [])
    [network] = networks.create(tx, planned.networks)
    group = security_groups.ensure_default(tx, project_id=PROJECT, user_id="admin")
    for instance in instances.insert(tx, [_server(number) for number in range(SERVERS)]):
        security_groups.add_member(tx, instance.uuid, [group.id])
        address_claims.add_card(
            tx, network, instance_uuid=instance.uuid, hostname=instance.hostname, host=HOST, position=0
        )


def _server(number: int) -> Instance:
    return Instance(
        id=0,
        uuid="",
        user_id="admin",
        project_id=PROJECT,
        display_name=f"server-{number}",
        hostname=f"server-{number}",
        image_ref="70a599e0-31e7-49b7-b260-868f441e862b",
        vm_state=VmState.ACTIVE,
        power_state=PowerState.RUNNING,
        flavor=STOCK_FLAVORS[0],
        host=HOST,
        node=HOST,
        metadata={"role": "web"},
    )
