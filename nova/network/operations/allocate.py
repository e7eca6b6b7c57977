# SPDX-License-Identifier: Apache-2.0
"""Allocate: give an instance its network cards and addresses.  Runs in nova-network, in one transaction.

On failure in the transaction nothing is kept; when the DHCP servers cannot be told, the caller releases again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nova import errors
from nova.db import address_claims, addresses, floating_claims, networks, quotas
from nova.db.engine import Transaction
from nova.domain.network import DhcpHost, Network, Nic, RequestedNetwork


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whose cards, and in which networks."""

    project_id: str
    instance_uuid: str
    hostname: str
    host: str
    user_id: str = ""
    requested: tuple[RequestedNetwork, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """The cards of an instance, and the networks that they are in."""

    nics: tuple[Nic, ...]
    networks: tuple[Network, ...]
    hostname: str
    forwarding_host: str | None = None
    """The network host that carries its new floating address, empty for one that is still to be found; or None"""

    def dhcp_hosts(self) -> list[DhcpHost]:
        """What the DHCP servers must know about the cards."""
        ids = {network.uuid: network.id for network in self.networks}
        return [
            DhcpHost(
                network_id=ids[nic.network_uuid],
                mac_address=nic.mac_address,
                address=nic.addresses[0].address,
                hostname=self.hostname,
                first=position == 0,
            )
            for position, nic in enumerate(self.nics)
            if nic.addresses
        ]


def allocate(
    tx: Transaction,
    wanted: Wanted,
    *,
    shared: bool,
    mac_attempts: int,
    quota_defaults: Mapping[str, int],
    floating_pool: str = "",
) -> Allocation:
    """The cards that the instance has, or new ones with an address each.

    :param shared: whether networks without a project are everybody's; otherwise a project without one gets a free one
    :param floating_pool: from where the first card gets a floating address too; empty for none
    :raises errors.NotFound: a requested network does not exist or is another project's
    :raises errors.NoCapacity: the project has no network, or no fixed or floating address is free
    :raises errors.QuotaExceeded: the project may have no more fixed addresses
    """
    present = addresses.nics_of(tx, [wanted.instance_uuid]).get(wanted.instance_uuid, ())
    if shared:
        usable = networks.usable_by(tx, wanted.project_id, shared=True)
    else:
        usable = networks.take_for_project(tx, wanted.project_id)
    if present:
        return Allocation(nics=present, networks=tuple(usable), hostname=wanted.hostname)
    chosen = _chosen(wanted.requested, usable)
    owner = {"project_id": wanted.project_id, "user_id": wanted.user_id}
    quotas.claim(tx, {"fixed_ips": len(chosen)}, **owner, defaults=quota_defaults)
    nics = tuple(
        address_claims.add_card(
            tx,
            network,
            instance_uuid=wanted.instance_uuid,
            hostname=wanted.hostname,
            host=wanted.host,
            position=position,
            address=address,
            mac_attempts=mac_attempts,
        )
        for position, (network, address) in enumerate(chosen)
    )
    made = Allocation(nics=nics, networks=tuple(usable), hostname=wanted.hostname)
    return _with_floating(tx, made, wanted, pool=floating_pool) if floating_pool and nics else made


def _with_floating(tx: Transaction, made: Allocation, wanted: Wanted, *, pool: str) -> Allocation:
    first = made.nics[0]
    fixed = first.addresses[0]
    floating = floating_claims.allocate(tx, project_id=wanted.project_id, pool=pool, auto_assigned=True)
    host = floating_claims.associate(tx, floating, fixed_address=fixed.address, instance_uuid=wanted.instance_uuid)
    shown = dataclasses.replace(fixed, floating=(floating.address,))
    card = dataclasses.replace(first, addresses=(shown, *first.addresses[1:]))
    return dataclasses.replace(made, nics=(card, *made.nics[1:]), forwarding_host=host)


def _chosen(requested: Sequence[RequestedNetwork], usable: Sequence[Network]) -> list[tuple[Network, str]]:
    """Networks with the address that is asked for in each, or an empty text."""
    if not requested:
        if not usable:
            raise errors.NoCapacity("There is no network left for this project: create one first.", resource="network")
        return [(network, "") for network in usable]
    by_uuid = {network.uuid: network for network in usable}
    for one in requested:
        if one.network_uuid not in by_uuid:
            raise errors.NotFound.of("network", one.network_uuid)
    return [(by_uuid[one.network_uuid], one.fixed_ip) for one in requested]
