# SPDX-License-Identifier: Apache-2.0
"""Resize a server, migrate it as it is, and the owner's word on that.  Runs in nova-api, in the request's transaction.

The quota takes what the larger of both flavors takes, until the owner has decided.
"""

from __future__ import annotations

from nova.api.actions import moves, servers
from nova.api.cloud import Cloud
from nova.api.policies.compute import PREFIX
from nova.context import RequestContext
from nova.db import flavors, quotas
from nova.db.engine import Transaction
from nova.domain.flavor import Flavor
from nova.domain.instance import Instance
from nova.domain.move import MoveKind, more_than, shrinks_disk
from nova.domain.transitions import Action
from nova.errors import InvalidInput, InvalidState, NotFound

RESIZE_RULE = PREFIX + "servers:resize"
CONFIRM_RULE = PREFIX + "servers:confirm_resize"
REVERT_RULE = PREFIX + "servers:revert_resize"
MIGRATE_RULE = PREFIX + "os-migrate-server:migrate"


def resize(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, *, flavor_id: str) -> None:
    """Let the server have another flavor.

    Raises NotFound, Forbidden, InvalidState, QuotaExceeded, and InvalidInput for a flavor that is the same, not there,
    disabled, or has a smaller disk.
    """
    instance = servers.load(tx, context, uuid)
    servers.authorize(cloud, context, RESIZE_RULE, instance)
    flavor = _flavor(tx, context, instance, flavor_id)
    quotas.claim(
        tx,
        more_than(flavor, instance.flavor),
        project_id=instance.project_id,
        user_id=instance.user_id,
        defaults=cloud.settings.default_quotas,
    )
    moves.request_move(
        cloud,
        tx,
        context,
        instance,
        Action.RESIZE,
        kind=MoveKind.RESIZE,
        flavor=flavor,
        arguments={"same_host": True} if cloud.settings.allow_resize_to_same_host else {},
    )


def migrate(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str) -> None:
    """Let the server go to another host, off while it does."""
    instance = servers.load(tx, context, uuid)
    servers.authorize(cloud, context, MIGRATE_RULE, instance)
    moves.request_move(cloud, tx, context, instance, Action.MIGRATE, kind=MoveKind.MIGRATION)


def confirm(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str) -> None:
    """Let what is kept for a way back go."""
    moves.decide(cloud, tx, context, uuid, Action.CONFIRM_RESIZE, rule=CONFIRM_RULE)


def revert(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str) -> None:
    """Let the server be what it was, where it was.

    Raises InvalidState also while its host does not answer: the server might run there.
    """
    move, _ = moves.decide(cloud, tx, context, uuid, Action.REVERT_RESIZE, rule=REVERT_RULE)
    for host in (move.dest_host, move.source_host):
        if not moves.is_up(cloud, tx, host):
            raise InvalidState(f"Cannot 'revertResize' instance {uuid} while host {host} does not answer.")


def _flavor(tx: Transaction, context: RequestContext, instance: Instance, flavor_id: str) -> Flavor:
    try:
        flavor = flavors.get_by_flavor_id(tx, flavor_id, project_id=servers.scope_of(context))
    except NotFound as error:
        raise InvalidInput(f"Flavor {flavor_id[:64]} could not be found.", field="flavorRef") from error
    if flavor.disabled:
        raise InvalidInput(f"Flavor {flavor.flavor_id} is disabled.", field="flavorRef")
    if flavor.flavor_id == instance.flavor.flavor_id:
        raise InvalidInput("When resizing, instances must change flavor!", field="flavorRef")
    if instance.image_ref and shrinks_disk(instance.flavor, flavor):
        raise InvalidInput("The flavor's disk is smaller than the server's; disks only grow.", field="flavorRef")
    needed_mb = instance.system_metadata.get("image_min_ram", "")
    if needed_mb.isdecimal() and flavor.memory_mb < int(needed_mb):
        raise InvalidInput(
            f"The flavor's memory is too small for the image, which needs {needed_mb} MB.", field="flavorRef"
        )
    return flavor
