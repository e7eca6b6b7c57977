# SPDX-License-Identifier: Apache-2.0
"""Repository of compute nodes: what each has, and the claims that instances hold on it.

A claim is one guarded UPDATE, so any number of schedulers can claim at once and none can promise the same room twice.
"""

from __future__ import annotations

import datetime
import functools
import json
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, delete, func, insert, or_, select, update
from sqlalchemy.exc import DBAPIError

from nova import errors
from nova.db import services
from nova.db.failures import Failure, classify
from nova.db.models.base import table_of
from nova.db.models.host import AggregateHostRow, AggregateMetadataRow, ComputeNodeRow, InstanceClaimRow, ServiceRow
from nova.db.models.instance import InstanceRow
from nova.db.transaction import Transaction
from nova.db.upserts import insert_missing
from nova.domain.aggregate import ZONE_KEY
from nova.domain.host import ClaimLimits, ComputeNode, HostResources, HostRow

NODES = table_of(ComputeNodeRow)
CLAIMS = table_of(InstanceClaimRow)
_SERVICES = table_of(ServiceRow)
_MEMBERS = table_of(AggregateHostRow)
_AGGREGATE_METADATA = table_of(AggregateMetadataRow)
_INSTANCES = table_of(InstanceRow)
C = NODES.c

HOME = "home"
"""What a claim is held for: the host that the instance is on."""
MOVE = "move"
"""The other side of its move."""
_ASIDE = "aside"

_COLUMNS: Select[Any] = select(
    *(C.id, C.service_id, C.host, C.hypervisor_hostname, C.vcpus, C.memory_mb, C.local_gb, C.vcpus_used),
    *(C.memory_mb_used, C.local_gb_used, C.disk_available_least, C.hypervisor_type, C.hypervisor_version),
    *(C.cpu_info, C.host_ip, C.running_vms, C.supported_instances, C.updated_at),
).where(C.deleted == 0)


def report(tx: Transaction, resources: HostResources) -> None:
    """Record what a host has now; what is claimed on it stays.  The first report makes the row."""
    values = {
        "vcpus": resources.vcpus,
        "memory_mb": resources.memory_mb,
        "local_gb": resources.disk_gb,
        "disk_available_least": resources.disk_available_gb,
        "hypervisor_type": resources.hypervisor_type,
        "hypervisor_version": resources.hypervisor_version,
        "cpu_info": resources.cpu_info,
        "supported_instances": json.dumps(resources.supported),
        "host_ip": resources.host_ip or None,
        "running_vms": resources.running_vms,
        "updated_at": tx.now,
    }
    named = (C.host == resources.host, C.hypervisor_hostname == resources.node, C.deleted == 0)
    if tx.execute(update(NODES).where(*named).values(values)).rowcount:
        return
    try:
        service = services.get_by_host(tx, resources.host, "nova-compute")
    except errors.NotFound:
        services.heartbeat(tx, host=resources.host, binary="nova-compute", topic="compute")
        service = services.get_by_host(tx, resources.host, "nova-compute")
    names = {"service_id": service.id, "host": resources.host, "hypervisor_hostname": resources.node}
    insert_missing(tx, NODES, [{**values, **names, "created_at": tx.now, "deleted": 0}])


def find(tx: Transaction, *, host: str = "", pattern: str = "") -> list[ComputeNode]:
    """Compute nodes by number; *host* names one host, *pattern* is text within the hypervisor's name."""
    conditions: list[ColumnElement[bool]] = []
    if host:
        conditions.append(C.host == host)
    if pattern:
        conditions.append(C.hypervisor_hostname.contains(pattern, autoescape=True))
    return [_node(row) for row in tx.execute(_COLUMNS.where(*conditions).order_by(C.id))]


def get(tx: Transaction, node_id: int) -> ComputeNode:
    """One compute node by number; raises NotFound."""
    row = tx.execute(_COLUMNS.where(C.id == node_id)).first()
    if row is None:
        raise errors.NotFound.of("compute host", node_id)
    return _node(row)


def for_scheduler(tx: Transaction, *, alive_since: datetime.datetime) -> list[HostRow]:
    """Every compute node with the state of its daemon and its zone, in one statement.

    A daemon is up when it was heard of since *alive_since* (naive UTC) and is not forced down.
    """
    return list(map(HostRow._make, tx.execute(_hosts(), {"alive_since": alive_since})))


@functools.cache
def _hosts() -> Select[Any]:
    """The columns of HostRow, in its order."""
    s = _SERVICES.c
    zone = (
        select(_MEMBERS.c.host.label("host"), func.min(_AGGREGATE_METADATA.c.value).label("zone"))
        .join(_AGGREGATE_METADATA, _AGGREGATE_METADATA.c.aggregate_id == _MEMBERS.c.aggregate_id)
        .where(_AGGREGATE_METADATA.c.key == ZONE_KEY)
        .group_by(_MEMBERS.c.host)
        .subquery("zones")
    )
    up = and_(s.forced_down.is_(False), s.updated_at >= bindparam("alive_since"))
    return (
        select(
            *(C.id, C.host, C.hypervisor_hostname, case((up, 1), else_=0), s.disabled),
            func.coalesce(zone.c.zone, s.availability_zone),
            *(C.vcpus, C.vcpus_used, C.memory_mb, C.memory_mb_used, C.local_gb, C.local_gb_used),
            *(C.disk_available_least, C.hypervisor_type, C.hypervisor_version, C.running_vms),
            *(C.supported_instances, C.cpu_info, func.coalesce(C.host_ip, "")),
        )
        .join(_SERVICES, s.id == C.service_id)
        .join(zone, zone.c.host == C.host, isouter=True)
        .where(C.deleted == 0, s.deleted == 0)
        .order_by(C.id)
    )


def claim(
    tx: Transaction,
    instance_uuid: str,
    *,
    node_id: int,
    vcpus: int,
    memory_mb: int,
    disk_gb: int,
    limits: ClaimLimits,
    held_for: str = HOME,
) -> bool:
    """Hold room for an instance on a node, if what would be claimed there stays within *limits*; whether it did.

    A claim that the instance had for the same purpose is given up first.  Raises Conflict when two claim for the same
    instance at once.

    :param held_for: ``HOME`` where it is or will be, ``MOVE`` on the other side of its move
    """
    release(tx, instance_uuid, held_for=held_for)
    wanted = (
        (C.vcpus_used, vcpus, limits.vcpus),
        (C.memory_mb_used, memory_mb, limits.memory_mb),
        (C.local_gb_used, disk_gb, limits.disk_gb),
    )
    fits = [used + amount <= limit for used, amount, limit in wanted if limit is not None]
    more = {used.name: used + amount for used, amount, _ in wanted}
    taken = update(NODES).where(C.id == node_id, C.deleted == 0, *fits)
    if tx.execute(taken.values(more)).rowcount == 0:
        return False
    row = {"instance_uuid": instance_uuid, "node_id": node_id, "vcpus": vcpus, "memory_mb": memory_mb}
    try:
        tx.execute(insert(CLAIMS).values(**row, disk_gb=disk_gb, held_for=held_for, created_at=tx.now))
    except DBAPIError as error:
        if classify(error) is not Failure.DUPLICATE:
            raise
        tx.doom("room was claimed twice for an instance")
        raise errors.Conflict(f"Instance {instance_uuid} is being scheduled by another request.") from error
    return True


def release(tx: Transaction, instance_uuid: str, *, held_for: str | None = None) -> bool:
    """Give back what the instance holds; whether it held anything.  Doing it twice does no harm.

    :param held_for: which of its two claims; None is both
    """
    k = CLAIMS.c
    wanted = [k.instance_uuid == instance_uuid, *([] if held_for is None else [k.held_for == held_for])]
    held = tx.execute(select(k.id, k.node_id, k.vcpus, k.memory_mb, k.disk_gb).where(*wanted)).all()
    gave = False
    for each in held:
        if tx.execute(delete(CLAIMS).where(k.id == each.id)).rowcount == 0:
            continue
        gave = True
        less = {
            "vcpus_used": C.vcpus_used - each.vcpus,
            "memory_mb_used": C.memory_mb_used - each.memory_mb,
            "local_gb_used": C.local_gb_used - each.disk_gb,
        }
        tx.execute(update(NODES).where(C.id == each.node_id).values(less))
    return gave


def exchange(tx: Transaction, instance_uuid: str) -> None:
    """Let the two claims of a moving instance change places: it is now where it was to go, or back again."""
    k = CLAIMS.c
    for before, after in ((HOME, _ASIDE), (MOVE, HOME), (_ASIDE, MOVE)):
        mine = update(CLAIMS).where(k.instance_uuid == instance_uuid, k.held_for == before)
        tx.execute(mine.values(held_for=after))


def recount(tx: Transaction) -> int:
    """Drop the claims of instances that are gone and add the others up anew; how many claims were dropped."""
    k = CLAIMS.c
    living = select(_INSTANCES.c.uuid).where(_INSTANCES.c.deleted == 0)
    dropped = 0
    for uuid in tx.execute(select(k.instance_uuid).where(k.instance_uuid.not_in(living))).scalars().all():
        dropped += release(tx, uuid)
    sums = {
        used: func.coalesce(select(func.sum(k[amount])).where(k.node_id == C.id).scalar_subquery(), 0)
        for used, amount in (("vcpus_used", "vcpus"), ("memory_mb_used", "memory_mb"), ("local_gb_used", "disk_gb"))
    }
    wrong = or_(*(C[used] != total for used, total in sums.items()))
    tx.execute(update(NODES).where(wrong).values(sums))
    return dropped


def statistics(tx: Transaction) -> dict[str, int]:
    """Sums over all compute nodes whose daemon is enabled, under the names of the hypervisor statistics of the API."""
    amounts = ("vcpus", "memory_mb", "local_gb")
    names = (*amounts, *(f"{amount}_used" for amount in amounts), "disk_available_least", "running_vms")
    enabled = and_(_SERVICES.c.id == C.service_id, _SERVICES.c.disabled.is_(False), _SERVICES.c.deleted == 0)
    chosen = select(func.count(C.id), *(func.coalesce(func.sum(C[name]), 0) for name in names))
    count, *sums = tx.execute(chosen.select_from(NODES).join(_SERVICES, enabled).where(C.deleted == 0)).one()
    return {"count": int(count), **{name: int(total) for name, total in zip(names, sums, strict=True)}}


def _node(row: Any) -> ComputeNode:
    return ComputeNode(
        id=row.id,
        service_id=row.service_id,
        host=row.host,
        node=row.hypervisor_hostname,
        vcpus=row.vcpus,
        memory_mb=row.memory_mb,
        disk_gb=row.local_gb,
        vcpus_used=row.vcpus_used,
        memory_mb_used=row.memory_mb_used,
        disk_gb_used=row.local_gb_used,
        disk_available_gb=row.disk_available_least,
        hypervisor_type=row.hypervisor_type,
        hypervisor_version=row.hypervisor_version,
        cpu_info=row.cpu_info,
        host_ip=row.host_ip or "",
        running_vms=row.running_vms,
        supported=tuple((arch, kind, mode) for arch, kind, mode in json.loads(row.supported_instances)),
        updated_at=row.updated_at,
    )
