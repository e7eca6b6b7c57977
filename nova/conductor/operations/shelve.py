# SPDX-License-Identifier: Apache-2.0
"""What follows when a server was shelved, was taken from its host, or was brought back.  Runs in nova-conductor.

The addresses, the volumes and the quota of a shelved server stay its own; the room on its host does as long as it is
there.  When it is back, the image that it was kept as is deleted.
"""

from __future__ import annotations

import datetime
import logging

from nova.conductor.cloud import Cloud, afterwards, later
from nova.conductor.filters import refresh_neighbours
from nova.conductor.operations.unfinished_images import delete_image
from nova.context import RequestContext, admin_context
from nova.db import compute_nodes, instances, operations
from nova.db.orders import order_for
from nova.db.transaction import Transaction
from nova.domain.instance import Instance, Operation
from nova.domain.orders import OperationReport, SnapshotRequest
from nova.domain.shelving import shelved_image_of
from nova.domain.states import VmState
from nova.domain.transitions import Action
from nova.errors import InvalidState, NotFound
from nova.interfaces.compute import give_order

LOG = logging.getLogger(__name__)


def after_shelve(cloud: Cloud, tx: Transaction, operation: Operation) -> None:
    """Remember the image; take the server from its host now, where it is not to stay or nothing of it is there."""
    image = SnapshotRequest.of(operation).image
    instances.note_shelved(tx, operation.instance_uuid, image_id=image.id if image else "")
    if image is None or cloud.settings.shelved_offload_s == 0:
        _offload(cloud, tx, operation.instance_uuid)


def after_offload(cloud: Cloud, tx: Transaction, context: RequestContext, report: OperationReport) -> None:
    """The server is on no host and holds no room."""
    if instances.leave_host(tx, report.instance_uuid, host=report.host):
        compute_nodes.release(tx, report.instance_uuid)
        refresh_neighbours(cloud, tx, context, instance_uuid=report.instance_uuid)


def after_unshelve(cloud: Cloud, tx: Transaction, context: RequestContext, operation: Operation) -> None:
    """Nobody needs the image any more."""
    instance = instances.get(tx, operation.instance_uuid)
    delete_shelved_image(cloud, tx, context, instance)
    instances.forget_shelved(tx, instance.uuid)


def give_host_back(tx: Transaction, uuid: str, *, host: str) -> None:
    """An unshelve failed: a server that was on no host before is on none."""
    instance = instances.get(tx, uuid)
    if instance.vm_state is VmState.SHELVED_OFFLOADED and instances.leave_host(tx, uuid, host=host):
        compute_nodes.release(tx, uuid)


def delete_shelved_image(cloud: Cloud, tx: Transaction, context: RequestContext, instance: Instance) -> None:
    """After the commit, delete the image that *instance* is kept as, if it is."""
    image_id = shelved_image_of(instance)
    if image_id:
        owner = (instance.user_id, instance.project_id)
        later(
            cloud,
            tx,
            f"delete the image {image_id}",
            lambda: delete_image(cloud, context, image_id, user_id=owner[0], project_id=owner[1]),
        )


def offload_shelved(cloud: Cloud) -> None:
    """Take the servers from their hosts whose time there is over."""
    stay_s = cloud.settings.shelved_offload_s
    if stay_s < 0:
        return

    def due(tx: Transaction) -> list[str]:
        return instances.shelved_since(tx, tx.now - datetime.timedelta(seconds=stay_s))

    for uuid in cloud.db.run(due, write=False):
        cloud.db.run(lambda tx, uuid=uuid: _offload(cloud, tx, uuid))  # type: ignore[misc]


def _offload(cloud: Cloud, tx: Transaction, uuid: str) -> None:
    context = admin_context("a shelved server leaves its host")
    try:
        instances.begin(tx, uuid, Action.SHELVE_OFFLOAD, ignore_lock=True)
        instance = instances.get(tx, uuid)
    except (InvalidState, NotFound):
        return
    (operation,) = operations.open(
        tx, Action.SHELVE_OFFLOAD, instance_uuids=[uuid], context=context, host=instance.host
    )
    order = order_for(tx, operation, instance)
    afterwards(tx, f"offload {uuid}", lambda: give_order(cloud.compute.on(instance.host), context, order))
