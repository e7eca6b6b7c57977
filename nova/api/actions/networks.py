# SPDX-License-Identifier: Apache-2.0
"""Make, give away and delete networks.  nova-network is told after the commit, and builds or removes bridges itself."""

from __future__ import annotations

from collections.abc import Sequence

from nova.api.actions.after_commit import tell
from nova.api.cloud import Cloud
from nova.api.policies.compute import PREFIX
from nova.context import RequestContext
from nova.db import addresses, networks
from nova.db.engine import Transaction
from nova.domain.network import Network
from nova.domain.network_plan import CreateNetwork, plan

RULE = PREFIX + "os-networks:"


def create(cloud: Cloud, tx: Transaction, context: RequestContext, wanted: CreateNetwork) -> Sequence[Network]:
    """Plan the networks beside those that exist, and record them; InvalidInput, Conflict for a range in use."""
    cloud.policy.authorize(context, RULE + "create")
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
    networks.associate(tx, networks.get(tx, uuid).id, project_id=project_id, host=host)
    _tell(cloud, tx, context)


def _tell(cloud: Cloud, tx: Transaction, context: RequestContext) -> None:
    tell(tx, "networks changed", lambda: cloud.network.refresh(context))
