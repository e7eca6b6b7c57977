# SPDX-License-Identifier: Apache-2.0
"""Claims that should be there and are not: an instance on a host holds room on it, whatever became of its row."""

from __future__ import annotations

from sqlalchemy import and_, select

from nova.db import instances
from nova.db.compute_nodes import CLAIMS, HOME, NODES
from nova.db.instances.rows import INSTANCES
from nova.db.transaction import Transaction
from nova.db.upserts import insert_missing
from nova.domain.states import VmState

C = INSTANCES.c
HOLDS_NOTHING = (VmState.BUILDING.value, VmState.SHELVED_OFFLOADED.value)
"""The first has its claim before it has its host; the second has none."""


def add_missing(tx: Transaction) -> list[str]:
    """Make the claims of instances that rest on a host without one; whose they were.

    What the nodes have in use is then too little, until they are counted anew.
    """
    home = and_(CLAIMS.c.instance_uuid == C.uuid, CLAIMS.c.held_for == HOME)
    rests = (C.deleted == 0, C.task_state.is_(None), C.vm_state.not_in(HOLDS_NOTHING), NODES.c.deleted == 0)
    chosen = (
        select(C.uuid, NODES.c.id)
        .join(NODES, and_(NODES.c.host == C.host, NODES.c.hypervisor_hostname == C.node))
        .join(CLAIMS, home, isouter=True)
        .where(*rests, CLAIMS.c.id.is_(None))
    )
    nodes = {row.uuid: row.id for row in tx.execute(chosen)}
    found = instances.get_many(tx, sorted(nodes))
    rows = [
        {
            "instance_uuid": uuid,
            "node_id": nodes[uuid],
            "vcpus": instance.flavor.vcpus,
            "memory_mb": instance.flavor.memory_mb,
            "disk_gb": instance.flavor.disk_gb,
            "held_for": HOME,
            "created_at": tx.now,
        }
        for uuid, instance in found.items()
    ]
    insert_missing(tx, CLAIMS, rows)
    return sorted(found)
