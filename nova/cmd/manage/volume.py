# SPDX-License-Identifier: Apache-2.0
"""nova-manage volume: what an operator does about a volume that its owner cannot help any more."""

from __future__ import annotations

import re

from nova import errors
from nova.cmd.manage.frame import Action, Argument, Category
from nova.cmd.manage.operator import Operator
from nova.db import instances, operations, orders, volumes
from nova.db.transaction import Transaction
from nova.domain.instance import Instance
from nova.domain.orders import Order
from nova.domain.states import VolumeStatus
from nova.domain.transitions import Action as ServerAction
from nova.domain.volume import Volume
from nova.interfaces.compute import Compute, give_order
from nova.interfaces.volume import VolumeService
from nova.rpc.client import client_for

_NUMBER = re.compile(r"(?:vol|volume)-([0-9a-f]{8})", re.ASCII)
_LARGEST = 2**31 - 1
_ATTACHED = frozenset({VolumeStatus.ATTACHING, VolumeStatus.IN_USE, VolumeStatus.DETACHING})


def delete(operator: Operator, *, volume_id: str) -> int | None:
    """Delete a volume whatever its status, unless a server has it."""
    volume = operator.db.run(lambda tx: _find(tx, volume_id), write=False)
    if volume.instance_uuid or volume.status in _ATTACHED:
        operator.say(f"Volume {volume.id} is {volume.status}.")
        operator.say("Detach it from its server, and try again.")
        return 1
    operator.db.run(lambda tx: volumes.begin_delete(tx, volume.id, project_id=None, force=True))
    if not volume.host:
        operator.say(f"Volume {volume.id} is on no storage host.")
        operator.say("It is removed from the database, and nobody is told.")
        operator.db.run(lambda tx: volumes.forget(tx, volume))
        return None
    service = client_for(VolumeService, operator.transport)
    service.on(volume.host).delete(operator.context, volume_id=volume.id)
    return None


def reattach(operator: Operator, *, volume_id: str) -> int | None:
    """Have the server's host attach the volume once more, after the host was started anew."""
    volume = operator.db.run(lambda tx: _find(tx, volume_id), write=False)
    if not volume.instance_uuid:
        operator.say("volume is not attached to an instance")
        return 1
    instance, order = operator.db.run(lambda tx: _order(tx, operator, volume))
    give_order(client_for(Compute, operator.transport).on(instance.host), operator.context, order)
    return None


def _order(tx: Transaction, operator: Operator, volume: Volume) -> tuple[Instance, Order]:
    instance = instances.get(tx, volume.instance_uuid)
    if not instance.host:
        raise errors.InvalidState(f"Server {instance.uuid} is on no host.")
    (operation,) = operations.open(
        tx,
        ServerAction.ATTACH_VOLUME,
        instance_uuids=[instance.uuid],
        context=operator.context,
        arguments={"volume_id": volume.id},
        host=instance.host,
    )
    return instance, orders.order_for(tx, operation, instance)


def _find(tx: Transaction, word: str) -> Volume:
    """By its id, by the number in its EC2 id, or by the number of its row."""
    named = _NUMBER.fullmatch(word)
    if named:
        return volumes.get_by_number(tx, int(named.group(1), 16))
    if word.isascii() and word.isdigit() and len(word) <= len(str(_LARGEST)):
        return volumes.get_by_number(tx, int(word))
    return volumes.get(tx, word.removeprefix("volume-")[:36])


_VOLUME = Argument("volume_id", "id, vol-00000001 or number", required=True, spellings=("volume",))

CATEGORY = Category(
    "volume",
    "Volumes that need an operator.",
    (
        Action("delete", delete, "Delete a volume that no server has, whatever its status.", (_VOLUME,)),
        Action("reattach", reattach, "Attach a volume once more after its server's host was started anew.", (_VOLUME,)),
    ),
)
