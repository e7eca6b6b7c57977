# SPDX-License-Identifier: Apache-2.0
"""Delete an instance whose host is not known, or not alive, or just about to build it.  Runs in nova-conductor.

With a live host the order goes there, and its report ends the operation.  Without one, all that the cloud holds for the
instance is released at once; a host that comes back finds it deleted and removes what is left of it.
"""

from __future__ import annotations

import logging

from nova.conductor.cloud import Cloud, afterwards
from nova.conductor.operations.hosts import is_alive
from nova.conductor.operations.release import bury
from nova.context import RequestContext
from nova.db import instances, operations
from nova.db.orders import order_for
from nova.db.transaction import Transaction
from nova.domain.instance import Instance, Operation
from nova.domain.transitions import Action
from nova.errors import NotFound
from nova.interfaces.compute import give_order

LOG = logging.getLogger(__name__)


def delete_instance(cloud: Cloud, context: RequestContext, *, instance_uuid: str) -> None:
    """Carry out the delete that was asked for; nothing happens when there is none, or it is done."""
    cloud.pause_before_step("delete_instance")
    cloud.db.run(lambda tx: _delete(cloud, tx, context, instance_uuid))


def _delete(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str) -> None:
    try:
        instance = instances.get(tx, uuid)
    except NotFound:
        return
    asked = [each for each in operations.unfinished_of(tx, uuid) if each.action == Action.DELETE]
    if not asked:
        return
    if instance.host and is_alive(tx, instance.host, down_time_s=cloud.silence_s()):
        _order(cloud, tx, context, instance, operation=asked[0])
        return
    LOG.info("Server %s is deleted without its host (%s).", uuid, instance.host or "it has none")
    bury(cloud, tx, context, instance)


def _order(cloud: Cloud, tx: Transaction, context: RequestContext, instance: Instance, *, operation: Operation) -> None:
    operations.hand_to(tx, operation.id, host=instance.host)
    order = order_for(tx, operation, instance)
    afterwards(tx, f"delete {instance.uuid}", lambda: give_order(cloud.compute.on(instance.host), context, order))
