# SPDX-License-Identifier: Apache-2.0
"""The database for compute hosts: what belongs on a host, what it was told to do, what its guests do."""

from __future__ import annotations

from nova.conductor.cloud import Cloud
from nova.db import instances, operations, orders, services
from nova.db.orders import order_for
from nova.db.transaction import Transaction
from nova.domain.instance import Instance
from nova.domain.orders import AnyOrder, BuildOrder, InstanceOrder, Order, SnapshotOrder, UnfinishedOrders
from nova.domain.states import PowerState, VmState
from nova.errors import NotFound
from nova.secret import Secret

COMPUTE = "nova-compute"
OFF = frozenset({PowerState.SHUTDOWN, PowerState.CRASHED})


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
    query = instances.InstanceQuery(uuids=instance_uuids, deleted=True, complete=True)
    return instances.find(tx, query)


def sync_power_states(tx: Transaction, host: str, states: dict[str, PowerState]) -> None:
    """See the interface.  A guest that stopped by itself makes its server SHUTOFF, one that started makes it ACTIVE."""
    for instance in instances.find_on_host(tx, host):
        state = states.get(instance.uuid)
        if state is None or instance.task_state is not None:
            continue
        vm_state = _follows(instance, state)
        if state is not instance.power_state or vm_state is not None:
            instances.follow_guest(tx, instance.uuid, host=host, power_state=state, vm_state=vm_state)


def _follows(instance: Instance, state: PowerState) -> VmState | None:
    """The state that the server takes from its guest; None where it stays what it is."""
    if instance.vm_state is VmState.ACTIVE and state in OFF:
        return VmState.STOPPED
    if instance.vm_state is VmState.STOPPED and state is PowerState.RUNNING:
        return VmState.ACTIVE
    return None
