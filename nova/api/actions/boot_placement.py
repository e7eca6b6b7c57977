# SPDX-License-Identifier: Apache-2.0
"""Where a new server is to go: the availability zone, and for administrators the host."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nova.domain import host_query
from nova.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Placement:
    """What ``zone:host:node`` says."""

    zone: str = ""
    host: str = ""
    node: str = ""

    @property
    def forced(self) -> bool:
        """Whether it names more than a zone."""
        return bool(self.host or self.node)


def parse(text: str) -> Placement:
    """``zone``, ``zone:host``, ``zone:host:node`` or ``zone::node``; InvalidInput for more colons."""
    parts = text.split(":")
    if len(parts) > 3:
        raise InvalidInput("The availability zone has too many colons.", field="availability_zone")
    return Placement(*(part.strip() for part in parts))


def check_hints(hints: Mapping[str, Any]) -> None:
    """Refuse hints that no scheduler could read."""
    query = hints.get("query")
    if query:
        host_query.parse(query if isinstance(query, str) else json.dumps(query))
    size = str(hints.get("cidr") or "/0")
    if int(size[1:]) > 32:
        raise InvalidInput("The hint cidr is a number of bits from /0 to /32.", field="cidr")
