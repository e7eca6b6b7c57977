# SPDX-License-Identifier: Apache-2.0
"""Instances one by one: made, read, edited, removed for good.  States change in :mod:`nova.db.instances.states`."""

from __future__ import annotations

import dataclasses
import datetime
import uuid as uuids
from collections.abc import Sequence
from typing import TypedDict

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy import insert as insert_into
from sqlalchemy import update as update_table

from nova import errors
from nova.db.instances.rows import COMPLETE, INSTANCES, METADATA, SYSTEM_METADATA, load, metadata_rows, values_of
from nova.db.models.base import table_of
from nova.db.models.instance import (
    BlockDeviceMappingRow,
    InstanceActionEventRow,
    InstanceActionRow,
    InstanceFaultRow,
)
from nova.db.transaction import Transaction
from nova.domain.instance import Instance
from nova.domain.states import TaskState, VmState

C = INSTANCES.c
_ACTIONS = table_of(InstanceActionRow)
_EVENTS = table_of(InstanceActionEventRow)


class InstanceChanges(TypedDict, total=False):
    """What may be edited without a change of state."""

    display_name: str
    display_description: str
    hostname: str
    access_ip_v4: str
    access_ip_v6: str
    auto_disk_config: bool
    root_device_name: str
    config_drive: str
    availability_zone: str
    progress: int


_MAY_NOT_BE_NULL = {"display_name", "hostname", "auto_disk_config", "progress"}


def insert(tx: Transaction, instances: Sequence[Instance]) -> list[Instance]:
    """Record new instances with their metadata; what comes back has ids, uuids (where there were none) and times."""
    wanted = [
        dataclasses.replace(
            instance,
            uuid=instance.uuid or str(uuids.uuid4()),
            created_at=instance.created_at or tx.now,
            updated_at=instance.updated_at or tx.now,
        )
        for instance in instances
    ]
    if not wanted:
        return []
    tx.execute(insert_into(INSTANCES), [values_of(instance, tx.now) for instance in wanted])
    for table, attribute in ((METADATA, "metadata"), (SYSTEM_METADATA, "system_metadata")):
        if rows := metadata_rows(wanted, attribute, tx.now):
            tx.execute(insert_into(table), rows)
    chosen = select(C.uuid, C.id).where(C.uuid.in_([instance.uuid for instance in wanted]))
    numbers: dict[str, int] = {row.uuid: row.id for row in tx.execute(chosen)}
    return [dataclasses.replace(instance, id=numbers[instance.uuid]) for instance in wanted]


def get(tx: Transaction, uuid: str, *, project_id: str | None = None, deleted: bool = False) -> Instance:
    """The instance with all of its row and metadata.

    Raises NotFound when there is none, when it is deleted (unless *deleted* lets those through), and when it is not of
    the project that *project_id* names.
    """
    return _one(tx, C.uuid == uuid, uuid, project_id, deleted)


def get_by_number(tx: Transaction, number: int, *, project_id: str | None = None, deleted: bool = False) -> Instance:
    """The instance whose EC2 id has *number*; NotFound like :func:`get`."""
    if not 0 < number < 2**31:
        raise errors.NotFound.of("instance", number)
    return _one(tx, C.id == number, number, project_id, deleted)


def get_many(tx: Transaction, uuids: Sequence[str]) -> dict[str, Instance]:
    """The instances among *uuids* that live, by uuid."""
    if not uuids:
        return {}
    rows = tx.execute(COMPLETE.where(C.uuid.in_(uuids), C.deleted == 0)).all()
    return {instance.uuid: instance for instance in load(tx, rows, system_metadata=True)}


def find_on_host(tx: Transaction, host: str) -> list[Instance]:
    """All instances on *host* that live, complete, oldest first."""
    rows = tx.execute(COMPLETE.where(C.host == host, C.deleted == 0).order_by(C.id)).all()
    return load(tx, rows, system_metadata=True)


def active_between(
    tx: Transaction, start: datetime.datetime, end: datetime.datetime, *, project_id: str | None = None
) -> list[Instance]:
    """Instances that ran at some time in [start, end), deleted ones too: what usage reports add up."""
    conditions = [C.launched_at < end, or_(C.terminated_at.is_(None), C.terminated_at >= start)]
    if project_id is not None:
        conditions.append(C.project_id == project_id)
    rows = tx.execute(COMPLETE.where(*conditions).order_by(C.project_id, C.id)).all()
    return load(tx, rows, system_metadata=False)


def to_reclaim(tx: Transaction, moment: datetime.datetime, *, limit: int = 100) -> list[str]:
    """Uuids of instances that were deleted softly before *moment* and are left in peace, oldest first."""
    resting = (C.vm_state == VmState.SOFT_DELETED.value, C.task_state.is_(None), C.deleted == 0)
    chosen = select(C.uuid).where(*resting, C.deleted_at < moment).order_by(C.deleted_at).limit(limit)
    return list(tx.execute(chosen).scalars())


def destroyed_before(tx: Transaction, moment: datetime.datetime, *, limit: int = 100) -> list[str]:
    """Uuids of instances that were deleted before *moment*, oldest first."""
    chosen = select(C.uuid).where(C.deleted != 0, C.deleted_at < moment).order_by(C.deleted_at).limit(limit)
    return list(tx.execute(chosen).scalars())


def update(tx: Transaction, uuid: str, changes: InstanceChanges, *, project_id: str | None = None) -> Instance:
    """Edit an instance and return it as it is now; NotFound like :func:`get`."""
    values = {
        field: None if value == "" and field not in _MAY_NOT_BE_NULL else value for field, value in changes.items()
    }
    conditions = [C.uuid == uuid, C.deleted == 0]
    if project_id is not None:
        conditions.append(C.project_id == project_id)
    tx.execute(update_table(INSTANCES).where(*conditions).values(updated_at=tx.now, **values))
    return get(tx, uuid, project_id=project_id)


def purge(tx: Transaction, uuids: Sequence[str]) -> int:
    """Remove deleted instances and all that belongs to them for good; returns how many rows of instances went."""
    doomed = list(tx.execute(select(C.uuid).where(C.uuid.in_(uuids), C.deleted != 0)).scalars())
    if not doomed:
        return 0
    actions = select(_ACTIONS.c.id).where(_ACTIONS.c.instance_uuid.in_(doomed))
    tx.execute(delete(_EVENTS).where(_EVENTS.c.action_id.in_(actions)))
    children = (METADATA, SYSTEM_METADATA, table_of(InstanceFaultRow), _ACTIONS, table_of(BlockDeviceMappingRow))
    for table in children:
        tx.execute(delete(table).where(table.c.instance_uuid.in_(doomed)))
    return tx.execute(delete(INSTANCES).where(C.uuid.in_(doomed))).rowcount


def usage_by_user(tx: Transaction, project_id: str) -> dict[str, dict[str, int]]:
    """What each user really has in a project, as ``{user: {"instances": …, "cores": …, "ram": …}}``.

    What is deleted softly does not count, until it is being restored.
    """
    counts = or_(C.vm_state != VmState.SOFT_DELETED.value, C.task_state == TaskState.RESTORING.value)
    chosen = (
        select(C.user_id, func.count(), func.sum(C.vcpus), func.sum(C.memory_mb))
        .where(C.project_id == project_id, C.deleted == 0, counts)
        .group_by(C.user_id)
    )
    return {
        user: {"instances": int(count), "cores": int(cores or 0), "ram": int(ram or 0)}
        for user, count, cores, ram in tx.execute(chosen)
    }


def is_project_busy(tx: Transaction, project_id: str) -> bool:
    """Whether something is being done to an instance of the project, or one waits for its resize to be confirmed."""
    busy = or_(C.task_state.is_not(None), C.vm_state == VmState.RESIZED.value)
    chosen = select(C.id).where(C.project_id == project_id, C.deleted == 0, busy).limit(1)
    return tx.execute(chosen).first() is not None


def _one(tx: Transaction, named: ColumnElement[bool], key: object, project_id: str | None, deleted: bool) -> Instance:
    conditions = [named]
    if project_id is not None:
        conditions.append(C.project_id == project_id)
    if not deleted:
        conditions.append(C.deleted == 0)
    rows = tx.execute(COMPLETE.where(*conditions)).all()
    if not rows:
        raise errors.NotFound.of("instance", key)
    return load(tx, rows, system_metadata=True)[0]
