# SPDX-License-Identifier: Apache-2.0
"""The networks that somebody asks for with a new server: his own or shared ones, and addresses that are free there."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from nova.db import addresses, networks
from nova.db.engine import Transaction
from nova.domain.address_plan import number_of, usable_range
from nova.domain.network import Network, RequestedNetwork
from nova.errors import InvalidInput, NotFound


def check(tx: Transaction, requested: Sequence[RequestedNetwork], *, project_id: str, shared: bool, count: int) -> None:
    """Refuse networks that the project does not have, named twice, and addresses that it cannot get.

    :param shared: whether networks that belong to nobody are everybody's
    """
    if not requested:
        return
    known = {network.uuid: network for network in networks.usable_by(tx, project_id, shared=shared)}
    names = [each.network_uuid for each in requested]
    for name in names:
        if name not in known:
            raise InvalidInput(f"Network {name} could not be found.", field="networks")
    if len(set(names)) != len(names):
        raise InvalidInput("A network is named twice.", field="networks")
    for each in requested:
        if each.fixed_ip:
            _check_address(tx, known[each.network_uuid], each.fixed_ip, count=count)


def _check_address(tx: Transaction, network: Network, address: str, *, count: int) -> None:
    if count > 1:
        raise InvalidInput("An address can be asked for only with a single server.", field="networks")
    try:
        usable = usable_range(network)
        inside = usable.allows(number_of(usable.network, str(ipaddress.IPv4Address(address))))
    except ValueError:
        inside = False
    if not inside:
        raise InvalidInput(f"Network {network.uuid} cannot give the address {address[:45]}.", field="networks")
    try:
        taken = addresses.get(tx, address)
    except NotFound:
        return
    if taken.allocated or taken.reserved:
        raise InvalidInput(f"The address {address} is in use.", field="networks")
