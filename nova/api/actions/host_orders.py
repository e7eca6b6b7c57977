# SPDX-License-Identifier: Apache-2.0
"""The part that all operations on an existing server share: permission, guarded transition, journal, order to its host.

Runs in nova-api, inside the request's transaction; the order goes out after the commit.  When the host's queue cannot
be reached, the operation stays ``requested`` and nova-conductor's recovery sends it again.
"""

from __future__ import annotations

from collections.abc import Callable

from nova.api.actions import servers
from nova.api.actions.after_commit import tell
from nova.api.cloud import Cloud
from nova.context import RequestContext
from nova.db import instances, operations, orders
from nova.db.engine import Transaction
from nova.domain.instance import Instance, Operation
from nova.domain.transitions import Action

Cast = Callable[..., None]
"""A method of Compute that takes an order: ``Compute.reboot``"""


def begin(
    cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, action: Action, *, rule: str
) -> tuple[Instance, Operation]:
    """Let *action* begin on a server, and record that it was asked for.

    Raises NotFound, Forbidden, and InvalidState (wrong state, locked).  The instance is as it was before.
    """
    instance = servers.load(tx, context, uuid)
    servers.authorize(cloud, context, rule, instance)
    instances.begin(tx, uuid, action, project_id=instance.project_id, ignore_lock=context.is_admin)
    (operation,) = operations.open(tx, action, instance_uuids=[uuid], context=context, host=instance.host)
    return instance, operation


def send_order(
    cloud: Cloud, tx: Transaction, context: RequestContext, instance: Instance, operation: Operation, method: Cast
) -> None:
    """Give the order for *operation* to the server's host, after the commit."""
    current = instances.get(tx, instance.uuid)
    order = orders.instance_order(tx, current, operation_id=operation.id, action=operation.action)

    def send() -> None:
        getattr(cloud.compute.on(instance.host), method.__name__)(context, order=order)

    tell(tx, f"{operation.action} {instance.uuid}", send)
