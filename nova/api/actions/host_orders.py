# SPDX-License-Identifier: Apache-2.0
"""The part that all operations on an existing server share: permission, guarded transition, journal, order to its host.

Runs in nova-api, inside the request's transaction; the order goes out after the commit.  When the host's queue cannot
be reached, the operation stays ``requested`` and nova-conductor's recovery sends it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nova.api.actions import servers
from nova.api.actions.after_commit import tell
from nova.api.cloud import Cloud
from nova.context import RequestContext
from nova.db import instances, operations, orders
from nova.db.engine import Transaction
from nova.domain.instance import Instance, Operation
from nova.domain.transitions import Action
from nova.interfaces.compute import give_order
from nova.secret import Secret


def begin(
    cloud: Cloud,
    tx: Transaction,
    context: RequestContext,
    uuid: str,
    action: Action,
    *,
    rule: str,
    arguments: Mapping[str, Any] | None = None,
    host: str | None = None,
    phase: str = "",
) -> tuple[Instance, Operation]:
    """Let *action* begin on a server, and record that it was asked for, with *arguments* (no credentials).

    Raises NotFound, Forbidden, and InvalidState (wrong state, locked).  The instance is as it was before.

    :param host: whose the operation is, empty for one that nova-conductor takes up first; None is the server's host
    :param phase: the leg of the operation there, where it spans hosts
    """
    instance = servers.load(tx, context, uuid)
    servers.authorize(cloud, context, rule, instance)
    instances.begin(tx, uuid, action, project_id=instance.project_id, ignore_lock=context.is_admin)
    given_to = instance.host if host is None else host
    (operation,) = operations.open(
        tx,
        action,
        instance_uuids=[uuid],
        context=context,
        arguments=arguments,
        host=given_to,
        phase=phase,
    )
    return instance, operation


def send_order(
    cloud: Cloud,
    tx: Transaction,
    context: RequestContext,
    operation: Operation,
    *,
    admin_password: Secret | None = None,
) -> None:
    """Give the order for *operation* to the host that is to do it, after the commit."""
    instance = instances.get(tx, operation.instance_uuid)
    order = orders.order_for(tx, operation, instance, admin_password=admin_password)
    tell(
        tx,
        f"{operation.action} {instance.uuid}",
        lambda: give_order(cloud.compute.on(operation.host or instance.host), context, order),
    )
