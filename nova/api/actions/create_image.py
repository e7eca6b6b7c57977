# SPDX-License-Identifier: Apache-2.0
"""Make an image of a server, or one of its backups.  Runs in nova-api.

The image is recorded first, in the caller's rights and outside of any transaction, so that he can see it fill; when the
server cannot be copied now it is deleted again.  Its host fills it, or deletes it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping

from nova.api.actions import host_orders, servers
from nova.api.cloud import Cloud
from nova.api.policies.compute import PREFIX
from nova.context import RequestContext
from nova.db import instances, quota_limits
from nova.db.engine import Transaction
from nova.domain.image import Image
from nova.domain.instance import Instance
from nova.domain.orders import SnapshotRequest
from nova.domain.quota import UNLIMITED
from nova.domain.transitions import Action
from nova.errors import InternalError, InvalidInput, NotFound, NovaError, QuotaExceeded
from nova.image.protocol import NewImage

RULE = PREFIX + "servers:create_image"
BACKUP_RULE = PREFIX + "os-create-backup"
INHERITED = "image_"
"""How the names of the base image's properties begin in a server's system metadata"""


def create_image(
    cloud: Cloud, context: RequestContext, uuid: str, *, name: str, metadata: Mapping[str, str] | None = None
) -> Image:
    """Let the host copy the server's root disk into a new image; the image, which has no bytes yet.

    Raises NotFound, Forbidden, InvalidState, QuotaExceeded, and InvalidInput where snapshots are switched off and for a
    server that boots from a volume.
    """
    if not cloud.settings.allow_instance_snapshots:
        raise InvalidInput("This cloud does not make images of servers.", field="createImage")
    instance = _copyable(cloud, context, uuid, Action.CREATE_IMAGE, rule=RULE)
    _check_metadata(cloud, context, metadata or {})
    properties = {**(metadata or {}), **_own_properties(cloud, context, instance, image_type="snapshot")}
    request = SnapshotRequest(image=_new_image(cloud, context, instance, name, properties))
    return _ordered(cloud, context, uuid, Action.CREATE_IMAGE, rule=RULE, request=request)


def check(cloud: Cloud, context: RequestContext, uuid: str) -> None:
    """Raise what :func:`create_image` would raise about the server, without changing anything."""
    _copyable(cloud, context, uuid, Action.CREATE_IMAGE, rule=RULE)


def create_backup(
    cloud: Cloud,
    context: RequestContext,
    uuid: str,
    *,
    name: str,
    backup_type: str,
    rotation: int,
    metadata: Mapping[str, str] | None = None,
) -> Image:
    """The same, after which the server keeps its newest *rotation* backups of that type."""
    instance = _copyable(cloud, context, uuid, Action.CREATE_BACKUP, rule=BACKUP_RULE)
    _check_metadata(cloud, context, metadata or {})
    own = {**_own_properties(cloud, context, instance, image_type="backup"), "backup_type": backup_type}
    image = _new_image(cloud, context, instance, name, {**(metadata or {}), **own})
    request = SnapshotRequest(image=image, backup_type=backup_type, rotation=rotation)
    return _ordered(cloud, context, uuid, Action.CREATE_BACKUP, rule=BACKUP_RULE, request=request)


def recorded_snapshot(cloud: Cloud, context: RequestContext, instance: Instance, *, name: str) -> Image:
    """A new image for the root disk of *instance*, without bytes; for operations that keep a server as an image."""
    properties = _own_properties(cloud, context, instance, image_type="snapshot")
    return _new_image(cloud, context, instance, name, properties)


@contextlib.contextmanager
def deleted_on_error(cloud: Cloud, context: RequestContext, image: Image | None) -> Iterator[None]:
    """Delete *image* when what is done with it raises."""
    try:
        yield
    except NovaError:
        if image is not None:
            with contextlib.suppress(NovaError):
                cloud.images.delete(context, image.id)
        raise


def _check_metadata(cloud: Cloud, context: RequestContext, metadata: Mapping[str, str]) -> None:
    """QuotaExceeded for more items than the project may give a server or an image."""
    defaults = cloud.settings.default_quotas
    limits = cloud.db.run(
        lambda tx: quota_limits.effective(tx, context.project_id, user_id=context.user_id, defaults=defaults),
        write=False,
    )
    limit = limits["metadata_items"]
    if limit != UNLIMITED and len(metadata) > limit:
        raise QuotaExceeded(
            f"Quota exceeded for metadata_items: {len(metadata)} are too many, the limit is {limit}.",
            resource="metadata_items",
            limit=limit,
            in_use=0,
            requested=len(metadata),
        )


def _copyable(cloud: Cloud, context: RequestContext, uuid: str, action: Action, *, rule: str) -> Instance:
    with cloud.db.transaction(write=False) as tx:
        instance = servers.load(tx, context, uuid)
        servers.authorize(cloud, context, rule, instance)
        instances.ensure_allowed(tx, uuid, action, ignore_lock=context.is_admin)
    if not instance.image_ref:
        raise InvalidInput(
            f"Server {uuid} boots from a volume: copy that volume instead.", field=action.value, server=uuid
        )
    return instance


def _new_image(
    cloud: Cloud, context: RequestContext, instance: Instance, name: str, properties: Mapping[str, str]
) -> Image:
    base = _base(cloud, context, instance)
    return cloud.images.create(
        context,
        NewImage(
            name=name,
            visibility="private",
            container_format="bare",
            min_disk_gb=instance.flavor.root_gb or (base.min_disk_gb if base else 0),
            min_ram_mb=base.min_ram_mb if base else 0,
            properties=dict(properties),
        ),
    )


def _base(cloud: Cloud, context: RequestContext, instance: Instance) -> Image | None:
    try:
        return cloud.images.get(context, instance.image_ref)
    except NotFound:
        return None


def _own_properties(cloud: Cloud, context: RequestContext, instance: Instance, *, image_type: str) -> dict[str, str]:
    """What the base image had, and where the new one comes from."""
    left_out = set(cloud.settings.non_inheritable_image_properties)
    inherited = {
        key.removeprefix(INHERITED): value
        for key, value in instance.system_metadata.items()
        if key.startswith(INHERITED) and key.removeprefix(INHERITED) not in left_out
    }
    boots_with = {"kernel_id": instance.kernel_id, "ramdisk_id": instance.ramdisk_id}
    return {
        **inherited,
        **{key: value for key, value in boots_with.items() if value},
        "image_type": image_type,
        "instance_uuid": instance.uuid,
        "base_image_ref": instance.image_ref,
        "user_id": context.user_id,
    }


def _ordered(
    cloud: Cloud, context: RequestContext, uuid: str, action: Action, *, rule: str, request: SnapshotRequest
) -> Image:
    image = request.image
    if image is None:
        raise InternalError(detail="a copy was ordered before its image was made")
    with deleted_on_error(cloud, context, image):
        cloud.db.run(_order(cloud, context, uuid, action, rule=rule, request=request))
    return image


def _order(
    cloud: Cloud, context: RequestContext, uuid: str, action: Action, *, rule: str, request: SnapshotRequest
) -> Callable[[Transaction], None]:
    def work(tx: Transaction) -> None:
        arguments = request.as_arguments()
        _, operation = host_orders.begin(cloud, tx, context, uuid, action, rule=rule, arguments=arguments)
        host_orders.send_order(cloud, tx, context, operation)

    return work
