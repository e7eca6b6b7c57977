# SPDX-License-Identifier: Apache-2.0
"""Rebuild a server from an image, with the addresses, volumes and id that it has.

Runs in nova-api.  The images are looked up first, in the caller's rights; the rest is one transaction.  The new image
is shown at once; a rebuild that fails brings the old one back.  Where the image changes, nova-conductor asks the
scheduler whether the server may stay on its host; with the same image the order goes straight there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from nova.api.actions import boot_quota, boot_sources, host_orders, servers
from nova.api.actions.after_commit import tell
from nova.api.actions.boot import disk_config, new_password
from nova.api.actions.boot_request import BootRequest
from nova.api.actions.boot_sources import Sources
from nova.api.cloud import Cloud
from nova.api.policies.compute import PREFIX
from nova.context import RequestContext
from nova.db import instances, quotas
from nova.db.engine import Transaction
from nova.db.instances import InstanceChanges
from nova.domain import guest_hardware
from nova.domain.image import Image
from nova.domain.instance import InjectedFile, Instance
from nova.domain.made_from import MadeFrom
from nova.domain.orders import BuildRequest
from nova.domain.transitions import Action
from nova.errors import InvalidInput
from nova.secret import Secret

RULE = PREFIX + "servers:rebuild"


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildRequest:
    """Checked for its form only."""

    image_id: str
    changes: InstanceChanges = field(default_factory=InstanceChanges)
    """Name and the like"""
    metadata: dict[str, str] | None = None
    """Instead of what there is; None leaves it"""
    files: tuple[InjectedFile, ...] = ()
    admin_password: Secret | None = None
    """None: a random one"""
    auto_disk_config: bool | None = None
    keep_ephemeral: bool = False


def rebuild(cloud: Cloud, context: RequestContext, uuid: str, request: RebuildRequest) -> tuple[Instance, Secret]:
    """The server as it is recorded now, and its administrator's new password.

    Raises NotFound, Forbidden, InvalidState, QuotaExceeded, and InvalidInput for a server that boots from a volume and
    for an image that is not there, not the caller's, or too large.
    """
    with cloud.db.transaction(write=False) as tx:
        instance = servers.load(tx, context, uuid)
        servers.authorize(cloud, context, RULE, instance)
        instances.ensure_allowed(tx, uuid, Action.REBUILD, ignore_lock=context.is_admin)
    if not instance.image_ref:
        raise InvalidInput(f"Server {uuid} boots from a volume; such a server cannot be rebuilt.", field="imageRef")
    sources, image = _sources(cloud, context, instance, request)
    password = request.admin_password or new_password(cloud.settings.password_length)
    found = cloud.db.run(lambda tx: _record(cloud, tx, context, uuid, request, sources, image, password))
    return found, password


def _sources(
    cloud: Cloud, context: RequestContext, instance: Instance, request: RebuildRequest
) -> tuple[Sources, Image]:
    sources = boot_sources.parts_of(cloud, context, request.image_id, field="imageRef")
    image = sources.image
    if image is None:
        raise InvalidInput("A rebuild needs an image.", field="imageRef")
    boot_sources.check_fits(image, instance.flavor, field="imageRef")
    guest_hardware.choose(instance.flavor, image.properties)
    return sources, image


def _record(
    cloud: Cloud,
    tx: Transaction,
    context: RequestContext,
    uuid: str,
    request: RebuildRequest,
    sources: Sources,
    image: Image,
    password: Secret,
) -> Instance:
    before = servers.load(tx, context, uuid)
    _check_amounts(cloud, tx, before, request)
    made_from = MadeFrom.images(image, kernel=sources.kernel, ramdisk=sources.ramdisk)
    is_same = made_from.image_ref == before.image_ref
    build = BuildRequest(
        image=image,
        kernel=sources.kernel,
        ramdisk=sources.ramdisk,
        injected_files=request.files,
        before=MadeFrom.of(before),
        keep_ephemeral=request.keep_ephemeral,
    )
    _, operation = host_orders.begin(
        cloud,
        tx,
        context,
        uuid,
        Action.REBUILD,
        rule=RULE,
        arguments=build.as_arguments(),
        host=before.host if is_same else "",
    )
    instances.set_made_from(tx, uuid, made_from)
    _change(tx, uuid, request, sources)
    if is_same:
        host_orders.send_order(cloud, tx, context, operation, admin_password=password)
    else:
        tell(
            tx,
            f"rebuild {uuid}",
            lambda: cloud.conductor.rebuild_instance(context, instance_uuid=uuid, admin_password=password),
        )
    return instances.get(tx, uuid)


def _change(tx: Transaction, uuid: str, request: RebuildRequest, sources: Sources) -> None:
    changes: InstanceChanges = {
        **request.changes,
        "auto_disk_config": disk_config(request.auto_disk_config, sources.image),
    }
    instances.update(tx, uuid, changes)
    if request.metadata is not None:
        instances.replace_metadata(tx, uuid, request.metadata, limit=-1)


def _check_amounts(cloud: Cloud, tx: Transaction, instance: Instance, request: RebuildRequest) -> None:
    usages = quotas.usages(tx, instance.project_id, user_id=instance.user_id, defaults=cloud.settings.default_quotas)
    brought = BootRequest(name="", flavor_id="", metadata=request.metadata or {}, files=request.files)
    boot_quota.check_amounts(brought, usages)
