# SPDX-License-Identifier: Apache-2.0
"""Between rows of ``instances`` and :class:`nova.domain.instance.Instance`, both ways, and fast for long lists."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Select, Table, bindparam, literal, null, select, union_all

from nova.db.models.base import table_of
from nova.db.models.instance import InstanceMetadataRow, InstanceRow, InstanceSystemMetadataRow
from nova.db.transaction import Transaction
from nova.domain.flavor import Flavor
from nova.domain.instance import Instance
from nova.domain.states import PowerState, TaskState, VmState

INSTANCES = table_of(InstanceRow)
METADATA = table_of(InstanceMetadataRow)
SYSTEM_METADATA = table_of(InstanceSystemMetadataRow)

_VM_STATES: dict[str, VmState] = {state.value: state for state in VmState}
_TASK_STATES: dict[str | None, TaskState | None] = {None: None, **{state.value: state for state in TaskState}}
_POWER_STATES: dict[int, PowerState] = {state.value: state for state in PowerState}

_LEADING = (
    *("id", "uuid", "user_id", "project_id", "display_name", "display_description", "hostname", "flavor"),
    *("vm_state", "task_state", "power_state", "image_ref", "kernel_id", "ramdisk_id", "host", "node"),
    *("availability_zone", "key_name", "config_drive", "reservation_id", "launch_index"),
    *("root_device_name", "access_ip_v4", "access_ip_v6", "auto_disk_config", "locked", "locked_by", "progress"),
    *("created_at", "updated_at", "launched_at", "terminated_at", "deleted"),
)

COMPLETE: Select[Any] = select(
    *(INSTANCES.c[column] for column in _LEADING), INSTANCES.c.key_data, INSTANCES.c.user_data
)
"""Everything of the row."""
LIGHT: Select[Any] = select(
    *(INSTANCES.c[column] for column in _LEADING), null().label("key_data"), null().label("user_data")
)
"""The row without its long texts, for lists."""


def _items_of(table: Table, *, of_system: bool) -> Select[Any]:
    c = table.c
    here = c.instance_uuid.in_(bindparam("uuids", expanding=True))
    return select(literal(int(of_system)), c.instance_uuid, c.key, c.value).where(here)


_OWN_METADATA = _items_of(METADATA, of_system=False)
_BOTH_METADATA = union_all(_OWN_METADATA, _items_of(SYSTEM_METADATA, of_system=True))


@functools.lru_cache(maxsize=1024)
def flavor_from(text: str) -> Flavor:
    """The flavor that :func:`flavor_text` kept."""
    return Flavor(**json.loads(text))


def instance_from(row: Any, metadata: dict[str, str], system_metadata: dict[str, str]) -> Instance:
    """The domain object for a row of ``COMPLETE`` or ``LIGHT``."""
    # fmt: off
    (
        number, uuid, user_id, project_id, display_name, display_description, hostname, flavor,
        vm_state, task_state, power_state, image_ref, kernel_id, ramdisk_id, host, node,
        availability_zone, key_name, config_drive, reservation_id, launch_index,
        root_device_name, access_ip_v4, access_ip_v6, auto_disk_config, locked, locked_by, progress,
        created_at, updated_at, launched_at, terminated_at, deleted, key_data, user_data,
    ) = row
    # fmt: on
    return Instance(
        id=number,
        uuid=uuid,
        user_id=user_id,
        project_id=project_id,
        display_name=display_name,
        display_description=display_description or "",
        hostname=hostname,
        flavor=flavor_from(flavor),
        vm_state=_VM_STATES[vm_state],
        task_state=_TASK_STATES[task_state],
        power_state=_POWER_STATES.get(power_state, PowerState.NOSTATE),
        image_ref=image_ref or "",
        kernel_id=kernel_id or "",
        ramdisk_id=ramdisk_id or "",
        host=host or "",
        node=node or "",
        availability_zone=availability_zone or "",
        key_name=key_name or "",
        key_data=key_data or "",
        user_data=user_data or "",
        config_drive=config_drive or "",
        reservation_id=reservation_id or "",
        launch_index=launch_index,
        root_device_name=root_device_name or "",
        access_ip_v4=access_ip_v4 or "",
        access_ip_v6=access_ip_v6 or "",
        auto_disk_config=auto_disk_config,
        locked=locked,
        locked_by=locked_by or "",
        progress=progress,
        metadata=metadata,
        system_metadata=system_metadata,
        created_at=created_at,
        updated_at=updated_at,
        launched_at=launched_at,
        terminated_at=terminated_at,
        deleted=deleted != 0,
    )


def load(tx: Transaction, rows: Sequence[Any], *, system_metadata: bool) -> list[Instance]:
    """The instances of *rows*, in their order, with metadata: one more statement for any number of them."""
    if not rows:
        return []
    own, system = _metadata_of(tx, [row[1] for row in rows], with_system=system_metadata)
    return [instance_from(row, own.get(row[1], {}), system.get(row[1], {})) for row in rows]


def _metadata_of(
    tx: Transaction, uuids: Sequence[str], *, with_system: bool
) -> tuple[dict[str, dict[str, str]], dict[str, dict[str, str]]]:
    own: defaultdict[str, dict[str, str]] = defaultdict(dict)
    system: defaultdict[str, dict[str, str]] = defaultdict(dict)
    statement: Any = _BOTH_METADATA if with_system else _OWN_METADATA
    for of_system, uuid, key, value in tx.execute(statement, {"uuids": uuids}):
        (system if of_system else own)[uuid][key] = value
    return own, system


def values_of(instance: Instance, now: datetime.datetime) -> dict[str, Any]:
    """The columns of a new row for *instance*; an empty text becomes NULL."""
    flavor = instance.flavor
    system = instance.system_metadata
    return {
        "uuid": instance.uuid,
        "user_id": instance.user_id,
        "project_id": instance.project_id,
        "display_name": instance.display_name,
        "display_description": instance.display_description or None,
        "hostname": instance.hostname,
        **flavor_columns(flavor),
        "vm_state": instance.vm_state.value,
        "task_state": instance.task_state.value if instance.task_state else None,
        "power_state": int(instance.power_state),
        "image_ref": instance.image_ref or None,
        "kernel_id": instance.kernel_id or None,
        "ramdisk_id": instance.ramdisk_id or None,
        "host": instance.host or None,
        "node": instance.node or None,
        "availability_zone": instance.availability_zone or None,
        "key_name": instance.key_name or None,
        "key_data": instance.key_data or None,
        "user_data": instance.user_data or None,
        "config_drive": instance.config_drive or None,
        "reservation_id": instance.reservation_id or None,
        "launch_index": instance.launch_index,
        "root_device_name": instance.root_device_name or None,
        "access_ip_v4": instance.access_ip_v4 or None,
        "access_ip_v6": instance.access_ip_v6 or None,
        "auto_disk_config": instance.auto_disk_config,
        "locked": instance.locked,
        "locked_by": instance.locked_by or None,
        "progress": instance.progress,
        "launched_at": instance.launched_at,
        "os_type": system.get("image_os_type"),
        "architecture": system.get("image_architecture"),
        "vm_mode": system.get("image_vm_mode"),
        "created_at": instance.created_at or now,
        "updated_at": instance.updated_at or now,
        "deleted": 0,
    }


def flavor_columns(flavor: Flavor) -> dict[str, Any]:
    """The columns that say what an instance's flavor is."""
    return {
        "flavor": flavor_text(flavor),
        "instance_type_id": flavor.id,
        "memory_mb": flavor.memory_mb,
        "vcpus": flavor.vcpus,
        "root_gb": flavor.root_gb,
        "ephemeral_gb": flavor.ephemeral_gb,
    }


def flavor_text(flavor: Flavor) -> str:
    """A whole flavor as it is kept."""
    return json.dumps(dataclasses.asdict(flavor), sort_keys=True)


def metadata_rows(instances: Iterable[Instance], attribute: str, now: datetime.datetime) -> list[dict[str, Any]]:
    """Rows for the metadata (``metadata`` or ``system_metadata``) of new instances."""
    return [
        {"instance_uuid": instance.uuid, "key": key, "value": value, "created_at": now}
        for instance in instances
        for key, value in getattr(instance, attribute).items()
    ]
