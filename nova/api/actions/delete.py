# SPDX-License-Identifier: Apache-2.0
"""Delete a server, at once or so that it can be restored; and restore it.

Its host does it; nova-conductor does where no host is known or the host's daemon is not alive.
"""

from __future__ import annotations

from nova.api.actions import host_orders, servers
from nova.api.actions.after_commit import tell
from nova.api.cloud import Cloud
from nova.api.policies.compute import PREFIX
from nova.context import RequestContext
from nova.db import quotas, services
from nova.db.engine import Transaction
from nova.domain.instance import Instance
from nova.domain.states import TaskState, VmState
from nova.domain.transitions import TRANSITIONS, Action
from nova.errors import NotFound

RULE = PREFIX + "servers:delete"
FORCE_RULE = PREFIX + "os-deferred-delete:force"
RESTORE_RULE = PREFIX + "os-deferred-delete:restore"


def delete(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str) -> None:
    """Let the server be deleted, whatever its state; asking again while it is being deleted does no harm.

    Where the cloud keeps deleted servers for a while, one that ever ran is only powered off and hidden.  One in the
    middle of a move between hosts is deleted at once even there.
    """
    if not cloud.settings.reclaim_instance_interval_s:
        _delete_now(cloud, tx, context, uuid, rule=RULE)
        return
    instance = servers.load(tx, context, uuid)
    if _is_deleted_softly(instance):
        servers.authorize(cloud, context, RULE, instance)
    elif _can_be_kept(instance):
        _, operation = host_orders.begin(cloud, tx, context, uuid, Action.SOFT_DELETE, rule=RULE)
        host_orders.send_order(cloud, tx, context, operation)
    else:
        _delete_now(cloud, tx, context, uuid, rule=RULE)


def force_delete(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str) -> None:
    """Delete the server for good, also one that is deleted softly."""
    _delete_now(cloud, tx, context, uuid, rule=FORCE_RULE)


def restore(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str) -> None:
    """Let a server that is deleted softly run again; QuotaExceeded when its project has no room for it any more."""
    instance, operation = host_orders.begin(cloud, tx, context, uuid, Action.RESTORE, rule=RESTORE_RULE)
    quotas.claim(
        tx,
        instance.flavor.amounts,
        project_id=instance.project_id,
        user_id=instance.user_id,
        defaults=cloud.settings.default_quotas,
    )
    host_orders.send_order(cloud, tx, context, operation)


def _is_deleted_softly(instance: Instance) -> bool:
    return instance.task_state is TaskState.SOFT_DELETING or (
        instance.vm_state is VmState.SOFT_DELETED and instance.task_state is None
    )


def _can_be_kept(instance: Instance) -> bool:
    row = TRANSITIONS[Action.SOFT_DELETE]
    ran_here = bool(instance.host) and instance.launched_at is not None
    return ran_here and row.permits(instance.vm_state, instance.task_state)


def _delete_now(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, *, rule: str) -> None:
    instance, operation = host_orders.begin(cloud, tx, context, uuid, Action.DELETE, rule=rule)
    if instance.host and instance.vm_state is not VmState.BUILDING and _alive(cloud, tx, instance.host):
        host_orders.send_order(cloud, tx, context, operation)
        return
    tell(tx, f"delete {uuid}", lambda: cloud.conductor.delete_instance(context, instance_uuid=uuid))


def _alive(cloud: Cloud, tx: Transaction, host: str) -> bool:
    try:
        daemon = services.get_by_host(tx, host, "nova-compute")
    except NotFound:
        return False
    return daemon.is_up(tx.now, down_time_s=cloud.silence_s())
