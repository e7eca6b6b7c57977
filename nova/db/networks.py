# SPDX-License-Identifier: Apache-2.0
"""Networks: look-up, creation, which host serves one, and which project owns one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, case, delete, insert, or_, select, update

from nova import errors
from nova.db.models.base import table_of
from nova.db.models.network import FixedIpRow, NetworkRow, VirtualInterfaceRow
from nova.db.transaction import Transaction
from nova.domain.network import Network

NETWORKS = table_of(NetworkRow)
FIXED_IPS = table_of(FixedIpRow)
CARDS = table_of(VirtualInterfaceRow)

_FIELDS = tuple(name for name in Network.__dataclass_fields__ if name in NETWORKS.c)
_MAY_BE_NONE = frozenset({"vlan", "vpn_public_port", "mtu", "priority", "created_at", "updated_at"})
_COLUMNS = [NETWORKS.c[name] for name in _FIELDS]
_ORDER = (NETWORKS.c.priority.is_(None), NETWORKS.c.priority, NETWORKS.c.id)


def network_of(row: RowMapping) -> Network:
    """The domain object for a row that holds the columns of ``networks``."""
    values: dict[str, Any] = {name: row[name] for name in _FIELDS}
    values |= {name: "" for name, value in values.items() if value is None and name not in _MAY_BE_NONE}
    return Network(**values)


def serving_host() -> ColumnElement[Any]:
    """In SQL, the network host that serves a fixed address, from both of its tables."""
    return case((NETWORKS.c.multi_host, FIXED_IPS.c.host), else_=NETWORKS.c.host)


def find_all(tx: Transaction) -> list[Network]:
    """All networks, in the order in which servers get their cards: by priority, then by age."""
    return _find(tx)


def get(tx: Transaction, network_uuid: str) -> Network:
    """One network; NotFound."""
    return _one(_find(tx, NETWORKS.c.uuid == network_uuid), network_uuid)


def get_by_id(tx: Transaction, network_id: int) -> Network:
    """One network by its number; NotFound."""
    return _one(_find(tx, NETWORKS.c.id == network_id), network_id)


def get_by_cidr(tx: Transaction, cidr: str) -> Network:
    """The network with exactly this IPv4 or IPv6 range; NotFound."""
    return _one(_find(tx, or_(NETWORKS.c.cidr == cidr, NETWORKS.c.cidr_v6 == cidr)), cidr)


def usable_by(tx: Transaction, project_id: str, *, shared: bool) -> list[Network]:
    """The networks of a project; with *shared* also those that belong to no project."""
    mine = NETWORKS.c.project_id == project_id
    return _find(tx, or_(mine, NETWORKS.c.project_id.is_(None)) if shared else mine)


def with_ids(tx: Transaction, network_ids: Iterable[int]) -> list[Network]:
    """The networks with these numbers, those that exist."""
    return _find(tx, NETWORKS.c.id.in_(sorted(network_ids)))


def served_by(tx: Transaction, host: str) -> list[Network]:
    """The networks that *host* serves, with the addresses that it has in those which each host serves for itself."""
    has_some = select(FIXED_IPS.c.id).where(FIXED_IPS.c.network_id == NETWORKS.c.id, FIXED_IPS.c.host == host)
    own = NETWORKS.c.multi_host & has_some.where(FIXED_IPS.c.allocated).exists()
    return _find(tx, or_(NETWORKS.c.multi_host.is_(False) & (NETWORKS.c.host == host), own))


def take_unserved(tx: Transaction, host: str, *, shared: bool = True) -> int:
    """Make *host* serve every network that no host serves; how many it took.  Of several that try, one wins each.

    :param shared: also those that belong to no project
    """
    free = NETWORKS.c.host.is_(None) & NETWORKS.c.multi_host.is_(False) & (NETWORKS.c.deleted == 0)
    if not shared:
        free &= NETWORKS.c.project_id.is_not(None)
    return tx.execute(update(NETWORKS).where(free).values(host=host, updated_at=tx.now)).rowcount


def take_for_project(tx: Transaction, project_id: str) -> list[Network]:
    """The networks of a project, after it was given a free one if it had none; empty when none is free.

    All takers lock the same row, the oldest free network, so a project that comes twice at once gets one.
    """
    free = NETWORKS.c.project_id.is_(None) & (NETWORKS.c.deleted == 0)
    oldest = select(NETWORKS.c.id).where(free).order_by(NETWORKS.c.id).limit(1).with_for_update()
    while not (mine := usable_by(tx, project_id, shared=False)):
        number = tx.execute(oldest).scalar()
        if mine := usable_by(tx, project_id, shared=False):
            return mine
        if number is None and tx.execute(select(NETWORKS.c.id).where(free).limit(1)).first() is None:
            return []
        given = {"project_id": project_id, "updated_at": tx.now}
        tx.execute(update(NETWORKS).where(NETWORKS.c.id == number, free).values(**given))
    return mine


def create(tx: Transaction, networks: Sequence[Network]) -> list[Network]:
    """Record new networks; their ``id`` is ignored.

    :raises errors.AlreadyExists: a UUID or VLAN is in use
    """
    made = []
    for network in networks:
        values = {n: getattr(network, n) for n in _FIELDS if n not in ("id", "created_at", "updated_at")}
        values = {n: None if v == "" else v for n, v in values.items()} | {"created_at": tx.now}
        with tx.unique("A network with this UUID or VLAN exists already.", resource="network", id=network.uuid):
            tx.execute(insert(NETWORKS).values(**values, next_fixed=0, deleted=0))
        made.append(get(tx, network.uuid))
    return made


def associate(tx: Transaction, network_id: int, *, project_id: str | None = None, host: str | None = None) -> Network:
    """Give the network to a project or host; an empty text takes it away from its present one; None leaves it.

    :raises errors.NotFound: there is no such network
    """
    wanted = {"project_id": project_id, "host": host}
    values: dict[str, Any] = {name: value or None for name, value in wanted.items() if value is not None}
    one = (NETWORKS.c.id == network_id) & (NETWORKS.c.deleted == 0)
    tx.execute(update(NETWORKS).where(one).values(**values, updated_at=tx.now))
    return get_by_id(tx, network_id)


def delete_network(tx: Transaction, network_id: int) -> None:
    """Remove a network with its rows of addresses.

    :raises errors.Conflict: it belongs to a project, or servers have addresses in it
    """
    unowned = (NETWORKS.c.id == network_id) & (NETWORKS.c.deleted == 0) & NETWORKS.c.project_id.is_(None)
    gone = {"deleted": NETWORKS.c.id, "deleted_at": tx.now, "host": None}
    if tx.execute(update(NETWORKS).where(unowned).values(**gone)).rowcount == 0:
        network = get_by_id(tx, network_id)
        raise errors.Conflict(
            f"Network {network.uuid} belongs to project {network.project_id}: disassociate it first.",
            resource="network",
            id=network.uuid,
        )
    used = (FIXED_IPS.c.network_id == network_id) & FIXED_IPS.c.instance_uuid.is_not(None)
    if tx.execute(select(FIXED_IPS.c.id).where(used).limit(1)).first():
        tx.doom("a network in use was marked as deleted")
        raise errors.Conflict("Servers have addresses in this network.", resource="network", id=network_id)
    tx.execute(delete(FIXED_IPS).where(FIXED_IPS.c.network_id == network_id))
    tx.execute(delete(CARDS).where(CARDS.c.network_id == network_id))


def _find(tx: Transaction, *conditions: Any) -> list[Network]:
    query = select(*_COLUMNS).where(NETWORKS.c.deleted == 0, *conditions).order_by(*_ORDER)
    return [network_of(row) for row in tx.execute(query).mappings()]


def _one(found: Sequence[Network], key: object) -> Network:
    if not found:
        raise errors.NotFound.of("network", key)
    return found[0]
