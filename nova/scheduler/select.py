# SPDX-License-Identifier: Apache-2.0
"""The choice of hosts, as pure functions: no database, no clock, and chance only through a generator that is passed in.

    checks = prepare(filters, request)
    ranking = Ranking(passing(hosts, checks), weighers, subset_size=1, random=random)
    host = ranking.best()

One pass over the hosts for each filter and weigher; nothing is copied or sorted but what passed.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from random import Random

from nova.domain.flavor import Flavor
from nova.domain.host import HostRow
from nova.scheduler.filters.check import Check, Filter
from nova.scheduler.request import Request
from nova.scheduler.weighers.table import Weigher


def prepare(filters: Iterable[Filter], request: Request) -> list[Check]:
    """The checks that this request needs."""
    return [check for each in filters if (check := each(request)) is not None]


def passing(hosts: Iterable[HostRow], checks: Iterable[Check]) -> list[HostRow]:
    """The hosts that pass all *checks*."""
    left = list(hosts)
    for check in checks:
        left = list(filter(check.passes, left))
    return left


def explain(hosts: Sequence[HostRow], checks: Iterable[Check]) -> str:
    """Why no host passed: how many each check refused among those that were left, and the reason it gives."""
    if not hosts:
        return "No valid host was found. There is no compute host."
    left, reasons = list(hosts), []
    for check in checks:
        refused = [host for host in left if not check.passes(host)]
        if refused:
            reasons.append(f"{check.name}: {len(refused)} ({check.explain(refused)})")
            left = [host for host in left if check.passes(host)]
    if left:
        reasons.append(f"claimed by others meanwhile: {len(left)}")
    return f"No valid host was found. {len(hosts)} host{'s' if len(hosts) > 1 else ''}: {', '.join(reasons)}."


class Ranking:
    """Hosts that passed, the best first.  What is placed on one lowers its rank for the rest of the request."""

    def __init__(
        self, hosts: Sequence[HostRow], weighers: Sequence[Weigher], *, subset_size: int, random: Random
    ) -> None:
        self._subset_size = max(1, subset_size)
        self._random = random
        self._scales = [_Scale(weigher, hosts) for weigher in weighers]
        self._heap = [
            (-weight, random.random(), host) for weight, host in zip(self._weights(hosts), hosts, strict=True)
        ]
        heapq.heapify(self._heap)

    def best(self) -> HostRow | None:
        """Take the best host out, or one of the best few at random; None when all are used up."""
        if not self._heap:
            return None
        few = [heapq.heappop(self._heap) for _ in range(min(self._subset_size, len(self._heap)))]
        chosen = few.pop(self._random.randrange(len(few)))
        for other in few:
            heapq.heappush(self._heap, other)
        return chosen[2]

    def place(self, host: HostRow, flavor: Flavor, checks: Sequence[Check]) -> None:
        """Count a server of *flavor* on *host*, and put the host back if another one may still go there."""
        fuller = host._replace(
            vcpus_used=host.vcpus_used + flavor.vcpus,
            memory_mb_used=host.memory_mb_used + flavor.memory_mb,
            disk_gb_used=host.disk_gb_used + flavor.disk_gb,
        )
        if all(check.passes(fuller) for check in checks):
            weight = sum(scale.weigh(fuller) for scale in self._scales)
            heapq.heappush(self._heap, (-weight, self._random.random(), fuller))

    def _weights(self, hosts: Sequence[HostRow]) -> list[float]:
        weights = [0.0] * len(hosts)
        for scale in self._scales:
            factor, offset = scale.factor, scale.offset
            weights = [weight + value * factor - offset for weight, value in zip(weights, scale.values, strict=True)]
            scale.values = []
        return weights


class _Scale:
    """One weigher's values brought to a scale on which worst and best among *hosts* differ by its multiplier."""

    def __init__(self, weigher: Weigher, hosts: Sequence[HostRow]) -> None:
        self._value = weigher.value
        self.values = [weigher.value(host) for host in hosts]
        lowest, highest = (min(self.values), max(self.values)) if hosts else (0.0, 0.0)
        # Where all are alike, one more server must still make a difference.
        self.factor = weigher.multiplier / ((highest - lowest) or max(1.0, abs(highest)))
        self.offset = lowest * self.factor

    def weigh(self, host: HostRow) -> float:
        """The weight of *host* as it is now."""
        return self._value(host) * self.factor - self.offset
