# SPDX-License-Identifier: Apache-2.0
"""Make, give away and delete networks.  nova-network is told after the commit, and builds or removes bridges itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from nova.api.actions.after_commit import tell
from nova.api.cloud import Cloud
from nova.api.policies.compute import PREFIX
from nova.context import RequestContext
from nova.db import addresses, networks, quotas
from nova.db.engine import Transaction
from nova.domain.network import Network
from nova.domain.network_plan import CreateNetwork, plan
from nova.errors import Conflict, Forbidden, NotFound

RULE = PREFIX + "os-networks:"
OWN_RULE = PREFIX + "os-tenant-networks:"
QUOTA = "networks"


def create(cloud: Cloud, tx: Transaction, context: RequestContext, wanted: CreateNetwork) -> Sequence[Network]:
    """Plan the networks beside those that exist, and record them; InvalidInput, Conflict for a range in use."""
    cloud.policy.authorize(context, RULE + "create")
    return _create(cloud, tx, context, wanted)


def create_own(cloud: Cloud, tx: Transaction, context: RequestContext, wanted: CreateNetwork) -> Sequence[Network]:
    """The same for networks of the caller's project, which makes them itself; QuotaExceeded too."""
    cloud.policy.authorize(context, OWN_RULE + "create")
    owner = {"project_id": context.project_id, "user_id": context.user_id}
    quotas.claim(tx, {QUOTA: wanted.num_networks}, **owner, defaults={QUOTA: cloud.settings.network_quota})
    vlans = cloud.settings.network_manager == "vlan"
    chosen = wanted.vlan_start or cloud.settings.vlan_start
    return _create(
        cloud,
        tx,
        context,
        dataclasses.replace(
            wanted,
            project_id=context.project_id,
            vlan_start=chosen if vlans else None,
            any_vlan=wanted.vlan_start is None,
        ),
    )


def delete_own(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str) -> None:
    """Remove a network of the caller's project.

    Raises NotFound for one that he does not see, Forbidden for one that is everybody's, Conflict while servers have
    addresses in it.
    """
    cloud.policy.authorize(context, OWN_RULE + "delete")
    network = networks.get(tx, uuid)
    if network.project_id and network.project_id != context.project_id:
        raise NotFound.of("network", uuid[:64])
    if not network.project_id:
        raise Forbidden("A network that is everybody's cannot be deleted by a project.")
    networks.associate(tx, network.id, project_id="")
    try:
        networks.delete_network(tx, network.id)
    except Conflict:
        tx.doom("a network in use was taken from its project")
        raise
    quotas.release(tx, {QUOTA: 1}, project_id=context.project_id, user_id=context.user_id)
    _tell(cloud, tx, context)


def _create(cloud: Cloud, tx: Transaction, context: RequestContext, wanted: CreateNetwork) -> Sequence[Network]:
    if not wanted.bridge and cloud.settings.network_manager != "vlan":
        wanted = dataclasses.replace(wanted, bridge=cloud.settings.flat_network_bridge)
    planned = plan(wanted, networks.find_all(tx))
    made = networks.create(tx, planned.networks)
    for network, kept in zip(made, planned.reserved, strict=True):
        addresses.reserve_plan(tx, network, kept)
    _tell(cloud, tx, context)
    return made


def delete(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str) -> None:
    """Remove a network; Conflict while it belongs to a project or servers have addresses in it."""
    cloud.policy.authorize(context, RULE + "delete")
    networks.delete_network(tx, networks.get(tx, uuid).id)
    _tell(cloud, tx, context)


def associate(
    cloud: Cloud,
    tx: Transaction,
    context: RequestContext,
    uuid: str,
    *,
    project_id: str | None = None,
    host: str | None = None,
) -> None:
    """Give a network to a project or host; an empty text takes it away, None leaves it."""
    cloud.policy.authorize(context, RULE + "associate")
    before = networks.get(tx, uuid)
    networks.associate(tx, before.id, project_id=project_id, host=host)
    if before.project_id and project_id is not None:
        quotas.release(tx, {QUOTA: 1}, project_id=before.project_id, user_id="")
    _tell(cloud, tx, context)


def _tell(cloud: Cloud, tx: Transaction, context: RequestContext) -> None:
    tell(tx, "networks changed", lambda: cloud.network.refresh(context))
