# SPDX-License-Identifier: Apache-2.0
"""Lists of instances: every filter, the order and the page are parts of one statement."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, ColumnElement, and_, false, or_, select

from nova import errors
from nova.db import patterns
from nova.db.instances.rows import COMPLETE, INSTANCES, LIGHT, METADATA, SYSTEM_METADATA, load
from nova.db.models.base import table_of
from nova.db.models.flavor import FlavorRow
from nova.db.models.network import FixedIpRow
from nova.db.paging import beyond, ordered, sort_key, values_at
from nova.db.transaction import Transaction
from nova.domain.instance import Instance
from nova.domain.states import TaskState, VmState
from nova.domain.transitions import states_of, status_of

C = INSTANCES.c
_FLAVORS = table_of(FlavorRow)
_FIXED_IPS = table_of(FixedIpRow)

SORT_KEYS = frozenset(
    {"uuid", "user_id", "project_id", "image_ref", "launch_index", "key_name", "power_state", "vm_state", "task_state"}
    | {"memory_mb", "vcpus", "root_gb", "ephemeral_gb", "hostname", "host", "node", "instance_type_id", "created_at"}
    | {"updated_at", "launched_at", "terminated_at", "display_name", "display_description", "availability_zone"}
    | {"locked", "locked_by", "root_device_name", "access_ip_v4", "access_ip_v6", "config_drive", "progress"}
    | {"auto_disk_config", "reservation_id", "id"}
)
"""Columns that a list may be sorted by, and filtered by with ``equal``."""
_MATCHABLE = frozenset(
    {"display_name", "display_description", "hostname", "host", "node", "key_name", "availability_zone"}
    | {"root_device_name", "access_ip_v4", "access_ip_v6", "locked_by", "reservation_id", "user_id", "project_id"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceQuery:
    """Which instances, in which order, how many.  What is left empty does not narrow the list."""

    project_id: str | None = None
    """None is every project: the caller has decided that this one may see that."""
    user_id: str = ""
    host: str = ""
    node: str = ""
    uuids: Sequence[str] | None = None
    numbers: Sequence[int] | None = None
    """The numbers in EC2 ids"""
    name: str = ""
    """A regular expression, searched in the display name"""
    ip: str = ""
    """A regular expression, searched in the IPv4 addresses"""
    ip6: str = ""
    """A regular expression, searched in the IPv6 addresses"""
    status: Sequence[str] = ()
    """Status words of the API, any of which will do"""
    image: str = ""
    flavor: str = ""
    """A public flavor id"""
    reservation_id: str = ""
    changes_since: datetime.datetime | None = None
    """Naive UTC; deleted instances are then in the list too, unless *deleted* says otherwise"""
    deleted: bool | None = False
    """None is both"""
    soft_deleted: bool | None = None
    """False leaves out those that are deleted softly; True is they only, with deleted ones where *deleted* says so"""
    metadata: Mapping[str, str] = field(default_factory=dict)
    system_metadata: Mapping[str, str] = field(default_factory=dict)
    equal: Mapping[str, object] = field(default_factory=dict)
    """Other columns (of ``SORT_KEYS``) and their values; a list of values is any of them"""
    matching: Mapping[str, str] = field(default_factory=dict)
    """Other text columns and regular expressions"""
    marker: str = ""
    """The uuid of the last instance of the page before"""
    limit: int | None = None
    sort: Sequence[tuple[str, str]] = (("created_at", "desc"),)
    """Columns of ``SORT_KEYS`` with ``asc`` or ``desc``"""
    complete: bool = False
    """Whether key data, user data and system metadata are wanted too"""


def find(tx: Transaction, query: InstanceQuery) -> list[Instance]:
    """The instances that *query* describes: two statements, three with a marker, for any number of them.

    Raises InvalidInput for an unknown sort key or direction, a pattern that is not allowed, or an unknown marker.
    """
    if query.limit == 0:
        return []
    narrowed = _conditions(query, tx.dialect)
    keys = [sort_key(_sortable(name), descending=_descending(direction)) for name, direction in query.sort]
    if not any(name in {"id", "uuid"} for name, _ in query.sort):
        keys.append(sort_key(C.id, descending=keys[0].descending if keys else True))
    if query.marker:
        scope = [C.uuid == query.marker, *([] if query.project_id is None else [C.project_id == query.project_id])]
        at = tx.execute(values_at(keys, and_(*scope))).first()
        if at is None:
            raise errors.InvalidInput(f"marker [{query.marker}] not found", field="marker")
        narrowed.append(beyond(keys, at))
    statement = ordered((COMPLETE if query.complete else LIGHT).where(*narrowed), keys).limit(query.limit)
    with patterns.time_limit(tx, wanted=bool(query.name or query.ip or query.ip6 or query.matching)):
        rows = tx.execute(statement).all()
    return load(tx, rows, system_metadata=query.complete)


def _sortable(name: str) -> Column[Any]:
    if name not in SORT_KEYS:
        raise errors.InvalidInput(f"Sort key {name[:64]!r} is not allowed", field="sort_key")
    return C[name]


def _descending(direction: str) -> bool:
    if direction not in {"asc", "desc"}:
        raise errors.InvalidInput("Sort direction must be asc or desc", field="sort_dir")
    return direction == "desc"


def _conditions(query: InstanceQuery, dialect: str) -> list[ColumnElement[bool]]:
    return [*_plain(query), *_related(query), *_patterns(query, dialect)]


def _plain(query: InstanceQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    found += _deletion(query)
    if query.project_id is not None:
        found.append(C.project_id == query.project_id)
    texts = {"user_id": query.user_id, "host": query.host, "node": query.node, "image_ref": query.image}
    texts["reservation_id"] = query.reservation_id
    found += [C[name] == value for name, value in texts.items() if value]
    if query.uuids is not None:
        found.append(C.uuid.in_(query.uuids))
    if query.numbers is not None:
        found.append(C.id.in_([number for number in query.numbers if number < 2**31]))
    if query.changes_since is not None:
        found.append(C.updated_at >= query.changes_since)
    if query.status:
        found.append(or_(false(), *(_shows(word) for word in query.status)))
    for name, value in query.equal.items():
        wanted = _sortable(name)
        found.append(wanted.in_(value) if isinstance(value, list | tuple) else wanted == value)
    return found


def _deletion(query: InstanceQuery) -> list[ColumnElement[bool]]:
    """Which instances, as far as they are deleted, for good or softly."""
    soft = C.vm_state == VmState.SOFT_DELETED.value
    if query.deleted and query.soft_deleted:
        return [or_(C.deleted != 0, soft)]
    found: list[ColumnElement[bool]] = []
    if query.deleted is not None and (query.deleted or query.changes_since is None):
        found.append(C.deleted != 0 if query.deleted else C.deleted == 0)
    if query.soft_deleted is not None:
        found.append(soft if query.soft_deleted else C.vm_state != VmState.SOFT_DELETED.value)
    return found


def _related(query: InstanceQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if query.flavor:
        chosen = select(_FLAVORS.c.id).where(_FLAVORS.c.flavorid == query.flavor)
        found.append(C.instance_type_id.in_(chosen))
    for source, items in ((METADATA, query.metadata), (SYSTEM_METADATA, query.system_metadata)):
        for key, value in items.items():
            has = select(source.c.instance_uuid).where(source.c.key == key, source.c.value == value)
            found.append(C.uuid.in_(has))
    return found


def _patterns(query: InstanceQuery, dialect: str) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if query.name:
        found.append(patterns.condition(C.display_name, query.name, dialect=dialect, field="name"))
    for name, pattern in query.matching.items():
        if name not in _MATCHABLE:
            raise errors.InvalidInput(f"Filter {name[:64]!r} is not allowed", field=name[:64])
        found.append(patterns.condition(C[name], pattern, dialect=dialect, field=name))
    f = _FIXED_IPS.c
    for pattern, version_mark, name in ((query.ip, ".", "ip"), (query.ip6, ":", "ip6")):
        if pattern:
            matches = patterns.condition(f.address, pattern, dialect=dialect, field=name)
            held = and_(f.instance_uuid.is_not(None), f.address.contains(version_mark), matches)
            found.append(C.uuid.in_(select(f.instance_uuid).where(held)))
    return found


def _shows(word: str) -> ColumnElement[bool]:
    """True where the API shows *word*; false everywhere for a word that it never shows."""
    wanted = states_of(word)
    branches = [_default(state, word.upper()) for state in sorted(wanted.vm_states)]
    branches += [and_(C.vm_state == state.value, C.task_state == task.value) for state, task in sorted(wanted.pairs)]
    return or_(false(), *branches)


def _default(state: VmState, word: str) -> ColumnElement[bool]:
    others = [task.value for task in TaskState if status_of(state, task) != word]
    if not others:
        return C.vm_state == state.value
    return and_(C.vm_state == state.value, or_(C.task_state.is_(None), C.task_state.not_in(others)))
