# SPDX-License-Identifier: Apache-2.0
"""What administrators do to a server beside its owner: say what state it is in, mend its network on its host."""

from __future__ import annotations

from nova.api.actions import host_orders, servers
from nova.api.cloud import Cloud
from nova.api.policies.compute import PREFIX
from nova.context import RequestContext
from nova.db import instances, quotas
from nova.db.engine import Transaction
from nova.domain.states import VmState
from nova.domain.transitions import Action

RESET_STATE_RULE = PREFIX + "os-admin-actions:reset_state"
RESET_NETWORK_RULE = PREFIX + "os-admin-actions:reset_network"
INJECT_NETWORK_RULE = PREFIX + "os-admin-actions:inject_network_info"


def reset_state(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, *, state: VmState) -> None:
    """Say that the server is in *state* and that nothing is being done to it; its guest is left alone."""
    instance = servers.load(tx, context, uuid)
    servers.authorize(cloud, context, RESET_STATE_RULE, instance)
    if instance.vm_state is VmState.SOFT_DELETED and instance.task_state is None:
        quotas.claim(
            tx,
            instance.flavor.amounts,
            project_id=instance.project_id,
            user_id=instance.user_id,
            defaults=cloud.settings.default_quotas,
        )
    instances.reset_state(tx, instance.uuid, state)


def reset_network(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str) -> None:
    """Let the host make the server's filters anew and its cards lose their link for a moment."""
    _order(cloud, tx, context, uuid, Action.RESET_NETWORK, rule=RESET_NETWORK_RULE)


def inject_network_info(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str) -> None:
    """Let the host enforce on the server's cards what the database says now."""
    _order(cloud, tx, context, uuid, Action.INJECT_NETWORK_INFO, rule=INJECT_NETWORK_RULE)


def _order(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, action: Action, *, rule: str) -> None:
    _, operation = host_orders.begin(cloud, tx, context, uuid, action, rule=rule)
    host_orders.send_order(cloud, tx, context, operation)
