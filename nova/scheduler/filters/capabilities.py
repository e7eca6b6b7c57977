# SPDX-License-Identifier: Apache-2.0
"""What a flavor's extra specs demand of a host: ``capabilities:hypervisor_type = "s== QEMU"`` and the like."""

from __future__ import annotations

import operator
from collections.abc import Callable

from nova.domain.host import HostRow
from nova.scheduler.filters.check import Check, because
from nova.scheduler.request import Request

SCOPE = "capabilities:"
KNOWN = {"hypervisor_type", "hypervisor_version", "vcpus", "memory_mb", "disk_gb", "host", "node", "availability_zone"}
_NUMBERS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
}
"""A single ``=`` has always meant "at least" here."""
_TEXTS: dict[str, Callable[[str, str], bool]] = {
    "s==": operator.eq,
    "s!=": operator.ne,
    "s>=": operator.ge,
    "s>": operator.gt,
    "s<=": operator.le,
    "s<": operator.lt,
}


def capabilities_filter(request: Request) -> Check | None:
    """Refuses hosts of which a scoped extra spec is not true; one that no host has is true of none."""
    specs = request.spec.flavor.extra_specs
    demands = [(key.removeprefix(SCOPE), wanted) for key, wanted in specs.items() if key.startswith(SCOPE)]
    if not demands:
        return None

    def passes(host: HostRow) -> bool:
        return all(name in KNOWN and holds(str(getattr(host, name)), wanted) for name, wanted in demands)

    shown = ", ".join(f"{name} {wanted}" for name, wanted in demands)
    return Check("capabilities", passes, because(f"needs {shown}"))


def holds(value: str, wanted: str) -> bool:
    """Whether *value* fulfils *wanted*: an operator and its operand, ``<or>`` alternatives, or plain text."""
    word, _, rest = wanted.strip().partition(" ")
    operand = rest.strip()
    if word == "<or>":
        return value in {each.strip() for each in wanted.split("<or>")}
    if word == "<in>":
        return operand in value
    if word in _TEXTS:
        return _TEXTS[word](value, operand)
    if word in _NUMBERS:
        return _compared(word, value, operand)
    return value.lower() == wanted.strip().lower()


def _compared(word: str, value: str, operand: str) -> bool:
    try:
        return _NUMBERS[word](float(value), float(operand))
    except ValueError:
        return False
