# SPDX-License-Identifier: Apache-2.0
"""Repository of flavors.  A private one exists only for the projects that were given access to it, and for admins."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, insert, or_, select, update

from nova import errors
from nova.db.models.base import table_of
from nova.db.models.flavor import FlavorExtraSpecRow, FlavorProjectRow, FlavorRow
from nova.db.paging import beyond, ordered, sort_key, values_at
from nova.db.transaction import Transaction
from nova.db.upserts import insert_missing
from nova.domain.flavor import Flavor

FLAVORS = table_of(FlavorRow)
EXTRA_SPECS = table_of(FlavorExtraSpecRow)
ACCESS = table_of(FlavorProjectRow)
C = FLAVORS.c

SORT_KEYS = frozenset(
    {
        "flavorid",
        "name",
        "memory_mb",
        "vcpus",
        "root_gb",
        "ephemeral_gb",
        "swap",
        "rxtx_factor",
        "is_public",
        "disabled",
    }
    | {"created_at", "updated_at", "id"}
)

_COLUMNS: Select[Any] = select(
    *(C.id, C.flavorid, C.name, C.memory_mb, C.vcpus, C.root_gb, C.ephemeral_gb, C.swap, C.rxtx_factor),
    *(C.is_public, C.disabled),
)


def find(
    tx: Transaction,
    *,
    project_id: str | None = None,
    is_public: bool | None = None,
    min_memory_mb: int = 0,
    min_root_gb: int = 0,
    with_disabled: bool = False,
    sort: tuple[str, str] = ("flavorid", "asc"),
    marker: str = "",
    limit: int | None = None,
) -> list[Flavor]:
    """Flavors that *project_id* may use (None: all of the cloud), in two statements, three with a marker.

    *is_public* narrows to public or private ones; *marker* is the flavor id that the page before ended with.  Raises
    InvalidInput for an unknown marker, sort key or direction.
    """
    narrowed = [*_usable_by(project_id), C.deleted == 0, C.memory_mb >= min_memory_mb, C.root_gb >= min_root_gb]
    if is_public is not None:
        narrowed.append(C.is_public.is_(is_public))
    if not with_disabled:
        narrowed.append(C.disabled.is_(False))
    name, direction = sort
    if name not in SORT_KEYS or direction not in {"asc", "desc"}:
        raise errors.InvalidInput("Flavors cannot be sorted like that.", field="sort_key")
    keys = [sort_key(column, descending=direction == "desc") for column in (C[name], C.id)]
    if marker:
        at = tx.execute(values_at(keys, and_(C.flavorid == marker, C.deleted == 0, *_usable_by(project_id)))).first()
        if at is None:
            raise errors.InvalidInput(f"marker [{marker}] not found", field="marker")
        narrowed.append(beyond(keys, at))
    return _load(tx, ordered(_COLUMNS.where(*narrowed), keys).limit(limit))


def get_by_flavor_id(tx: Transaction, flavor_id: str, *, project_id: str | None = None) -> Flavor:
    """The flavor with a public id; NotFound also when *project_id* may not use it."""
    return _one(tx, C.flavorid == flavor_id, *_usable_by(project_id), key=flavor_id)


def get_by_name(tx: Transaction, name: str, *, project_id: str | None = None) -> Flavor:
    """The flavor with a name; NotFound also when *project_id* may not use it."""
    return _one(tx, C.name == name, *_usable_by(project_id), key=name)


def create(tx: Transaction, flavor: Flavor) -> Flavor:
    """Record a flavor with its extra specs; AlreadyExists when its id or its name is taken."""
    values = {
        "name": flavor.name,
        "flavorid": flavor.flavor_id,
        "memory_mb": flavor.memory_mb,
        "vcpus": flavor.vcpus,
        "root_gb": flavor.root_gb,
        "ephemeral_gb": flavor.ephemeral_gb,
        "swap": flavor.swap_mb,
        "rxtx_factor": flavor.rxtx_factor,
        "is_public": flavor.is_public,
        "disabled": flavor.disabled,
        "created_at": tx.now,
        "updated_at": tx.now,
    }
    taken = f"Flavor with name {flavor.name} or ID {flavor.flavor_id} already exists."
    with tx.unique(taken, resource="flavor", id=flavor.flavor_id):
        key = tx.execute(insert(FLAVORS).values(values)).inserted_primary_key
    made = dataclasses.replace(flavor, id=key[0] if key else 0)
    _add_specs(tx, made.id, made.extra_specs)
    return made


def remove(tx: Transaction, flavor_id: str) -> None:
    """Mark a flavor deleted and forget who had access; instances keep their copy.  Raises NotFound."""
    flavor = get_by_flavor_id(tx, flavor_id)
    gone = update(FLAVORS).where(C.id == flavor.id, C.deleted == 0)
    tx.execute(gone.values(deleted=C.id, deleted_at=tx.now, updated_at=tx.now))
    tx.execute(delete(ACCESS).where(ACCESS.c.instance_type_id == flavor.id))


def set_extra_specs(tx: Transaction, flavor_id: str, specs: Mapping[str, str]) -> dict[str, str]:
    """Add or change extra specs; returns all there are now.  Raises NotFound."""
    flavor = get_by_flavor_id(tx, flavor_id)
    _delete_specs(tx, flavor.id, specs)
    _add_specs(tx, flavor.id, specs)
    return {**flavor.extra_specs, **specs}


def delete_extra_spec(tx: Transaction, flavor_id: str, key: str) -> None:
    """Remove one extra spec; NotFound when flavor or spec is not there."""
    flavor = get_by_flavor_id(tx, flavor_id)
    if _delete_specs(tx, flavor.id, [key]) == 0:
        raise errors.NotFound(f"Flavor {flavor_id} has no extra specs with key {key}.", resource="extra spec", id=key)


def access_list(tx: Transaction, flavor_id: str) -> list[str]:
    """The projects with access to a flavor, sorted; raises NotFound."""
    flavor = get_by_flavor_id(tx, flavor_id)
    chosen = select(ACCESS.c.project_id).where(ACCESS.c.instance_type_id == flavor.id)
    return list(tx.execute(chosen.order_by(ACCESS.c.project_id)).scalars())


def add_access(tx: Transaction, flavor_id: str, project_id: str) -> None:
    """Give a project access; AlreadyExists when it has it, NotFound when there is no such flavor."""
    flavor = get_by_flavor_id(tx, flavor_id)
    message = f"Flavor access already exists for flavor {flavor_id} and project {project_id} combination."
    with tx.unique(message, resource="flavor access", id=flavor_id):
        values = {"instance_type_id": flavor.id, "project_id": project_id, "created_at": tx.now}
        tx.execute(insert(ACCESS).values(values))


def remove_access(tx: Transaction, flavor_id: str, project_id: str) -> None:
    """Take a project's access away; NotFound when it has none."""
    flavor = get_by_flavor_id(tx, flavor_id)
    doomed = delete(ACCESS).where(ACCESS.c.instance_type_id == flavor.id, ACCESS.c.project_id == project_id)
    if tx.execute(doomed).rowcount == 0:
        message = f"Flavor access not found for {flavor_id} / {project_id} combination."
        raise errors.NotFound(message, resource="flavor access", id=flavor_id)


def add_missing(tx: Transaction, flavors: Iterable[Flavor]) -> None:
    """Record those of *flavors* whose id and name are free: what a new cloud starts with."""
    rows = [
        {
            "name": flavor.name,
            "flavorid": flavor.flavor_id,
            "memory_mb": flavor.memory_mb,
            "vcpus": flavor.vcpus,
            "root_gb": flavor.root_gb,
            "created_at": tx.now,
            "updated_at": tx.now,
            "deleted": 0,
        }
        for flavor in flavors
    ]
    insert_missing(tx, FLAVORS, rows)


def _usable_by(project_id: str | None) -> list[ColumnElement[bool]]:
    if project_id is None:
        return []
    granted = select(ACCESS.c.instance_type_id).where(ACCESS.c.project_id == project_id)
    return [or_(C.is_public.is_(True), C.id.in_(granted))]


def _one(tx: Transaction, *conditions: ColumnElement[bool], key: str) -> Flavor:
    found = _load(tx, _COLUMNS.where(*conditions, C.deleted == 0))
    if not found:
        raise errors.NotFound.of("flavor", key)
    return found[0]


def _load(tx: Transaction, statement: Select[Any]) -> list[Flavor]:
    rows = tx.execute(statement).all()
    if not rows:
        return []
    specs: dict[int, dict[str, str]] = {row.id: {} for row in rows}
    e = EXTRA_SPECS.c
    chosen = select(e.instance_type_id, e.key, e.value).where(e.instance_type_id.in_(list(specs)))
    for number, key, value in tx.execute(chosen.order_by(e.id)):
        specs[number][key] = value
    return [
        Flavor(
            id=row.id,
            flavor_id=row.flavorid,
            name=row.name,
            memory_mb=row.memory_mb,
            vcpus=row.vcpus,
            root_gb=row.root_gb,
            ephemeral_gb=row.ephemeral_gb,
            swap_mb=row.swap,
            rxtx_factor=row.rxtx_factor,
            is_public=row.is_public,
            disabled=row.disabled,
            extra_specs=specs[row.id],
        )
        for row in rows
    ]


def _add_specs(tx: Transaction, number: int, specs: Mapping[str, str]) -> None:
    if specs:
        rows = [
            {"instance_type_id": number, "key": key, "value": value, "created_at": tx.now}
            for key, value in specs.items()
        ]
        tx.execute(insert(EXTRA_SPECS), rows)


def _delete_specs(tx: Transaction, number: int, keys: Iterable[str]) -> int:
    e = EXTRA_SPECS.c
    return tx.execute(delete(EXTRA_SPECS).where(e.instance_type_id == number, e.key.in_(list(keys)))).rowcount
