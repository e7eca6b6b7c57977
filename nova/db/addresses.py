# SPDX-License-Identifier: Apache-2.0
"""Who has which fixed address, and which addresses are kept back from everybody."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, and_, or_, select, update

from nova import errors
from nova.db.models.base import table_of
from nova.db.models.instance import InstanceRow
from nova.db.models.network import FloatingIpRow
from nova.db.networks import CARDS, FIXED_IPS, NETWORKS, network_of, serving_host
from nova.db.new_rows import insert_if_new
from nova.db.transaction import Transaction
from nova.domain.address_plan import number_of, usable_range
from nova.domain.network import DhcpHost, FixedAddress, FixedIp, Network, Nic

FLOATING_IPS = table_of(FloatingIpRow)

INSTANCES = table_of(InstanceRow)

_NETWORK_COLUMNS = [column for column in NETWORKS.c if column.name not in ("id", "created_at", "updated_at", "host")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """One line of an operator's list of fixed addresses; ``hostname`` is empty when the server is gone."""

    address: str
    cidr: str
    instance_uuid: str
    hostname: str
    host: str
    reserved: bool = False


def nics_of(tx: Transaction, instance_uuids: Collection[str]) -> dict[str, tuple[Nic, ...]]:
    """The cards of instances, in their order, with addresses; one statement, and no key for one without cards."""
    if not instance_uuids:
        return {}
    rows = tx.execute(_cards_query().where(CARDS.c.instance_uuid.in_(sorted(set(instance_uuids))))).mappings()
    by_instance = groupby(rows, key=lambda row: row["card_instance"])
    seen: dict[int, Network] = {}
    return {uuid: tuple(_nics(group, seen)) for uuid, group in by_instance}


def nic(network: Network, *, vif_uuid: str, mac_address: str, addresses: tuple[FixedAddress, ...]) -> Nic:
    """The network card as a host must build it, from its network's row."""
    return Nic(
        vif_uuid=vif_uuid,
        mac_address=mac_address,
        network_uuid=network.uuid,
        label=network.label,
        bridge=network.bridge,
        bridge_interface=network.bridge_interface,
        vlan=network.vlan,
        cidr=network.cidr,
        gateway=network.gateway,
        broadcast=network.broadcast,
        dns=tuple(server for server in (network.dns1, network.dns2) if server),
        dhcp_server=network.dhcp_server if network.enable_dhcp else "",
        cidr_v6=network.cidr_v6,
        gateway_v6=network.gateway_v6,
        mtu=network.mtu,
        multi_host=network.multi_host,
        injected=network.injected,
        addresses=addresses,
    )


def instance_at(tx: Transaction, address: str) -> str | None:
    """The UUID of the instance that has this fixed address now, or None."""
    query = select(FIXED_IPS.c.instance_uuid).where(FIXED_IPS.c.address == address, FIXED_IPS.c.allocated)
    return tx.execute(query).scalar_one_or_none()


def living_instance_at(tx: Transaction, address: str) -> str | None:
    """The same, where the instance is not deleted."""
    query = select(FIXED_IPS.c.instance_uuid).join(INSTANCES, INSTANCES.c.uuid == FIXED_IPS.c.instance_uuid)
    here = (FIXED_IPS.c.address == address, FIXED_IPS.c.allocated, INSTANCES.c.deleted == 0)
    return tx.execute(query.where(*here)).scalar_one_or_none()


def get(tx: Transaction, address: str) -> FixedIp:
    """What is recorded about a fixed address; NotFound when nobody ever used it."""
    found = _fixed_ips(tx, FIXED_IPS.c.address == address)
    if not found:
        raise errors.NotFound.of("fixed IP", address)
    return found[0]


def find_all(tx: Transaction, *, host: str | None = None) -> list[FixedIp]:
    """All addresses that have a row; with *host* those of servers on it."""
    return _fixed_ips(tx, *([] if host is None else [FIXED_IPS.c.host == host]))


def holders(tx: Transaction, *, host: str | None = None) -> list[Holder]:
    """Every known address with its network and its server, in one statement; with *host* those of servers on it."""
    return _holders(tx, *([] if host is None else [INSTANCES.c.host == host]))


def holder(tx: Transaction, address: str) -> Holder:
    """The same of one address, which may be one that nobody ever used; NotFound when no network has it."""
    found = _holders(tx, FIXED_IPS.c.address == address)
    if found:
        return found[0]
    network, _ = _network_with(tx, address)
    return Holder(address=address, cidr=network.cidr, instance_uuid="", hostname="", host="")


def _holders(tx: Transaction, *conditions: ColumnElement[bool]) -> list[Holder]:
    query = (
        select(FIXED_IPS.c.address, FIXED_IPS.c.instance_uuid, FIXED_IPS.c.reserved, NETWORKS.c.cidr)
        .add_columns(INSTANCES.c.hostname, INSTANCES.c.host)
        .join_from(FIXED_IPS, NETWORKS, NETWORKS.c.id == FIXED_IPS.c.network_id)
        .outerjoin(INSTANCES, and_(INSTANCES.c.uuid == FIXED_IPS.c.instance_uuid, INSTANCES.c.deleted == 0))
        .where(*conditions)
        .order_by(NETWORKS.c.id, FIXED_IPS.c.host_number)
    )
    return [
        Holder(
            address=row.address,
            cidr=row.cidr,
            instance_uuid=row.instance_uuid or "",
            hostname=row.hostname or "",
            host=row.host or "",
            reserved=row.reserved,
        )
        for row in tx.execute(query)
    ]


def set_reserved(tx: Transaction, address: str, *, reserved: bool) -> None:
    """Keep an address from being given to servers from now on, or no longer; a server that has it keeps it.

    :raises errors.NotFound: no network has this address
    """
    network, number = _network_with(tx, address)
    values = {"address": address, "network_id": network.id, "host_number": number, "created_at": tx.now}
    if reserved and insert_if_new(tx, FIXED_IPS, values | {"reserved": True}):
        return
    here = (FIXED_IPS.c.network_id == network.id) & (FIXED_IPS.c.host_number == number)
    tx.execute(update(FIXED_IPS).where(here).values(reserved=reserved, updated_at=tx.now))


def reserve_plan(tx: Transaction, network: Network, addresses: Iterable[str]) -> None:
    """Record the addresses that a new network keeps for itself."""
    whole = usable_range(network).network
    for address in addresses:
        values = {"network_id": network.id, "host_number": number_of(whole, address), "address": address}
        insert_if_new(tx, FIXED_IPS, values | {"reserved": True, "created_at": tx.now})


def places_of(tx: Transaction, instance_uuid: str) -> dict[str, tuple[int, ...]]:
    """The networks in which an instance has addresses, by the host that serves them; an empty text where none does."""
    query = (
        select(NETWORKS.c.id, serving_host().label("host"))
        .join_from(FIXED_IPS, NETWORKS, NETWORKS.c.id == FIXED_IPS.c.network_id)
        .where(FIXED_IPS.c.instance_uuid == instance_uuid, FIXED_IPS.c.allocated)
        .distinct()
        .order_by(NETWORKS.c.id)
    )
    places: dict[str, tuple[int, ...]] = {}
    for row in tx.execute(query):
        places[row.host or ""] = (*places.get(row.host or "", ()), row.id)
    return places


def dhcp_hosts(tx: Transaction, network_ids: Collection[int], *, host: str) -> list[DhcpHost]:
    """The cards that *host*'s DHCP servers of these networks must know, one address for each, in one statement."""
    query = (
        select(
            FIXED_IPS.c.address, CARDS.c.network_id, CARDS.c.address.label("mac"), CARDS.c.hostname, CARDS.c.position
        )
        .join_from(FIXED_IPS, CARDS, FIXED_IPS.c.virtual_interface_id == CARDS.c.id)
        .join(NETWORKS, NETWORKS.c.id == CARDS.c.network_id)
        .where(CARDS.c.network_id.in_(sorted(network_ids)), FIXED_IPS.c.allocated)
        .where(or_(NETWORKS.c.multi_host.is_(False), FIXED_IPS.c.host == host))
        .order_by(FIXED_IPS.c.id)
    )
    hosts = {row.mac: row for row in reversed(tx.execute(query).all())}
    return [
        DhcpHost(
            network_id=row.network_id,
            mac_address=mac,
            address=row.address,
            hostname=row.hostname,
            first=not row.position,
        )
        for mac, row in reversed(hosts.items())
    ]


@functools.cache
def _cards_query() -> Select[Any]:
    return (
        select(
            *_NETWORK_COLUMNS,
            NETWORKS.c.id,
            NETWORKS.c.host,
            NETWORKS.c.created_at,
            NETWORKS.c.updated_at,
            CARDS.c.id.label("card_id"),
            CARDS.c.uuid.label("card_uuid"),
            CARDS.c.address.label("card_mac"),
            CARDS.c.instance_uuid.label("card_instance"),
            FIXED_IPS.c.id.label("fixed_id"),
            FIXED_IPS.c.address.label("fixed_address"),
            FLOATING_IPS.c.address.label("floating_address"),
        )
        .select_from(CARDS)
        .join(NETWORKS, NETWORKS.c.id == CARDS.c.network_id)
        .outerjoin(FIXED_IPS, and_(FIXED_IPS.c.virtual_interface_id == CARDS.c.id, FIXED_IPS.c.allocated))
        .outerjoin(FLOATING_IPS, FLOATING_IPS.c.fixed_ip_id == FIXED_IPS.c.id)
        .where(CARDS.c.position.is_not(None))
        .order_by(CARDS.c.instance_uuid, CARDS.c.position, FIXED_IPS.c.id, FLOATING_IPS.c.id)
    )


def _nics(rows: Iterable[RowMapping], seen: dict[int, Network]) -> Iterator[Nic]:
    """The cards of one instance; *seen* keeps the networks by number, so that each is read once for a long list."""
    for _, group in groupby(rows, key=lambda row: row["card_id"]):
        card = list(group)
        number: int = card[0]["id"]
        network = seen.get(number) or seen.setdefault(number, network_of(card[0]))
        addresses = tuple(_addresses(card, netmask=network.netmask))
        yield nic(network, vif_uuid=card[0]["card_uuid"], mac_address=card[0]["card_mac"], addresses=addresses)


def _addresses(card: Iterable[RowMapping], *, netmask: str) -> Iterator[FixedAddress]:
    for fixed, group in groupby(card, key=lambda row: row["fixed_id"]):
        if fixed is not None:
            rows = list(group)
            floating = tuple(row["floating_address"] for row in rows if row["floating_address"])
            yield FixedAddress(address=rows[0]["fixed_address"], version=4, netmask=netmask, floating=floating)


def _fixed_ips(tx: Transaction, *conditions: Any) -> list[FixedIp]:
    query = (
        select(FIXED_IPS, CARDS.c.uuid.label("vif_uuid"))
        .outerjoin(CARDS, CARDS.c.id == FIXED_IPS.c.virtual_interface_id)
        .where(*conditions)
        .order_by(FIXED_IPS.c.network_id, FIXED_IPS.c.host_number)
    )
    return [_fixed_ip(row) for row in tx.execute(query).mappings()]


def _fixed_ip(row: RowMapping) -> FixedIp:
    updated: datetime.datetime | None = row["updated_at"]
    return FixedIp(
        id=row["id"],
        address=row["address"],
        network_id=row["network_id"],
        instance_uuid=row["instance_uuid"] or "",
        vif_uuid=row["vif_uuid"] or "",
        allocated=row["allocated"],
        leased=row["leased"],
        reserved=row["reserved"],
        host=row["host"] or "",
        updated_at=updated,
    )


def _network_with(tx: Transaction, address: str) -> tuple[Network, int]:
    rows = tx.execute(select(NETWORKS).where(NETWORKS.c.deleted == 0, NETWORKS.c.cidr.is_not(None))).mappings()
    for network in map(network_of, rows):
        whole = usable_range(network).network
        try:
            number = number_of(whole, address)
        except ValueError:
            raise errors.InvalidInput(f"{address} is no IPv4 address.", field="address") from None
        if 0 <= number < whole.num_addresses:
            return network, number
    raise errors.NotFound.of("fixed IP", address)
