# SPDX-License-Identifier: Apache-2.0
"""Make a server anew on another host because its own is dead.  Runs in nova-api.

The image is looked up first, in the caller's rights; the rest is one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass

from nova.api.actions import boot_sources, moves, servers
from nova.api.actions.boot import new_password
from nova.api.actions.boot_sources import Sources
from nova.api.cloud import Cloud
from nova.api.policies.compute import PREFIX
from nova.context import RequestContext
from nova.db import services
from nova.db.engine import Transaction
from nova.domain.instance import Instance
from nova.domain.move import MoveKind
from nova.domain.orders import BuildRequest
from nova.domain.transitions import Action
from nova.errors import InvalidInput
from nova.secret import Secret

RULE = PREFIX + "os-evacuate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evacuation:
    """What was asked for."""

    host: str = ""
    """Empty lets the scheduler choose"""
    shared_storage: bool | None = None
    """Whether the hosts share the disks; None leaves it to the new host to find out"""
    admin_password: Secret | None = None
    unchecked: bool = False
    """Take the host without asking the scheduler"""


def evacuate(cloud: Cloud, context: RequestContext, uuid: str, wanted: Evacuation) -> Secret:
    """Let another host make the server; the administrator's password.

    Raises NotFound, Forbidden, InvalidState, and InvalidInput when the server's host is alive, or the wanted one is
    that same host, or not alive.
    """
    with cloud.db.transaction(write=False) as tx:
        instance = servers.load(tx, context, uuid)
        servers.authorize(cloud, context, RULE, instance)
        _check_hosts(cloud, tx, instance, wanted)
    sources = _sources(cloud, context, instance, wanted)
    request = BuildRequest(image=sources.image, kernel=sources.kernel, ramdisk=sources.ramdisk, force_host=wanted.host)
    cloud.db.run(lambda tx: _record(cloud, tx, context, uuid, wanted, request))
    return wanted.admin_password or new_password(cloud.settings.password_length)


def _record(
    cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, wanted: Evacuation, request: BuildRequest
) -> None:
    instance = servers.load(tx, context, uuid)
    _check_hosts(cloud, tx, instance, wanted)
    moves.request_move(
        cloud,
        tx,
        context,
        instance,
        Action.EVACUATE,
        kind=MoveKind.EVACUATION,
        arguments={**request.as_arguments(), "unchecked": wanted.unchecked and bool(wanted.host)},
        shared_storage=wanted.shared_storage,
    )


def _check_hosts(cloud: Cloud, tx: Transaction, instance: Instance, wanted: Evacuation) -> None:
    if wanted.host:
        services.get_by_host(tx, wanted.host, moves.COMPUTE)
        if wanted.host == instance.host:
            raise InvalidInput("The target host can't be the same one.", field="host")
        if not moves.is_up(cloud, tx, wanted.host):
            raise InvalidInput(f"Compute service of {wanted.host} is unavailable at this time.", field="host")
    if instance.host and moves.is_up(cloud, tx, instance.host):
        raise InvalidInput(f"Compute service of {instance.host} is still in use.", field="host")


def _sources(cloud: Cloud, context: RequestContext, instance: Instance, wanted: Evacuation) -> Sources:
    """The images to make the disks from again; a server whose image is gone can only go on with shared disks."""
    if not instance.image_ref or wanted.shared_storage:
        return Sources()
    return boot_sources.parts_of(
        cloud,
        context,
        instance.image_ref,
        kernel_id=instance.kernel_id,
        ramdisk_id=instance.ramdisk_id,
        field="onSharedStorage",
    )
