# SPDX-License-Identifier: Apache-2.0
"""What volume hosts have reported, for the scheduler."""

from __future__ import annotations

import datetime

from sqlalchemy import and_, func, select, update

from nova.db.models.base import table_of
from nova.db.models.host import ServiceRow
from nova.db.models.volume import VolumeCapacityRow, VolumeRow
from nova.db.transaction import Transaction
from nova.db.upserts import insert_missing
from nova.domain.states import VolumeStatus
from nova.domain.volume import VolumeCapacity

CAPACITIES = table_of(VolumeCapacityRow)
SERVICES = table_of(ServiceRow)
VOLUMES = table_of(VolumeRow)
C = CAPACITIES.c


def report_capacity(tx: Transaction, capacity: VolumeCapacity) -> None:
    """Record what a volume host has now."""
    values = {"driver": capacity.driver, "total_gb": capacity.total_gb, "free_gb": capacity.free_gb}
    known = update(CAPACITIES).where(C.host == capacity.host).values(updated_at=tx.now, **values)
    if tx.execute(known).rowcount == 0:
        row = {"host": capacity.host, "created_at": tx.now, "updated_at": tx.now, **values}
        insert_missing(tx, CAPACITIES, [row])


def capacities(tx: Transaction, *, alive_since: datetime.datetime) -> list[VolumeCapacity]:
    """The volume hosts that may take a volume now, less what was promised since they reported, in one statement."""
    promised = (
        select(VOLUMES.c.host, func.sum(VOLUMES.c.size).label("size"))
        .where(VOLUMES.c.deleted == 0, VOLUMES.c.status == VolumeStatus.CREATING)
        .group_by(VOLUMES.c.host)
        .subquery()
    )
    service = and_(SERVICES.c.host == C.host, SERVICES.c.topic == "volume", SERVICES.c.deleted == 0)
    statement = (
        select(C.host, C.driver, C.total_gb, C.free_gb, func.coalesce(promised.c.size, 0), SERVICES.c.availability_zone)
        .join_from(CAPACITIES, SERVICES, service)
        .outerjoin(promised, promised.c.host == C.host)
        .where(SERVICES.c.disabled.is_(False), SERVICES.c.forced_down.is_(False))
        .where(SERVICES.c.updated_at >= alive_since)
        .order_by(C.host)
    )
    return [
        VolumeCapacity(
            host=host, driver=driver, total_gb=total, free_gb=free - float(reserved), availability_zone=zone or "nova"
        )
        for host, driver, total, free, reserved, zone in tx.execute(statement)
    ]
