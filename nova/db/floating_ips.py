# SPDX-License-Identifier: Apache-2.0
"""The floating addresses that the operator owns: which there are, and who has them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, insert, select

from nova import errors
from nova.db.addresses import FLOATING_IPS
from nova.db.networks import FIXED_IPS
from nova.db.transaction import Transaction
from nova.domain.network import FloatingIp

_CHUNK = 500


def find_all(tx: Transaction, *, host: str | None = None) -> list[FloatingIp]:
    """All floating addresses in the order of their creation; with *host* those that it serves."""
    query = (
        select(FLOATING_IPS, FIXED_IPS.c.address.label("fixed_address"), FIXED_IPS.c.instance_uuid)
        .outerjoin(FIXED_IPS, FIXED_IPS.c.id == FLOATING_IPS.c.fixed_ip_id)
        .order_by(FLOATING_IPS.c.id)
    )
    rows = tx.execute(query if host is None else query.where(FLOATING_IPS.c.host == host))
    return [
        FloatingIp(
            id=row.id,
            address=row.address,
            pool=row.pool,
            interface=row.interface or "",
            project_id=row.project_id or "",
            host=row.host or "",
            fixed_address=row.fixed_address or "",
            instance_uuid=row.instance_uuid or "",
            auto_assigned=row.auto_assigned,
        )
        for row in rows
    ]


def create(tx: Transaction, addresses: Sequence[str], *, pool: str, interface: str) -> None:
    """Add addresses to a pool, all or none; AlreadyExists when one is there."""
    values = {"pool": pool, "interface": interface or None, "created_at": tx.now, "auto_assigned": False}
    with tx.unique("A floating address of this range exists already.", resource="floating_ip"):
        tx.execute(insert(FLOATING_IPS), [values | {"address": address} for address in addresses])


def remove(tx: Transaction, addresses: Sequence[str]) -> int:
    """Take addresses away, all or none; how many there were.  Conflict when a server or project has one."""
    count = 0
    for start in range(0, len(addresses), _CHUNK):
        chosen = FLOATING_IPS.c.address.in_(addresses[start : start + _CHUNK])
        taken = FLOATING_IPS.c.fixed_ip_id.is_not(None) | FLOATING_IPS.c.project_id.is_not(None)
        held = tx.execute(select(FLOATING_IPS.c.address).where(chosen, taken).with_for_update().limit(1)).scalar()
        if held:
            tx.doom("a part of a range of floating addresses was removed")
            raise errors.Conflict(f"Floating IP {held} is in use.", resource="floating_ip", id=held)
        count += tx.execute(delete(FLOATING_IPS).where(chosen)).rowcount
    return count
