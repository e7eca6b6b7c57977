# SPDX-License-Identifier: Apache-2.0
"""The database for compute hosts: what belongs on a host, what it was told to do, what its guests do."""

from __future__ import annotations

from nova.conductor.cloud import Cloud
from nova.db import instances, moves, operations, orders, services
from nova.db.orders import order_for
from nova.db.transaction import Transaction
from nova.domain.instance import Instance
from nova.domain.move import Departed
from nova.domain.orders import AnyOrder, BuildOrder, InstanceOrder, Order, SnapshotOrder, UnfinishedOrders
from nova.domain.states import VmState
from nova.errors import NotFound
from nova.secret import Secret

COMPUTE = "nova-compute"


def is_alive(tx: Transaction, host: str, *, down_time_s: float) -> bool:
    """Whether nova-compute on *host* was heard of lately."""
    try:
        return services.get_by_host(tx, host, COMPUTE).is_up(tx.now, down_time_s=down_time_s)
    except NotFound:
        return False


def unfinished_orders(cloud: Cloud, host: str) -> UnfinishedOrders:
    """See the interface."""
    found = cloud.db.run(lambda tx: _unfinished_on(tx, host))
    return UnfinishedOrders(orders=tuple(map(AnyOrder.of, found)), tokens=_tokens(cloud, found))


def _tokens(cloud: Cloud, orders: list[Order]) -> dict[str, Secret]:
    made = {
        str(each.order.operation_id): cloud.token_of(each.order.instance.user_id, each.order.instance.project_id)
        for each in orders
        if isinstance(each, BuildOrder | SnapshotOrder)
    }
    return {number: token for number, token in made.items() if token is not None}


def _unfinished_on(tx: Transaction, host: str) -> list[Order]:
    open_ones = operations.unfinished_on(tx, host)
    known = instances.get_many(tx, sorted({operation.instance_uuid for operation in open_ones}))
    found: list[Order] = []
    for operation in open_ones:
        instance = known.get(operation.instance_uuid)
        if instance is None:
            continue
        try:
            found.append(order_for(tx, operation, instance))
        except NotFound as exc:
            operations.finish(tx, operation.id, ok=False, message=exc.message)
    return found


def instance_orders(tx: Transaction, host: str, instance_uuids: tuple[str, ...]) -> list[InstanceOrder]:
    """See the interface."""
    here = instances.find_on_host(tx, host)
    return [
        orders.instance_order(tx, instance)
        for instance in here
        if not instance_uuids or instance.uuid in instance_uuids
    ]


def deleted_instances(tx: Transaction, instance_uuids: tuple[str, ...]) -> list[Instance]:
    """See the interface."""
    deleted = instances.find(tx, instances.InstanceQuery(uuids=instance_uuids, deleted=True, complete=True))
    known = instances.get_many(tx, instance_uuids).values()
    return [*deleted, *(each for each in known if _is_nowhere(each))]


def _is_nowhere(instance: Instance) -> bool:
    """Whether a server that is not deleted rests on no host."""
    return instance.vm_state is VmState.SHELVED_OFFLOADED and instance.task_state is None and not instance.host


def unknown_instances(tx: Transaction, instance_uuids: tuple[str, ...]) -> list[str]:
    """See the interface."""
    known = {each.uuid for each in instances.find(tx, instances.InstanceQuery(uuids=instance_uuids, deleted=None))}
    return [uuid for uuid in instance_uuids if uuid not in known]


def departed_instances(tx: Transaction, host: str, instance_uuids: tuple[str, ...]) -> list[Departed]:
    """See the interface."""
    gone = moves.gone_from(tx, host, instance_uuids)
    known = instances.get_many(tx, sorted(gone))
    return [Departed(instance=instance, move=gone[uuid]) for uuid, instance in known.items()]
