# SPDX-License-Identifier: Apache-2.0
"""Sockets, cores and threads of a guest's processors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nova.domain.flavor import Flavor
from nova.errors import InvalidInput

PARTS = ("sockets", "cores", "threads")


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuTopology:
    """Their product is the number of processors."""

    sockets: int
    cores: int
    threads: int


def topology_of(flavor: Flavor, properties: Mapping[str, str]) -> CpuTopology | None:
    """What ``hw:cpu_sockets`` and its like of the flavor, or ``hw_cpu_…`` of the image say; None where neither speaks.

    What is not named is filled up: sockets first, since every system knows them.

    :raises InvalidInput: the flavor's processors cannot be arranged so
    """
    named = {part: _named(flavor, properties, part) for part in PARTS}
    if not any(named.values()):
        return None
    left = flavor.vcpus
    for number in named.values():
        if number and left % number:
            raise _impossible(flavor, named)
        left //= number or 1
    for part in PARTS:
        if not named[part]:
            named[part], left = left, 1
    if left != 1:
        raise _impossible(flavor, named)
    return CpuTopology(**named)


def _named(flavor: Flavor, properties: Mapping[str, str], part: str) -> int:
    for text in (flavor.extra_specs.get(f"hw:cpu_{part}", ""), properties.get(f"hw_cpu_{part}", "")):
        if not text:
            continue
        if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) < 65536):
            raise InvalidInput(f"cpu_{part} is {text[:32]!r}; it must be a number from 1 on.", field="flavorRef")
        return int(text)
    return 0


def _impossible(flavor: Flavor, named: Mapping[str, int]) -> InvalidInput:
    words = ", ".join(f"{number} {part}" for part, number in named.items() if number)
    return InvalidInput(f"{flavor.vcpus} processors cannot be arranged as {words}.", field="flavorRef")
