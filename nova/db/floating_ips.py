# SPDX-License-Identifier: Apache-2.0
"""The floating addresses that the operator owns: which there are, and who has them.

Taking and pointing them is in :mod:`nova.db.floating_claims`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, delete, insert, select

from nova import errors
from nova.db.addresses import FLOATING_IPS
from nova.db.networks import FIXED_IPS, NETWORKS, serving_host
from nova.db.transaction import Transaction
from nova.domain.network import FloatingIp, Forward

_CHUNK = 500


def find_all(tx: Transaction, *, host: str | None = None) -> list[FloatingIp]:
    """All floating addresses in the order of their creation; with *host* those that it serves."""
    return _find(tx, *([] if host is None else [FLOATING_IPS.c.host == host]))


def of_project(tx: Transaction, project_id: str) -> list[FloatingIp]:
    """The addresses of a project, in the order of their creation."""
    return _find(tx, FLOATING_IPS.c.project_id == project_id)


def get(tx: Transaction, address: str) -> FloatingIp:
    """One address; NotFound."""
    return _one(_find(tx, FLOATING_IPS.c.address == address), address)


def get_by_id(tx: Transaction, number: int) -> FloatingIp:
    """One address by its number; NotFound."""
    return _one(_find(tx, FLOATING_IPS.c.id == number), number)


def pools(tx: Transaction) -> list[str]:
    """The names of all pools."""
    return list(tx.execute(select(FLOATING_IPS.c.pool).distinct().order_by(FLOATING_IPS.c.pool)).scalars())


def forwards(tx: Transaction, host: str) -> list[Forward]:
    """What *host* has to do for floating addresses, in the order of their creation.

    It follows from where the fixed addresses are served, so a network that moves to another host takes them along.
    """
    query = (
        select(FLOATING_IPS.c.address, FLOATING_IPS.c.interface, FIXED_IPS.c.address.label("fixed_address"))
        .join_from(FLOATING_IPS, FIXED_IPS, FIXED_IPS.c.id == FLOATING_IPS.c.fixed_ip_id)
        .join(NETWORKS, NETWORKS.c.id == FIXED_IPS.c.network_id)
        .where(serving_host() == host, FIXED_IPS.c.allocated, NETWORKS.c.deleted == 0)
        .order_by(FLOATING_IPS.c.id)
    )
    return [
        Forward(address=row.address, fixed_address=row.fixed_address, interface=row.interface or "")
        for row in tx.execute(query)
    ]


def known(tx: Transaction, addresses: Collection[str]) -> frozenset[str]:
    """Those of *addresses* that are floating addresses of this cloud."""
    found: set[str] = set()
    wanted = sorted(addresses)
    for start in range(0, len(wanted), _CHUNK):
        chosen = FLOATING_IPS.c.address.in_(wanted[start : start + _CHUNK])
        found |= set(tx.execute(select(FLOATING_IPS.c.address).where(chosen)).scalars())
    return frozenset(found)


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


def _find(tx: Transaction, *conditions: ColumnElement[bool]) -> list[FloatingIp]:
    query = (
        select(FLOATING_IPS, FIXED_IPS.c.address.label("fixed_address"), FIXED_IPS.c.instance_uuid)
        .outerjoin(FIXED_IPS, FIXED_IPS.c.id == FLOATING_IPS.c.fixed_ip_id)
        .where(*conditions)
        .order_by(FLOATING_IPS.c.id)
    )
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
        for row in tx.execute(query)
    ]


def _one(found: Sequence[FloatingIp], key: object) -> FloatingIp:
    if not found:
        raise errors.NotFound.of("floating IP", str(key)[:64])
    return found[0]
