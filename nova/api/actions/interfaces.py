# SPDX-License-Identifier: Apache-2.0
"""Network cards and fixed addresses of servers that exist: added, taken away, while they run or not.  Runs in nova-api.

The database has them before anybody is told; a card goes to the server's host as an order, whose end nova-conductor
records.  An address more on a card that is there needs no order: its host only has to let it through.
"""

from __future__ import annotations

from collections.abc import Sequence

from nova.api.actions import host_orders, security_groups, servers
from nova.api.actions.after_commit import tell
from nova.api.cloud import Cloud
from nova.api.policies.compute import PREFIX
from nova.context import RequestContext
from nova.db import (
    address_claims,
    address_releases,
    addresses,
    instance_filters,
    instances,
    networks,
    operations,
    quotas,
)
from nova.db.engine import Transaction
from nova.domain.instance import Instance
from nova.domain.network import Network, Nic, ReleasedAddress
from nova.domain.transitions import Action
from nova.errors import Conflict, InvalidInput, NoCapacity, NotFound

RULE = PREFIX + "os-attach-interfaces:"
ADDRESS_RULE = PREFIX + "os-multinic"


def attach(
    cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, *, network_uuid: str = "", address: str = ""
) -> Nic:
    """One more card for a server, in the network that is named, or in the first one of its project that it lacks.

    Raises NotFound for a network that the project does not have, InvalidInput for an address that cannot be had,
    QuotaExceeded, InvalidState.
    """
    instance = servers.load(tx, context, uuid)
    servers.authorize(cloud, context, RULE + "create", instance)
    network = _chosen(cloud, tx, instance, network_uuid)
    return _attach(cloud, tx, context, instance, network, address=address)


def detach(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, *, vif_uuid: str) -> None:
    """Take a card out of a server; NotFound when it has no such card, InvalidState."""
    instance = servers.load(tx, context, uuid)
    servers.authorize(cloud, context, RULE + "delete", instance)
    nic = card(tx, instance, vif_uuid)
    _begin(tx, context, instance, Action.DETACH_INTERFACE)
    _order(cloud, tx, context, instance, Action.DETACH_INTERFACE, nic)


def add_address(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, *, network_id: str) -> None:
    """One more address in a network: on the server's card there, or with a card where it has none.

    Raises InvalidInput for a network that the project does not have and for one that is full, QuotaExceeded.
    """
    instance = servers.load(tx, context, uuid)
    servers.authorize(cloud, context, ADDRESS_RULE, instance)
    try:
        network = _named(cloud, tx, instance, network_id)
    except NotFound as error:
        raise InvalidInput(error.message, field="networkId") from error
    present = [nic for nic in _cards(tx, instance) if nic.network_uuid == network.uuid]
    if not present:
        _attach(cloud, tx, context, instance, network)
        return
    _begin(tx, context, instance, Action.ATTACH_INTERFACE)
    _claim_quota(cloud, tx, instance)
    holder = {"instance_uuid": instance.uuid, "vif_uuid": present[0].vif_uuid, "host": instance.host}
    address_claims.add_address(tx, network, **holder)
    _tell(cloud, tx, context, instance)


def remove_address(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, *, address: str) -> None:
    """Take an address from a server, and with the last address of a card the card; InvalidInput when it has it not."""
    instance = servers.load(tx, context, uuid)
    servers.authorize(cloud, context, ADDRESS_RULE, instance)
    for nic in _cards(tx, instance):
        if address not in {fixed.address for fixed in nic.addresses}:
            continue
        _begin(tx, context, instance, Action.DETACH_INTERFACE)
        if len(nic.addresses) == 1:
            _order(cloud, tx, context, instance, Action.DETACH_INTERFACE, nic)
        else:
            _tell(cloud, tx, context, instance, address_releases.release_address(tx, instance.uuid, address))
        return
    raise InvalidInput(f"Fixed IP {address} is not an address of the server.", field="address")


def card(tx: Transaction, instance: Instance, vif_uuid: str) -> Nic:
    """One card of a server; NotFound."""
    for nic in _cards(tx, instance):
        if nic.vif_uuid == vif_uuid:
            return nic
    raise NotFound.of("network card", vif_uuid[:36])


def _attach(
    cloud: Cloud, tx: Transaction, context: RequestContext, instance: Instance, network: Network, *, address: str = ""
) -> Nic:
    _begin(tx, context, instance, Action.ATTACH_INTERFACE)
    _claim_quota(cloud, tx, instance)
    try:
        nic = address_claims.add_card(
            tx,
            network,
            instance_uuid=instance.uuid,
            hostname=instance.hostname,
            host=instance.host,
            position=address_claims.next_position(tx, instance.uuid),
            address=address,
        )
    except (Conflict, NoCapacity) as error:
        tx.doom("quota was claimed for a card that could not be had")
        raise InvalidInput(error.message, field="fixed_ips") from error
    _tell(cloud, tx, context, instance)
    _order(cloud, tx, context, instance, Action.ATTACH_INTERFACE, nic)
    return nic


def _begin(tx: Transaction, context: RequestContext, instance: Instance, action: Action) -> None:
    instances.begin(tx, instance.uuid, action, project_id=instance.project_id, ignore_lock=context.is_admin)
    if not instance.host:
        raise InvalidInput("The server is on no host.")


def _claim_quota(cloud: Cloud, tx: Transaction, instance: Instance) -> None:
    owner = {"project_id": instance.project_id, "user_id": instance.user_id}
    quotas.claim(tx, {"fixed_ips": 1}, **owner, defaults=cloud.settings.default_quotas)


def _order(
    cloud: Cloud, tx: Transaction, context: RequestContext, instance: Instance, action: Action, nic: Nic
) -> None:
    arguments = {"vif_uuid": nic.vif_uuid}
    (operation,) = operations.open(
        tx, action, instance_uuids=[instance.uuid], context=context, arguments=arguments, host=instance.host
    )
    host_orders.send_order(cloud, tx, context, operation)


def _tell(
    cloud: Cloud,
    tx: Transaction,
    context: RequestContext,
    instance: Instance,
    released: Sequence[ReleasedAddress] = (),
) -> None:
    """After the commit: to the network hosts, and to the hosts whose filters name the server's addresses."""
    groups = instance_filters.source_groups_of(tx, instance.uuid)
    touched = {host: set(found) for host, found in instance_filters.hosts_touched_by(tx, groups).items()}
    touched.setdefault(instance.host, set()).add(instance.uuid)
    given = tuple(released)
    tell(
        tx,
        f"cards of {instance.uuid}",
        lambda: cloud.network.cards_changed(context, instance_uuid=instance.uuid, released=given),
    )
    security_groups.refresh(cloud, tx, context, {host: tuple(sorted(found)) for host, found in touched.items()})


def _cards(tx: Transaction, instance: Instance) -> tuple[Nic, ...]:
    return addresses.nics_of(tx, [instance.uuid]).get(instance.uuid, ())


def _usable(cloud: Cloud, tx: Transaction, instance: Instance) -> list[Network]:
    shared = cloud.settings.network_manager != "vlan"
    return networks.usable_by(tx, instance.project_id, shared=shared)


def _named(cloud: Cloud, tx: Transaction, instance: Instance, name: str) -> Network:
    """A network of the server's project by UUID or number."""
    for network in _usable(cloud, tx, instance):
        if name in (network.uuid, str(network.id)):
            return network
    raise NotFound.of("network", name[:36])


def _chosen(cloud: Cloud, tx: Transaction, instance: Instance, network_uuid: str) -> Network:
    if network_uuid:
        return _named(cloud, tx, instance, network_uuid)
    present = {nic.network_uuid for nic in _cards(tx, instance)}
    for network in _usable(cloud, tx, instance):
        if network.uuid not in present:
            return network
    raise InvalidInput("The server has a card in every network of its project: name one.", field="net_id")
