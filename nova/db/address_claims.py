# SPDX-License-Identifier: Apache-2.0
"""Taking network cards and fixed addresses: right with any number of network daemons at once.

An address that nobody ever used comes from the network's counter ``next_fixed``, which only grows; when it has reached
the end, the free address that rested longest is taken.  Both are a few statements whatever the size of the network and
however full it is, and a guarded UPDATE or a unique constraint decides between two that want the same.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, case, false, func, select, update

from nova import errors
from nova.db.addresses import nic
from nova.db.networks import CARDS, FIXED_IPS, NETWORKS
from nova.db.new_rows import insert_if_new
from nova.db.transaction import Transaction
from nova.domain.address_plan import UsableRange, number_of, usable_range
from nova.domain.network import FixedAddress, Network, Nic

_RACES = 20
_GAP_SEARCH = 512
_FREE: ColumnElement[bool] = (
    FIXED_IPS.c.instance_uuid.is_(None) & (FIXED_IPS.c.allocated == false()) & (FIXED_IPS.c.reserved == false())
)


def new_mac_address() -> str:
    """A MAC address in the range that clouds of this kind use (fa:16:3e), chosen at random."""
    return "fa:16:3e:" + ":".join(f"{byte:02x}" for byte in secrets.token_bytes(3))


def add_card(
    tx: Transaction,
    network: Network,
    *,
    instance_uuid: str,
    hostname: str,
    host: str,
    position: int,
    address: str = "",
    mac_attempts: int = 5,
    new_mac: Callable[[], str] = new_mac_address,
) -> Nic:
    """One more card for an instance, with an address in *network*: any, or the one that is asked for.

    :raises errors.AlreadyExists: the instance has a card in this position (somebody else was faster)
    :raises errors.NoCapacity: no address or no MAC address is free
    :raises errors.Conflict: the *address* is in use or reserved
    :raises errors.InvalidInput: the *address* is not one that this network gives to servers
    """
    values = {"network_id": network.id, "instance_uuid": instance_uuid, "hostname": hostname, "position": position}
    vif_uuid, mac = str(uuid.uuid4()), ""
    for _ in range(mac_attempts):
        mac = new_mac()
        card = insert_if_new(tx, CARDS, values | {"uuid": vif_uuid, "address": mac, "created_at": tx.now})
        if card is not None:
            break
        _refuse_second_card(tx, instance_uuid, position)
    else:
        raise errors.NoCapacity("No free MAC address was found.", resource="network", id=network.uuid)
    holder = {"virtual_interface_id": card, "instance_uuid": instance_uuid, "host": host or None}
    taken = _claim_exact(tx, network, address, holder) if address else _claim_any(tx, network, holder)
    fixed = FixedAddress(address=taken, version=4, netmask=network.netmask)
    return nic(network, vif_uuid=vif_uuid, mac_address=mac, addresses=(fixed,))


def claim_for_host(tx: Transaction, network: Network, host: str) -> str:
    """An address of *network* for a host itself; NoCapacity when none is free."""
    return _claim_any(tx, network, {"virtual_interface_id": None, "instance_uuid": None, "host": host})


def add_address(
    tx: Transaction, network: Network, *, instance_uuid: str, vif_uuid: str, host: str, address: str = ""
) -> str:
    """One more address of *network* for a card that an instance has in it; raises as :func:`add_card`.

    :raises errors.NotFound: the instance does not have this card
    """
    mine = (CARDS.c.uuid == vif_uuid) & (CARDS.c.instance_uuid == instance_uuid) & CARDS.c.position.is_not(None)
    card = tx.execute(select(CARDS.c.id).where(mine).with_for_update()).scalar()
    if card is None:
        raise errors.NotFound.of("network card", vif_uuid)
    holder = {"virtual_interface_id": card, "instance_uuid": instance_uuid, "host": host or None}
    return _claim_exact(tx, network, address, holder) if address else _claim_any(tx, network, holder)


def next_position(tx: Transaction, instance_uuid: str) -> int:
    """Where the next card of an instance goes."""
    last = tx.execute(select(func.max(CARDS.c.position)).where(CARDS.c.instance_uuid == instance_uuid)).scalar()
    return 0 if last is None else int(last) + 1


def _refuse_second_card(tx: Transaction, instance_uuid: str, position: int) -> None:
    same = (CARDS.c.instance_uuid == instance_uuid) & (CARDS.c.position == position)
    if tx.execute(select(CARDS.c.id).where(same)).first():
        raise errors.AlreadyExists("The server has this network card already.", resource="server", id=instance_uuid)


def _claim_any(tx: Transaction, network: Network, holder: dict[str, Any]) -> str:
    usable = usable_range(network)
    taken = _claim_fresh(tx, network, usable, holder) or _claim_rested(tx, network, usable, holder)
    if taken is None:
        raise errors.NoCapacity("No more fixed addresses are available.", resource="network", id=network.uuid)
    return taken


def _claim_fresh(tx: Transaction, network: Network, usable: UsableRange, holder: dict[str, Any]) -> str | None:
    """An address that has no row yet.  The counter's row stays locked until the commit, so there are few surprises."""
    number = _advance(tx, network, usable)
    while number is not None:
        if number not in usable.never:
            values = {"network_id": network.id, "host_number": number, "address": usable.address(number)}
            new = values | holder | {"allocated": True, "created_at": tx.now, "updated_at": tx.now}
            if insert_if_new(tx, FIXED_IPS, new):
                return usable.address(number)
        number = _gap(tx, network, usable, after=number)
    return None


def _advance(tx: Transaction, network: Network, usable: UsableRange) -> int | None:
    """Count one up, and give the number that was counted; None at the end of the range."""
    counter = NETWORKS.c.next_fixed
    next_one = case((counter < usable.first, usable.first + 1), else_=counter + 1)
    here = (NETWORKS.c.id == network.id) & (NETWORKS.c.deleted == 0)
    change = update(NETWORKS).where(here, counter <= usable.last).values(next_fixed=next_one)
    if tx.dialect == "mysql":
        if tx.execute(change).rowcount == 0:
            return None
        counted = tx.execute(select(counter).where(here)).scalar_one()
    else:
        counted = tx.execute(change.returning(counter)).scalar_one_or_none()
    number = None if counted is None else int(counted) - 1
    return number if number is not None and number <= usable.last else None


def _gap(tx: Transaction, network: Network, usable: UsableRange, *, after: int) -> int | None:
    """The next number without a row, where the counter then goes on."""
    number = after + 1
    while number <= usable.last:
        rows = (FIXED_IPS.c.network_id == network.id) & (FIXED_IPS.c.host_number >= number)
        query = select(FIXED_IPS.c.host_number).where(rows).order_by(FIXED_IPS.c.host_number).limit(_GAP_SEARCH)
        taken = {int(found) for found in tx.execute(query).scalars()} | usable.never
        end = number + _GAP_SEARCH
        number = next((candidate for candidate in range(number, end) if candidate not in taken), end)
        if number < end:
            break
    tx.execute(update(NETWORKS).where(NETWORKS.c.id == network.id).values(next_fixed=number + 1))
    return number if number <= usable.last else None


def _claim_rested(tx: Transaction, network: Network, usable: UsableRange, holder: dict[str, Any]) -> str | None:
    """The free address that rested longest.  Daemons that search at the same time pass over each other's rows."""
    # The sum keeps the databases from going through the whole range by its index, in place of the free rows by theirs.
    number = FIXED_IPS.c.host_number + 0
    free = (FIXED_IPS.c.network_id == network.id) & _FREE & number.between(usable.first, usable.last)
    if usable.never:
        free &= number.not_in(sorted(usable.never))
    query = select(FIXED_IPS.c.id, FIXED_IPS.c.address).where(free).order_by(FIXED_IPS.c.released_at).limit(1)
    for _ in range(_RACES):
        row = tx.execute(query.with_for_update(skip_locked=True)).first()
        if row is None:
            return None
        if _take(tx, FIXED_IPS.c.id == row.id, holder):
            return str(row.address)
    return None


def _claim_exact(tx: Transaction, network: Network, address: str, holder: dict[str, Any]) -> str:
    usable = usable_range(network)
    try:
        number = number_of(usable.network, address)
    except ValueError:
        raise errors.InvalidInput("The fixed IP is no IPv4 address.", field="fixed_ip") from None
    if not usable.allows(number):
        raise errors.InvalidInput(
            f"Fixed IP {address[:45]} is not an address that network {network.uuid} gives to servers.",
            field="fixed_ip",
        )
    values = {"network_id": network.id, "host_number": number, "address": usable.address(number)}
    new = values | holder | {"allocated": True, "created_at": tx.now, "updated_at": tx.now}
    here = (FIXED_IPS.c.network_id == network.id) & (FIXED_IPS.c.host_number == number)
    if insert_if_new(tx, FIXED_IPS, new) is None and not _take(tx, here, holder):
        raise errors.Conflict(f"Fixed IP {usable.address(number)} is in use.", resource="fixed_ip", id=address)
    return usable.address(number)


def _take(tx: Transaction, row: ColumnElement[bool], holder: dict[str, Any]) -> bool:
    values = holder | {"allocated": True, "leased": False, "released_at": None, "updated_at": tx.now}
    return tx.execute(update(FIXED_IPS).where(row, _FREE).values(**values)).rowcount == 1
