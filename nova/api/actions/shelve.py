# SPDX-License-Identifier: Apache-2.0
"""Shelve a server: keep it as an image, off, and give its room to others; take it from its host; bring it back.

Runs in nova-api.  Images are made and looked up first, in the caller's rights; the rest is one transaction.
"""

from __future__ import annotations

from nova.api.actions import boot_sources, host_orders, servers
from nova.api.actions.after_commit import tell
from nova.api.actions.boot_sources import Sources
from nova.api.actions.create_image import deleted_on_error, recorded_snapshot
from nova.api.cloud import Cloud
from nova.api.policies.compute import PREFIX
from nova.context import RequestContext
from nova.db import instances
from nova.db.engine import Transaction
from nova.domain.image import Image
from nova.domain.instance import Instance
from nova.domain.orders import BuildRequest, SnapshotRequest
from nova.domain.shelving import shelved_image_of
from nova.domain.states import VmState
from nova.domain.transitions import Action
from nova.errors import InvalidInput, InvalidState

SHELVE_RULE = PREFIX + "os-shelve:shelve"
OFFLOAD_RULE = PREFIX + "os-shelve:shelve_offload"
UNSHELVE_RULE = PREFIX + "os-shelve:unshelve"
NAME = "{name}-shelved"
LONGEST_NAME = 255


def shelve(cloud: Cloud, context: RequestContext, uuid: str) -> None:
    """Let the host power the server off and fill an image with its disk.

    Raises NotFound, Forbidden, InvalidState, and whatever the image service has against one more image.
    """
    instance = _allowed(cloud, context, uuid, Action.SHELVE, rule=SHELVE_RULE)
    image = _image(cloud, context, instance) if instance.image_ref else None
    with deleted_on_error(cloud, context, image):
        cloud.db.run(lambda tx: _order_shelve(cloud, tx, context, uuid, image))


def shelve_offload(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str) -> None:
    """Let the host of a shelved server remove what it has of it."""
    _, operation = host_orders.begin(cloud, tx, context, uuid, Action.SHELVE_OFFLOAD, rule=OFFLOAD_RULE)
    host_orders.send_order(cloud, tx, context, operation)


def unshelve(cloud: Cloud, context: RequestContext, uuid: str) -> None:
    """Have the server started again: on its host if it is still there, else on any that has room."""
    instance = _allowed(cloud, context, uuid, Action.UNSHELVE, rule=UNSHELVE_RULE)
    offloaded = instance.vm_state is VmState.SHELVED_OFFLOADED
    sources = _kept_as(cloud, context, instance) if offloaded else Sources()
    cloud.db.run(lambda tx: _order_unshelve(cloud, tx, context, instance, sources))


def _allowed(cloud: Cloud, context: RequestContext, uuid: str, action: Action, *, rule: str) -> Instance:
    with cloud.db.transaction(write=False) as tx:
        instance = servers.load(tx, context, uuid)
        servers.authorize(cloud, context, rule, instance)
        instances.ensure_allowed(tx, uuid, action, ignore_lock=context.is_admin)
    return instance


def _image(cloud: Cloud, context: RequestContext, instance: Instance) -> Image:
    name = NAME.format(name=instance.display_name)[-LONGEST_NAME:]
    return recorded_snapshot(cloud, context, instance, name=name)


def _order_shelve(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, image: Image | None) -> None:
    arguments = SnapshotRequest(image=image).as_arguments()
    _, operation = host_orders.begin(cloud, tx, context, uuid, Action.SHELVE, rule=SHELVE_RULE, arguments=arguments)
    host_orders.send_order(cloud, tx, context, operation)


def _kept_as(cloud: Cloud, context: RequestContext, instance: Instance) -> Sources:
    """The image that the server is kept as, with its kernel and ramdisk; none for one that boots from a volume."""
    image_id = shelved_image_of(instance)
    if not image_id:
        return Sources()
    try:
        return boot_sources.parts_of(cloud, context, image_id, field="image")
    except InvalidInput as error:
        raise InvalidState(
            f"Server {instance.uuid} cannot be unshelved: the image {image_id} that it is kept as is not there.",
            resource="server",
            id=instance.uuid,
        ) from error


def _order_unshelve(cloud: Cloud, tx: Transaction, context: RequestContext, before: Instance, sources: Sources) -> None:
    uuid, offloaded = before.uuid, before.vm_state is VmState.SHELVED_OFFLOADED
    build = BuildRequest(image=sources.image, kernel=sources.kernel, ramdisk=sources.ramdisk)
    now, operation = host_orders.begin(
        cloud,
        tx,
        context,
        uuid,
        Action.UNSHELVE,
        rule=UNSHELVE_RULE,
        arguments=build.as_arguments(),
        host="" if offloaded else None,
    )
    if now.vm_state is not before.vm_state:
        raise InvalidState(f"Another request is changing instance {uuid} just now", resource="server", id=uuid)
    if offloaded:
        tell(tx, f"unshelve {uuid}", lambda: cloud.conductor.unshelve_instance(context, instance_uuid=uuid))
    else:
        host_orders.send_order(cloud, tx, context, operation)
