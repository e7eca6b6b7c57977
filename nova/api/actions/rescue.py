# SPDX-License-Identifier: Apache-2.0
"""Rescue a server that does not boot: start it from another image with its own root disk beside; and end that.

Runs in nova-api.  The image is looked up first, in the caller's rights; the rest is one transaction.
"""

from __future__ import annotations

from nova.api.actions import boot_sources, host_orders, servers
from nova.api.actions.boot import new_password
from nova.api.actions.boot_sources import Sources
from nova.api.cloud import Cloud
from nova.api.policies.compute import PREFIX
from nova.context import RequestContext
from nova.db.engine import Transaction
from nova.domain.instance import Instance
from nova.domain.orders import BuildRequest
from nova.domain.transitions import Action
from nova.errors import InvalidInput
from nova.secret import Secret

RESCUE_RULE = PREFIX + "os-rescue"
UNRESCUE_RULE = PREFIX + "os-unrescue"
FIELD = "rescue_image_ref"


def rescue(
    cloud: Cloud, context: RequestContext, uuid: str, *, image_id: str = "", admin_password: Secret | None = None
) -> Secret:
    """Let the host rescue the server from *image_id*, else from the cloud's rescue image or its own; the password.

    Raises NotFound, Forbidden, InvalidState, and InvalidInput for a server that boots from a volume and for an image
    that is not there, not the caller's, or too large.
    """
    with cloud.db.transaction(write=False) as tx:
        instance = servers.load(tx, context, uuid)
    servers.authorize(cloud, context, RESCUE_RULE, instance)
    sources = _sources(cloud, context, instance, image_id)
    password = admin_password or new_password(cloud.settings.password_length)
    request = BuildRequest(image=sources.image, kernel=sources.kernel, ramdisk=sources.ramdisk)
    cloud.db.run(lambda tx: _order(cloud, tx, context, uuid, request=request, password=password))
    return password


def unrescue(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str) -> None:
    """Let the host boot the server from its own disks again."""
    _, operation = host_orders.begin(cloud, tx, context, uuid, Action.UNRESCUE, rule=UNRESCUE_RULE)
    host_orders.send_order(cloud, tx, context, operation)


def _sources(cloud: Cloud, context: RequestContext, instance: Instance, image_id: str) -> Sources:
    if not instance.image_ref:
        raise InvalidInput(f"Server {instance.uuid} boots from a volume; such a server cannot be rescued.")
    image_id, kernel_id, ramdisk_id = (image_id, "", "") if image_id else _default(cloud, instance)
    sources = boot_sources.parts_of(cloud, context, image_id, kernel_id=kernel_id, ramdisk_id=ramdisk_id, field=FIELD)
    if sources.image is not None:
        boot_sources.check_fits(sources.image, instance.flavor, field=FIELD)
    return sources


def _default(cloud: Cloud, instance: Instance) -> tuple[str, str, str]:
    """Image, kernel and ramdisk where the user names none."""
    settings = cloud.settings
    if settings.rescue_image_id:
        return settings.rescue_image_id, settings.rescue_kernel_id, settings.rescue_ramdisk_id
    return instance.image_ref, instance.kernel_id, instance.ramdisk_id


def _order(
    cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, *, request: BuildRequest, password: Secret
) -> None:
    arguments = request.as_arguments()
    _, operation = host_orders.begin(cloud, tx, context, uuid, Action.RESCUE, rule=RESCUE_RULE, arguments=arguments)
    host_orders.send_order(cloud, tx, context, operation, admin_password=password)
