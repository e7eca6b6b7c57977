# SPDX-License-Identifier: Apache-2.0
"""Floating addresses: taken from a pool, pointed to servers, given back; and what operators do with the pools.

What is written here holds; the network hosts that it touches are told after the commit, and look by themselves too.
"""

from __future__ import annotations

from collections.abc import Sequence

from nova.api.actions import servers
from nova.api.actions.after_commit import tell
from nova.api.cloud import Cloud
from nova.api.policies.compute import PREFIX
from nova.context import RequestContext
from nova.db import addresses, floating_claims, floating_ips, quotas
from nova.db.engine import Transaction
from nova.domain.floating_range import addresses_of
from nova.domain.instance import Instance
from nova.domain.network import FloatingIp
from nova.errors import Conflict, Forbidden, InvalidInput, NotFound, NotSupported

RULE = PREFIX + "os-floating-ips:"
BULK_RULE = PREFIX + "os-floating-ips-bulk:"
SMALLEST_RANGE = 4


def allocate(cloud: Cloud, tx: Transaction, context: RequestContext, *, pool: str = "") -> FloatingIp:
    """One more address of the pool, or of the default one, for the caller's project.

    Raises NotFound for a pool that is not there, NoCapacity for an empty one, QuotaExceeded.
    """
    cloud.policy.authorize(context, RULE + "allocate")
    owner = {"project_id": context.project_id, "user_id": context.user_id}
    quotas.claim(tx, {"floating_ips": 1}, **owner, defaults=cloud.settings.default_quotas)
    chosen = pool or cloud.settings.default_floating_pool
    return floating_claims.allocate(tx, project_id=context.project_id, pool=chosen)


def release(cloud: Cloud, tx: Transaction, context: RequestContext, floating: FloatingIp) -> None:
    """Give an address of the caller's project back to its pool, from wherever it points to.

    Raises Forbidden for another project's and for one that a server was given by itself.
    """
    _authorize(cloud, context, "release", floating)
    _refuse_automatic(floating)
    if floating_claims.release(tx, floating):
        owner = {"project_id": floating.project_id, "user_id": context.user_id}
        quotas.release(tx, {"floating_ips": 1}, **owner)
        _tell(cloud, tx, context, _host_of(floating))


def associate(
    cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, *, address: str, fixed_address: str = ""
) -> None:
    """Let an address lead to a server, to its first fixed address or the one that is named.

    It is moved from wherever it led to.  Raises NotFound, Forbidden for another project's address, InvalidInput for a
    server that has no address yet and for a fixed address that is not its.
    """
    if cloud.settings.network_manager == "flat":
        raise NotSupported("Flat networks have no host that could hand on what is sent to a floating IP.")
    instance = servers.load(tx, context, uuid)
    floating = _of_project(cloud, tx, context, instance, address)
    target = _target(tx, instance, fixed_address)
    if (floating.instance_uuid, floating.fixed_address) == (instance.uuid, target):
        return
    now = floating_claims.associate(tx, floating, fixed_address=target, instance_uuid=instance.uuid)
    for host in dict.fromkeys((_host_of(floating), now)):
        _tell(cloud, tx, context, host)


def disassociate(
    cloud: Cloud, tx: Transaction, context: RequestContext, floating: FloatingIp, *, uuid: str = ""
) -> None:
    """Let an address lead nowhere; with *uuid* only if it leads to this server.

    Raises Conflict when it does not lead there, Forbidden for one that the server was given by itself.
    """
    _authorize(cloud, context, "associate", floating)
    if not floating.fixed_address or (uuid and floating.instance_uuid != uuid):
        raise Conflict(f"Floating IP {floating.address} does not lead to the server.", resource="floating_ip")
    _refuse_automatic(floating)
    if floating_claims.disassociate(tx, floating):
        _tell(cloud, tx, context, _host_of(floating))


def disassociate_from_server(
    cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, *, address: str
) -> None:
    """Let an address no longer lead to a server; see :func:`disassociate`."""
    instance = servers.load(tx, context, uuid)
    floating = _of_project(cloud, tx, context, instance, address)
    disassociate(cloud, tx, context, floating, uuid=instance.uuid)


def create_range(
    cloud: Cloud, tx: Transaction, context: RequestContext, *, ip_range: str, pool: str, interface: str
) -> None:
    """Add the addresses of a range, or one address, to a pool; InvalidInput, AlreadyExists."""
    cloud.policy.authorize(context, BULK_RULE + "create")
    wanted = addresses_of(ip_range, smallest=SMALLEST_RANGE)
    floating_ips.create(tx, wanted, pool=pool, interface=interface)


def delete_range(cloud: Cloud, tx: Transaction, context: RequestContext, *, ip_range: str) -> None:
    """Take the addresses of a range away; InvalidInput, Conflict when a project has one of them."""
    cloud.policy.authorize(context, BULK_RULE + "delete")
    floating_ips.remove(tx, addresses_of(ip_range, smallest=SMALLEST_RANGE))


def visible(tx: Transaction, context: RequestContext) -> Sequence[FloatingIp]:
    """The addresses of the caller's project."""
    return floating_ips.of_project(tx, context.project_id)


def _of_project(cloud: Cloud, tx: Transaction, context: RequestContext, instance: Instance, address: str) -> FloatingIp:
    """The address, which must belong to the server's project."""
    servers.authorize(cloud, context, RULE + "associate", instance)
    floating = floating_ips.get(tx, address)
    if floating.project_id != instance.project_id:
        raise Forbidden(f"Floating IP {address} does not belong to the server's project.")
    return floating


def _target(tx: Transaction, instance: Instance, wanted: str) -> str:
    cards = addresses.nics_of(tx, [instance.uuid]).get(instance.uuid, ())
    mine = [fixed.address for card in cards for fixed in card.addresses if fixed.version == 4]
    if not mine:
        raise InvalidInput("The server has no fixed IP to associate with.", field="address")
    if wanted and wanted not in mine:
        raise InvalidInput(f"Fixed IP {wanted[:45]} is not an address of the server.", field="fixed_address")
    return wanted or mine[0]


def _authorize(cloud: Cloud, context: RequestContext, what: str, floating: FloatingIp) -> None:
    """Forbidden for another project's address; one that nobody has cannot be given back or taken from a server."""
    if not floating.project_id:
        raise NotFound.of("floating IP", floating.address)
    cloud.policy.authorize(context, RULE + what, {"project_id": floating.project_id, "user_id": context.user_id})


def _refuse_automatic(floating: FloatingIp) -> None:
    if floating.auto_assigned:
        raise Forbidden(f"Floating IP {floating.address} was given with its server and goes with it.")


def _host_of(floating: FloatingIp) -> str | None:
    """Who carries the address: a host, empty when that is not known, None when nobody does."""
    return floating.host if floating.fixed_address else None


def _tell(cloud: Cloud, tx: Transaction, context: RequestContext, host: str | None) -> None:
    if host:
        tell(tx, f"floating addresses on {host}", lambda: cloud.network.on(host).refresh_floating_ips(context))
    elif host is not None:
        tell(tx, "floating addresses", lambda: cloud.network.refresh(context))
