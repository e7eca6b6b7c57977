# SPDX-License-Identifier: Apache-2.0
"""The scheduler hint ``query``: conditions on a host, as nested JSON lists.

    ["and", [">=", "$free_ram_mb", 1024], ["in", "$host", "h1", "h2"]]

Parsed where the request comes in, so that a wrong one is refused there; bounded in depth and number of parts.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nova.domain.host import HostRow
from nova.errors import InvalidInput

Test = Callable[[HostRow], Any]
MAX_DEPTH = 10
MAX_PARTS = 200
MAX_TEXT = 4096
FIELD = "query"

VARIABLES: Mapping[str, Test] = {
    "host": lambda host: host.host,
    "hypervisor_hostname": lambda host: host.node,
    "hypervisor_type": lambda host: host.hypervisor_type,
    "availability_zone": lambda host: host.availability_zone,
    "free_ram_mb": lambda host: host.memory_mb - host.memory_mb_used,
    "total_usable_ram_mb": lambda host: host.memory_mb,
    "free_disk_mb": lambda host: min(host.disk_gb - host.disk_gb_used, host.disk_available_gb) * 1024,
    "total_usable_disk_gb": lambda host: host.disk_gb,
    "vcpus_total": lambda host: host.vcpus,
    "vcpus_used": lambda host: host.vcpus_used,
    "num_instances": lambda host: host.running_vms,
}
"""What may be asked of a host, after a ``$``."""
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def parse(text: str) -> Test:
    """The condition; InvalidInput with what is wrong."""
    if len(text) > MAX_TEXT:
        raise InvalidInput(f"The hint query is longer than {MAX_TEXT} characters.", field=FIELD)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInput("The hint query is not JSON.", field=FIELD) from None
    return _Parser().condition(found, 0)


class _Parser:
    def __init__(self) -> None:
        self._parts = 0

    def condition(self, part: Any, depth: int) -> Test:
        """One list whose first item is an operator."""
        self._count(depth)
        if not isinstance(part, list) or not part or not isinstance(part[0], str):
            raise InvalidInput("Each part of the hint query is a list that begins with an operator.", field=FIELD)
        word, rest = part[0].lower(), part[1:]
        if word in ("and", "or"):
            tests = [self.condition(each, depth + 1) for each in rest]
            join = all if word == "and" else any
            return lambda host: join(test(host) for test in tests)
        if word == "not":
            if len(rest) != 1:
                raise InvalidInput("The operator not has one operand.", field=FIELD)
            inner = self.condition(rest[0], depth + 1)
            return lambda host: not inner(host)
        return self._comparison(word, [self._value(each) for each in rest])

    def _comparison(self, word: str, values: Sequence[Test]) -> Test:
        if len(values) < 2:
            raise InvalidInput(f"The operator {word[:16]!r} needs two operands.", field=FIELD)
        first, others = values[0], values[1:]
        if word == "in":
            return lambda host: any(first(host) == other(host) for other in others)
        if word not in _COMPARISONS:
            known = ", ".join([*_COMPARISONS, "in", "not", "and", "or"])
            raise InvalidInput(f"The hint query knows no operator {word[:16]!r}, only {known}.", field=FIELD)
        compare = _COMPARISONS[word]
        return lambda host: all(_holds(compare, first(host), other(host)) for other in others)

    def _value(self, part: Any) -> Test:
        self._count(0)
        if isinstance(part, str) and part.startswith("$"):
            name = part[1:]
            if name not in VARIABLES:
                raise InvalidInput(
                    f"The hint query knows no variable ${name[:32]}, only {', '.join(VARIABLES)}.", field=FIELD
                )
            return VARIABLES[name]
        if not isinstance(part, str | int | float | bool):
            raise InvalidInput("An operand of the hint query is a text, a number or a variable.", field=FIELD)
        return lambda _host: part

    def _count(self, depth: int) -> None:
        self._parts += 1
        if depth > MAX_DEPTH or self._parts > MAX_PARTS:
            raise InvalidInput("The hint query has too many parts.", field=FIELD)


def _holds(compare: Callable[[Any, Any], bool], first: Any, second: Any) -> bool:
    """Whether it is true; never so for things of different kinds."""
    try:
        return compare(first, second)
    except TypeError:
        return False
