# SPDX-License-Identifier: Apache-2.0
"""Requests per user and kind, counted in this process only; off unless ``api_rate_limit`` is on.

``limits = (POST, "*", .*, 10, MINUTE);(…)`` in api-paste.ini: method, what is shown of the path, an expression that the
path after version and project must match, how many, per SECOND, MINUTE, HOUR or DAY.
"""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from nova.api.cloud import deployed
from nova.api.dispatch import CONTEXT, Environ, StartResponse
from nova.errors import InvalidConfiguration, RateLimited

UNITS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86400}
DEFAULT = '(POST, "*", .*, 120, MINUTE);(PUT, "*", .*, 120, MINUTE);(DELETE, "*", .*, 120, MINUTE)'
MAX_COUNTERS = 10_000
LIMITS = "nova.rate_limits"
"""The environ key under which ``GET /limits`` finds what holds for the caller."""
_ROW = re.compile(r'\(\s*(\w+)\s*,\s*"?([^",]*)"?\s*,\s*(.+?)\s*,\s*(\d+)\s*,\s*(\w+)\s*\)')


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests of a kind in so many seconds."""

    verb: str
    uri: str
    pattern: str
    value: int
    unit: str


def parse(text: str) -> tuple[Limit, ...]:
    """The limits that *text* lists."""
    limits = []
    for row in filter(None, (part.strip() for part in text.split(";"))):
        match = _ROW.fullmatch(row)
        if match is None or match.group(5).upper() not in UNITS or match.group(4) == "0":
            raise InvalidConfiguration(f"This rate limit in api-paste.ini cannot be read: {row[:80]}")
        verb, uri, pattern, value, unit = match.groups()
        limits.append(Limit(verb.upper(), uri, pattern, int(value), unit.upper()))
    return tuple(limits)


def filter_factory(_global: dict[str, str], *, limits: str = DEFAULT, **_local: str) -> Callable[[Any], Any]:
    """For api-paste.ini."""
    if not deployed().settings.rate_limits:
        return lambda app: app
    parsed = parse(limits)
    return lambda app: RateLimit(app, limits=parsed)


class RateLimit:
    """A bucket for each user and limit that fills evenly; an empty one refuses."""

    def __init__(self, app: Any, *, limits: tuple[Limit, ...], clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._limits = [(limit, re.compile(limit.pattern)) for limit in limits]
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[tuple[str, Limit], tuple[float, float]] = OrderedDict()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        user = environ[CONTEXT].user_id if CONTEXT in environ else environ.get("REMOTE_ADDR", "")
        path = "/" + environ.get("PATH_INFO", "").lstrip("/").partition("/")[2]
        for limit, pattern in self._limits:
            if limit.verb == environ["REQUEST_METHOD"] and pattern.match(path):
                self._take(user, limit)
        environ[LIMITS] = [(limit, int(self._level(user, limit)[0])) for limit, _ in self._limits]
        answer: Iterable[bytes] = self._app(environ, start_response)
        return answer

    def _level(self, user: str, limit: Limit) -> tuple[float, float]:
        now = self._clock()
        level, since = self._buckets.get((user, limit), (float(limit.value), now))
        return min(limit.value, level + (now - since) * limit.value / UNITS[limit.unit]), now

    def _take(self, user: str, limit: Limit) -> None:
        with self._lock:
            level, now = self._level(user, limit)
            if level < 1:
                wait_s = (1 - level) * UNITS[limit.unit] / limit.value
                raise RateLimited("This request was rate-limited.", retry_after_s=int(wait_s) + 1)
            self._buckets[user, limit] = (level - 1, now)
            self._buckets.move_to_end((user, limit))
            while len(self._buckets) > MAX_COUNTERS:
                self._buckets.popitem(last=False)
