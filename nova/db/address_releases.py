# SPDX-License-Identifier: Apache-2.0
"""Giving back network cards and fixed addresses.

First they are marked as given back, and stay bound to their instance, so that nobody else gets them.  They are free
when the DHCP servers have forgotten them, or at the end of their lease.  Each may be done twice.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, select, update

from nova.db import floating_claims, quotas
from nova.db.addresses import INSTANCES
from nova.db.networks import CARDS, FIXED_IPS, NETWORKS, serving_host
from nova.db.transaction import Transaction
from nova.domain.network import ReleasedAddress


def release(tx: Transaction, instance_uuid: str) -> list[ReleasedAddress]:
    """Take all cards and addresses from an instance, and say which they were.

    The addresses stay bound to it, so that nobody else gets them, until :func:`forget` or the end of their lease.
    """
    released = _release(tx, instance_uuid)
    tx.execute(update(CARDS).where(CARDS.c.instance_uuid == instance_uuid).values(position=None, updated_at=tx.now))
    return released


def release_card(tx: Transaction, instance_uuid: str, vif_uuid: str) -> list[ReleasedAddress]:
    """The same as :func:`release` for one card; nothing when the instance does not have it any more."""
    card = (CARDS.c.uuid == vif_uuid) & (CARDS.c.instance_uuid == instance_uuid) & CARDS.c.position.is_not(None)
    number = tx.execute(select(CARDS.c.id).where(card).with_for_update()).scalar()
    if number is None:
        return []
    released = _release(tx, instance_uuid, FIXED_IPS.c.virtual_interface_id == number)
    tx.execute(update(CARDS).where(card).values(position=None, updated_at=tx.now))
    return released


def release_address(tx: Transaction, instance_uuid: str, address: str) -> list[ReleasedAddress]:
    """Take one address from an instance, whose card keeps the others; nothing when it does not have it."""
    return _release(tx, instance_uuid, (FIXED_IPS.c.address == address) & FIXED_IPS.c.allocated)


def move(tx: Transaction, instance_uuid: str, host: str) -> list[ReleasedAddress]:
    """Write down that an instance is on *host* now; the addresses that its old host served for itself until now."""
    mine = (FIXED_IPS.c.instance_uuid == instance_uuid) & FIXED_IPS.c.allocated
    here = mine & NETWORKS.c.multi_host & FIXED_IPS.c.host.is_not(None) & (FIXED_IPS.c.host != host)
    left = [dataclasses.replace(one, floating=True, moved=True) for one in _described(tx, here)]
    tx.execute(update(FIXED_IPS).where(mine).values(host=host or None, updated_at=tx.now))
    floating_claims.record_host(tx, host)
    return left


def forget(tx: Transaction, instance_uuid: str) -> None:
    """Let the released addresses of an instance go to others, but for those whose lease still holds."""
    over = FIXED_IPS.c.allocated.is_(False) & FIXED_IPS.c.leased.is_(False)
    free_rows(tx, (FIXED_IPS.c.instance_uuid == instance_uuid) & over)
    still = select(FIXED_IPS.c.virtual_interface_id).where(FIXED_IPS.c.virtual_interface_id == CARDS.c.id)
    unused = CARDS.c.position.is_(None) & ~still.exists()
    tx.execute(delete(CARDS).where(CARDS.c.instance_uuid == instance_uuid, unused))


def free_rows(tx: Transaction, condition: ColumnElement[bool]) -> int:
    """Make the addresses that meet *condition* free; how many."""
    nobody: dict[str, Any] = {"instance_uuid": None, "virtual_interface_id": None, "host": None, "leased": False}
    return tx.execute(update(FIXED_IPS).where(condition).values(**nobody, updated_at=tx.now)).rowcount


def _release(tx: Transaction, instance_uuid: str, *conditions: ColumnElement[bool]) -> list[ReleasedAddress]:
    mine = and_(FIXED_IPS.c.instance_uuid == instance_uuid, *conditions)
    found = _described(tx, mine)
    ended = {"allocated": False, "released_at": tx.now, "updated_at": tx.now}
    count = tx.execute(update(FIXED_IPS).where(mine, FIXED_IPS.c.allocated).values(**ended)).rowcount
    _give_back_quota(tx, instance_uuid, count)
    floating = floating_claims.release_from(tx, [one.address for one in found]) if found else frozenset()
    return [dataclasses.replace(one, floating=one.address in floating) for one in found]


def _described(tx: Transaction, condition: ColumnElement[bool]) -> list[ReleasedAddress]:
    query = (
        select(FIXED_IPS.c.address, FIXED_IPS.c.leased, CARDS.c.address.label("mac"))
        .add_columns(NETWORKS.c.id.label("network_id"), NETWORKS.c.bridge, NETWORKS.c.dhcp_server)
        .add_columns(serving_host().label("host"))
        .join_from(FIXED_IPS, NETWORKS, FIXED_IPS.c.network_id == NETWORKS.c.id)
        .outerjoin(CARDS, CARDS.c.id == FIXED_IPS.c.virtual_interface_id)
        .where(condition)
    )
    return [
        ReleasedAddress(
            address=row.address,
            mac_address=row.mac or "",
            network_id=row.network_id,
            bridge=row.bridge or "",
            dhcp_server=row.dhcp_server or "",
            leased=row.leased,
            host=row.host or "",
        )
        for row in tx.execute(query)
    ]


def _give_back_quota(tx: Transaction, instance_uuid: str, count: int) -> None:
    if not count:
        return
    owner = tx.execute(
        select(INSTANCES.c.project_id, INSTANCES.c.user_id).where(INSTANCES.c.uuid == instance_uuid)
    ).first()
    if owner:
        quotas.release(tx, {"fixed_ips": count}, project_id=owner.project_id, user_id=owner.user_id)
