# SPDX-License-Identifier: Apache-2.0
"""Taking floating addresses, pointing them to fixed ones, and giving them back.

Each is one guarded UPDATE, right with any number of API processes and network daemons at once.  A fixed address is
locked before a floating one is pointed to it, as it is when its server gives it back, so that no floating address ever
leads to whoever gets the fixed one next.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, select, update

from nova import errors
from nova.db import floating_ips
from nova.db.addresses import FLOATING_IPS
from nova.db.networks import FIXED_IPS, NETWORKS, serving_host
from nova.db.transaction import Transaction
from nova.domain.network import FloatingIp

_RACES = 20


def allocate(tx: Transaction, *, project_id: str, pool: str, auto_assigned: bool = False) -> FloatingIp:
    """A free address of the pool, the project's from now on.

    :raises errors.NotFound: there is no such pool
    :raises errors.NoCapacity: all its addresses are taken
    """
    free = FLOATING_IPS.c.project_id.is_(None) & FLOATING_IPS.c.fixed_ip_id.is_(None) & (FLOATING_IPS.c.pool == pool)
    query = select(FLOATING_IPS.c.id).where(free).order_by(FLOATING_IPS.c.id).limit(1)
    for _ in range(_RACES):
        number = tx.execute(query.with_for_update(skip_locked=True)).scalar()
        if number is None:
            break
        owner = {"project_id": project_id, "auto_assigned": auto_assigned, "updated_at": tx.now}
        if tx.execute(update(FLOATING_IPS).where(FLOATING_IPS.c.id == number, free).values(**owner)).rowcount:
            return floating_ips.get_by_id(tx, number)
    if tx.execute(select(FLOATING_IPS.c.id).where(FLOATING_IPS.c.pool == pool).limit(1)).first() is None:
        raise errors.NotFound(f"There is no floating IP pool {pool[:255]}.", resource="floating IP pool")
    raise errors.NoCapacity(f"No more floating IPs in pool {pool[:255]}.", resource="floating_ip")


def release(tx: Transaction, floating: FloatingIp) -> bool:
    """Give an address back to its pool, wherever it points; False when its project has it no longer."""
    nobody = {"project_id": None, "fixed_ip_id": None, "host": None, "auto_assigned": False, "updated_at": tx.now}
    return tx.execute(update(FLOATING_IPS).where(_owned(floating)).values(**nobody)).rowcount == 1


def associate(tx: Transaction, floating: FloatingIp, *, fixed_address: str, instance_uuid: str) -> str:
    """Point a project's address to a fixed address of an instance, from wherever it pointed to before.

    Returns the network host that has to carry it, empty while no host serves the network.

    :raises errors.InvalidInput: the instance does not have the fixed address
    :raises errors.NotFound: the floating address is no longer the project's
    """
    mine = (FIXED_IPS.c.address == fixed_address) & (FIXED_IPS.c.instance_uuid == instance_uuid)
    fixed = tx.execute(
        select(FIXED_IPS.c.id, FIXED_IPS.c.network_id).where(mine, FIXED_IPS.c.allocated).with_for_update()
    ).first()
    if fixed is None:
        raise errors.InvalidInput(
            f"Fixed IP {fixed_address[:45]} is not an address of the server.", field="fixed_address"
        )
    host = tx.execute(
        select(serving_host())
        .join_from(FIXED_IPS, NETWORKS, NETWORKS.c.id == FIXED_IPS.c.network_id)
        .where(FIXED_IPS.c.id == fixed.id)
    ).scalar_one()
    values = {"fixed_ip_id": fixed.id, "host": host or None, "updated_at": tx.now}
    if tx.execute(update(FLOATING_IPS).where(_owned(floating)).values(**values)).rowcount == 0:
        raise errors.NotFound.of("floating IP", floating.address)
    return host or ""


def disassociate(tx: Transaction, floating: FloatingIp) -> bool:
    """Let a project's address point nowhere, if it still points to where *floating* says; whether it did."""
    points = select(FIXED_IPS.c.id).where(FIXED_IPS.c.address == floating.fixed_address).scalar_subquery()
    values = {"fixed_ip_id": None, "host": None, "updated_at": tx.now}
    here = _owned(floating) & (FLOATING_IPS.c.fixed_ip_id == points)
    return tx.execute(update(FLOATING_IPS).where(here).values(**values)).rowcount == 1


def release_from(tx: Transaction, fixed_addresses: Collection[str]) -> frozenset[str]:
    """Let the floating addresses of these fixed ones point nowhere; those that were given by themselves are free.

    Returns the fixed ones that had any.
    """
    query = select(FIXED_IPS.c.id, FIXED_IPS.c.address).join(FLOATING_IPS, FLOATING_IPS.c.fixed_ip_id == FIXED_IPS.c.id)
    had = {row.id: row.address for row in tx.execute(query.where(FIXED_IPS.c.address.in_(sorted(fixed_addresses))))}
    if had:
        pointing = FLOATING_IPS.c.fixed_ip_id.in_(sorted(had))
        nowhere = {"fixed_ip_id": None, "host": None, "updated_at": tx.now}
        free = nowhere | {"project_id": None, "auto_assigned": False}
        tx.execute(update(FLOATING_IPS).where(pointing, FLOATING_IPS.c.auto_assigned).values(**free))
        tx.execute(update(FLOATING_IPS).where(pointing).values(**nowhere))
    return frozenset(had.values())


def record_host(tx: Transaction, host: str) -> None:
    """Write down which floating addresses *host* serves, now that a network has come to it."""
    here = (
        select(FIXED_IPS.c.id)
        .join(NETWORKS, NETWORKS.c.id == FIXED_IPS.c.network_id)
        .where(serving_host() == host, FIXED_IPS.c.id == FLOATING_IPS.c.fixed_ip_id)
    )
    other = FLOATING_IPS.c.host.is_(None) | (FLOATING_IPS.c.host != host)
    moved = FLOATING_IPS.c.fixed_ip_id.is_not(None) & other & here.exists()
    tx.execute(update(FLOATING_IPS).where(moved).values(host=host, updated_at=tx.now))


def _owned(floating: FloatingIp) -> ColumnElement[bool]:
    return (FLOATING_IPS.c.id == floating.id) & (FLOATING_IPS.c.project_id == floating.project_id)
