# SPDX-License-Identifier: Apache-2.0
"""The addresses that hosts themselves have in networks which each host serves for its own servers (``multi_host``).

Such an address is a row of ``fixed_ips`` with a host and without an instance.  Under it the host is gateway and DHCP
server of the servers that are there.
"""

from __future__ import annotations

import dataclasses

from sqlalchemy import ColumnElement, select

from nova.db import address_claims
from nova.db.networks import FIXED_IPS, NETWORKS
from nova.db.transaction import Transaction
from nova.domain.network import Network, Nic


def local(tx: Transaction, network: Network, host: str) -> Network:
    """The network as *host* serves it, with an address of its own where it needs one.

    :raises errors.NoCapacity: it needs one, and none is free
    """
    if not network.multi_host or network.share_address:
        return network
    found = tx.execute(select(FIXED_IPS.c.address).where(_own(host), FIXED_IPS.c.network_id == network.id)).scalar()
    return seen_from(network, found or address_claims.claim_for_host(tx, network, host))


def seen_from(network: Network, address: str) -> Network:
    """The network with a host's own address as DHCP server, and as gateway unless another one is named."""
    gateway = address if network.gateway == network.dhcp_server else network.gateway
    return dataclasses.replace(network, dhcp_server=address, gateway=gateway)


def seen_by_guests(tx: Transaction, nics: tuple[Nic, ...], host: str) -> tuple[Nic, ...]:
    """Cards of a server on *host*, with the host's own address as gateway and DHCP server where it serves for itself.

    No statement unless a network is of that kind.
    """
    if not any(nic.multi_host for nic in nics):
        return nics
    query = select(NETWORKS.c.uuid, FIXED_IPS.c.address).join_from(FIXED_IPS, NETWORKS)
    found = {row.uuid: row.address for row in tx.execute(query.where(_own(host), NETWORKS.c.multi_host))}
    return tuple(_seen(nic, found.get(nic.network_uuid)) for nic in nics)


def _seen(nic: Nic, address: str | None) -> Nic:
    if not nic.multi_host or address is None:
        return nic
    gateway = address if nic.gateway == nic.dhcp_server else nic.gateway
    return dataclasses.replace(nic, dhcp_server=address, gateway=gateway)


def _own(host: str) -> ColumnElement[bool]:
    return (FIXED_IPS.c.host == host) & FIXED_IPS.c.instance_uuid.is_(None) & FIXED_IPS.c.allocated
