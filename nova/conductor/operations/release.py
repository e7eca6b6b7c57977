# SPDX-License-Identifier: Apache-2.0
"""Giving back what an instance held: its row, quota, room on its host, volumes, groups, addresses.

Runs in nova-conductor.  All that the database holds goes in one transaction.  Addresses are released by nova-network
after it; where nova-network is away, recovery asks again until they are.
"""

from __future__ import annotations

from collections.abc import Callable

from nova.conductor.cloud import Cloud, afterwards, later
from nova.conductor.filters import refresh_neighbours
from nova.conductor.operations.legs import end_with_server
from nova.conductor.operations.shelve import delete_shelved_image
from nova.conductor.operations.unfinished_images import delete_unfinished_image
from nova.context import RequestContext
from nova.db import block_devices, compute_nodes, instances, operations, quotas, security_groups, volumes
from nova.db.transaction import Transaction
from nova.domain.instance import Instance
from nova.domain.states import VmState
from nova.domain.transitions import Action
from nova.domain.volume import Volume


def bury(cloud: Cloud, tx: Transaction, context: RequestContext, instance: Instance) -> bool:
    """Mark *instance* deleted and give back all that it held; False when that was done before."""
    if not instances.destroy(tx, instance.uuid):
        return False
    end_with_server(cloud, tx, context, instance)
    if _counts(tx, instance):
        release_quota(tx, instance)
    compute_nodes.release(tx, instance.uuid)
    _release_volumes(cloud, tx, context, instance.uuid)
    block_devices.remove_all(tx, instance.uuid)
    refresh_neighbours(cloud, tx, context, instance_uuid=instance.uuid)
    security_groups.remove_member(tx, instance.uuid)
    _close_operations(cloud, tx, context, instance.uuid)
    delete_shelved_image(cloud, tx, context, instance)
    release_addresses(cloud, tx, context, instance_uuid=instance.uuid)
    return True


def release_quota(tx: Transaction, instance: Instance) -> None:
    """Give back what *instance* takes of the limits of its project and user."""
    quotas.release(tx, instance.flavor.amounts, project_id=instance.project_id, user_id=instance.user_id)


def _counts(tx: Transaction, instance: Instance) -> bool:
    """Whether *instance* is counted: one that is deleted softly is not, unless its restoration has begun."""
    if instance.vm_state is not VmState.SOFT_DELETED:
        return True
    return any(operation.action == Action.RESTORE for operation in operations.unfinished_of(tx, instance.uuid))


def release_addresses(cloud: Cloud, tx: Transaction, context: RequestContext, *, instance_uuid: str) -> None:
    """After the commit, have nova-network take the instance's cards and addresses back."""
    later(
        cloud,
        tx,
        f"release the addresses of {instance_uuid}",
        lambda: cloud.network.release(context, instance_uuid=instance_uuid),
    )


def _release_volumes(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str) -> None:
    """Make the instance's volumes available to others, and have those removed that were to go with it."""
    doomed = {device.volume_id for device in block_devices.for_instance(tx, uuid) if device.delete_on_termination}
    for volume in volumes.release_all(tx, uuid):
        if volume.id in doomed:
            volumes.begin_delete(tx, volume.id, project_id=None)
            afterwards(tx, f"delete volume {volume.id}", _deletion(cloud, context, volume))


def _deletion(cloud: Cloud, context: RequestContext, volume: Volume) -> Callable[[], None]:
    return lambda: cloud.volume.on(volume.host).delete(context, volume_id=volume.id)


def _close_operations(cloud: Cloud, tx: Transaction, context: RequestContext, instance_uuid: str) -> None:
    for operation in operations.unfinished_of(tx, instance_uuid):
        deleted = operation.action == Action.DELETE
        message = "" if deleted else "The server was deleted."
        operations.finish(tx, operation.id, ok=deleted, message=message)
        delete_unfinished_image(cloud, tx, context, operation)
