# SPDX-License-Identifier: Apache-2.0
"""Delete a server.  Its host does it; nova-conductor does where no host is known or the host's daemon is not alive."""

from __future__ import annotations

from nova.api.actions import host_orders
from nova.api.actions.after_commit import tell
from nova.api.cloud import Cloud
from nova.api.policies.compute import PREFIX
from nova.context import RequestContext
from nova.db import services
from nova.db.engine import Transaction
from nova.domain.states import VmState
from nova.domain.transitions import Action
from nova.errors import NotFound

RULE = PREFIX + "servers:delete"


def delete(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str) -> None:
    """Let the server be deleted, whatever its state; asking again while it is being deleted does no harm."""
    instance, operation = host_orders.begin(cloud, tx, context, uuid, Action.DELETE, rule=RULE)
    if instance.host and instance.vm_state is not VmState.BUILDING and _alive(cloud, tx, instance.host):
        host_orders.send_order(cloud, tx, context, operation)
        return
    tell(tx, f"delete {uuid}", lambda: cloud.conductor.delete_instance(context, instance_uuid=uuid))


def _alive(cloud: Cloud, tx: Transaction, host: str) -> bool:
    try:
        daemon = services.get_by_host(tx, host, "nova-compute")
    except NotFound:
        return False
    return daemon.is_up(tx.now, down_time_s=cloud.settings.service_down_time_s)
