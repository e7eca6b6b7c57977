# SPDX-License-Identifier: Apache-2.0
"""nova-manage flavor (older: instance_type): the sizes of servers."""

from __future__ import annotations

import math
from collections.abc import Callable

from nova import errors
from nova.cmd.manage.frame import Action, Argument, Category, boolean
from nova.cmd.manage.operator import Operator
from nova.db import flavors
from nova.db.engine import Transaction
from nova.domain.flavor import Flavor


def create(
    operator: Operator,
    *,
    name: str,
    memory: int,
    vcpus: int,
    root_gb: int,
    ephemeral_gb: int,
    flavor: str | None,
    swap: int,
    rxtx_factor: float,
    is_public: bool,
) -> None:
    """Make a flavor."""

    def work(tx: Transaction) -> Flavor:
        wanted = Flavor(
            flavor_id=flavor or str(_next_number(tx)),
            name=name,
            memory_mb=memory,
            vcpus=vcpus,
            root_gb=root_gb,
            ephemeral_gb=ephemeral_gb,
            swap_mb=swap,
            rxtx_factor=rxtx_factor,
            is_public=is_public,
        )
        return flavors.create(tx, wanted)

    try:
        operator.db.run(work)
    except errors.AlreadyExists as error:
        list_flavors(operator, name="")
        raise errors.AlreadyExists(error.message, exit_code=2) from error
    operator.say(f"{name} created")


def _next_number(tx: Transaction) -> int:
    numbers = [int(f.flavor_id) for f in flavors.find(tx, with_disabled=True) if f.flavor_id.isdecimal()]
    return max(numbers, default=0) + 1


def delete(operator: Operator, *, name: str) -> None:
    """Delete a flavor; servers that have it keep what they have."""
    operator.db.run(lambda tx: flavors.remove(tx, flavors.get_by_name(tx, name).flavor_id))
    operator.say(f"{name} deleted")


def list_flavors(operator: Operator, *, name: str) -> None:
    """One line for each flavor."""
    for flavor in operator.db.run(lambda tx: flavors.find(tx, with_disabled=True), write=False):
        if name in ("", flavor.name):
            specs = {key: str(value) for key, value in flavor.extra_specs.items()}
            operator.say(
                f"{flavor.name}: Memory: {flavor.memory_mb}MB, VCPUS: {flavor.vcpus}, Root: {flavor.root_gb}GB, "
                f"Ephemeral: {flavor.ephemeral_gb}Gb, FlavorID: {flavor.flavor_id}, Swap: {flavor.swap_mb}MB, "
                f"RXTX Factor: {flavor.rxtx_factor}, {'public' if flavor.is_public else 'private'}, "
                f"ExtraSpecs {specs}"
            )


def set_key(operator: Operator, *, name: str, key: str, value: str) -> None:
    """Set one extra spec."""
    operator.db.run(lambda tx: flavors.set_extra_specs(tx, flavors.get_by_name(tx, name).flavor_id, {key: value}))
    operator.say(f"Key {key} set to {value} on instance type {name}")


def unset_key(operator: Operator, *, name: str, key: str) -> None:
    """Remove one extra spec."""
    operator.db.run(lambda tx: flavors.delete_extra_spec(tx, flavors.get_by_name(tx, name).flavor_id, key))
    operator.say(f"Key {key} on instance type {name} unset")


def _name(word: str) -> str:
    if not 0 < len(word.strip()) <= 255:
        raise ValueError("1 to 255 characters are expected")
    return word.strip()


def _at_least(least: int) -> Callable[[str], int]:
    def convert(word: str) -> int:
        if not least <= int(word) < 1 << 31:
            raise ValueError(f"a number from {least} to {(1 << 31) - 1} is expected")
        return int(word)

    return convert


def _share(word: str) -> float:
    if not 0 < float(word) < math.inf:
        raise ValueError("more than 0 is expected")
    return float(word)


_NAME = Argument("name", "name of the flavor", required=True)
_KEY = Argument("key", "name of the extra spec", required=True)

CATEGORY = Category(
    "flavor",
    "The sizes of servers.",
    (
        Action(
            "create",
            create,
            "Make a flavor.",
            (
                Argument("name", "name of the flavor", required=True, convert=_name),
                Argument("memory", "memory in MB", required=True, convert=_at_least(1)),
                Argument("vcpus", "virtual processors", required=True, convert=_at_least(1), spellings=("cpu",)),
                Argument("root_gb", "root disk in GB", required=True, convert=_at_least(0), spellings=("local_gb",)),
                Argument("ephemeral_gb", "ephemeral disk in GB", default=0, convert=_at_least(0)),
                Argument("flavor", "public id; the next free number where none is given", spellings=("flavorid",)),
                Argument("swap", "swap disk in MB", default=0, convert=_at_least(0)),
                Argument("rxtx_factor", "share of the network's bandwidth", default=1.0, convert=_share),
                Argument("is_public", "whether every project may use it (T or F)", default=True, convert=boolean),
            ),
        ),
        Action("delete", delete, "Delete a flavor.", (_NAME,)),
        Action("list", list_flavors, "List flavors.", (Argument("name", "only this one", default=""),)),
        Action(
            "set_key",
            set_key,
            "Set an extra spec.",
            (_NAME, _KEY, Argument("value", "value of the extra spec", required=True)),
        ),
        Action("unset_key", unset_key, "Remove an extra spec.", (_NAME, _KEY)),
    ),
)
