# SPDX-License-Identifier: Apache-2.0
"""What a filter makes of one request: a check that each host passes or does not, with the reason for a refusal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nova.domain.host import HostRow
from nova.scheduler.request import Request


@dataclass(frozen=True, slots=True)
class Check:
    """One filter, made ready for one request."""

    name: str
    passes: Callable[[HostRow], bool]
    explain: Callable[[Sequence[HostRow]], str]
    """Why these hosts were refused, for users: no host is named"""


Filter = Callable[[Request], Check | None]
"""A pure function: the check for a request, or None where every host would pass."""


def because(reason: str) -> Callable[[Sequence[HostRow]], str]:
    """The same *reason* for all hosts."""
    return lambda _refused: reason
