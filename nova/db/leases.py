# SPDX-License-Identifier: Apache-2.0
"""Addresses that were given back: which still rest, and when they are free again.

The leases themselves are recorded by :mod:`nova.db.lease_events`.
"""

from __future__ import annotations

import datetime

from sqlalchemy import ColumnElement, delete, or_, select

from nova.db.address_releases import free_rows
from nova.db.networks import CARDS, FIXED_IPS, NETWORKS, serving_host
from nova.db.transaction import Transaction
from nova.domain.network import ReleasedAddress


def expire(tx: Transaction, *, timeout_s: float, lease_s: float) -> int:
    """Free what was given back longer ago than *timeout_s* (with a lease: than *lease_s* too); how many addresses."""
    rest = tx.now - datetime.timedelta(seconds=timeout_s)
    lease = tx.now - datetime.timedelta(seconds=max(timeout_s, lease_s))
    since = FIXED_IPS.c.released_at
    over = or_(since < lease, FIXED_IPS.c.leased.is_(False) & (since < rest))
    freed = free_rows(tx, _released() & over)
    if freed:
        _drop_unused_cards(tx)
    return freed


def released(tx: Transaction, host: str) -> list[ReleasedAddress]:
    """The addresses that *host* serves and that were given back but are not free yet."""
    query = (
        select(FIXED_IPS.c.address, FIXED_IPS.c.leased, CARDS.c.address.label("mac"))
        .add_columns(NETWORKS.c.id, NETWORKS.c.bridge, NETWORKS.c.dhcp_server)
        .join_from(FIXED_IPS, NETWORKS, NETWORKS.c.id == FIXED_IPS.c.network_id)
        .join(CARDS, CARDS.c.id == FIXED_IPS.c.virtual_interface_id)
        .where(_released(), serving_host() == host)
    )
    return [
        ReleasedAddress(
            address=row.address,
            mac_address=row.mac,
            network_id=row.id,
            bridge=row.bridge or "",
            dhcp_server=row.dhcp_server or "",
            leased=row.leased,
            host=host,
        )
        for row in tx.execute(query)
    ]


def forget_released(tx: Transaction, host: str) -> int:
    """Free the addresses that *host* serves, were given back, and have no lease; how many."""
    served = select(NETWORKS.c.id).where(NETWORKS.c.id == FIXED_IPS.c.network_id, serving_host() == host)
    freed = free_rows(tx, _released() & served.exists() & FIXED_IPS.c.leased.is_(False))
    if freed:
        _drop_unused_cards(tx)
    return freed


def _released() -> ColumnElement[bool]:
    return FIXED_IPS.c.allocated.is_(False) & FIXED_IPS.c.instance_uuid.is_not(None)


def _drop_unused_cards(tx: Transaction, *conditions: ColumnElement[bool]) -> None:
    used = select(FIXED_IPS.c.id).where(FIXED_IPS.c.virtual_interface_id == CARDS.c.id)
    tx.execute(delete(CARDS).where(CARDS.c.position.is_(None), ~used.exists(), *conditions))
