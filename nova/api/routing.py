# SPDX-License-Identifier: Apache-2.0
"""One row for each operation of an API, and the table that finds the row for a request.

A row says all that the dispatcher needs: where it is, who may, what the body looks like in which microversion, which
transaction it runs in, what success is.  The support matrix, the policy sample and many tests are read from the rows.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import routes as routes_library

from nova.api.microversion import HIGHEST, LOWEST, Microversion
from nova.api.schema import Schema, Validator
from nova.errors import InvalidConfiguration

if TYPE_CHECKING:
    from nova.api.request import ApiRequest

Handler = Callable[["ApiRequest"], Any]

PUBLIC = "public"
"""The policy of a route that asks nobody who he is; the list of those is a test."""


class Tx(enum.Enum):
    """The transaction that a handler finds in ``request.tx``."""

    READ = "read"
    WRITE = "write"
    NONE = "none"
    """For handlers that wait for something else; they open their own with ``request.cloud.db``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation.

    Rows of the same method and path differ in their microversions or in *action*, the only key of the body that chooses
    between them.  *bodies* holds schemas with the first microversion that they hold for, ascending.
    """

    method: str
    path: str
    """``/servers/{id}``, without version and project"""
    handler: Handler
    policy: str
    action: str = ""
    bodies: tuple[tuple[Microversion, Schema], ...] = ()
    legacy_body: Schema | None = None
    """What ``/v2`` and ``/v1.1`` take, where it is not the first of *bodies*"""
    success: int = 200
    tx: Tx = Tx.READ
    since: Microversion = LOWEST
    until: Microversion = HIGHEST
    body_optional: bool = False
    """Whether a request without a body is one with an empty object."""
    raw_body: bool = False
    """The handler reads ``request.http`` itself (uploads, forms)."""

    @property
    def name(self) -> str:
        """``POST /servers/{id}/action reboot``."""
        return f"{self.method} {self.path}" + (f" {self.action}" if self.action else "")

    def covers(self, version: Microversion) -> bool:
        """Whether the operation is there in *version*."""
        return self.since <= version <= self.until


def body(schema: Schema, *later: tuple[Microversion, Schema]) -> tuple[tuple[Microversion, Schema], ...]:
    """*schema* from the lowest microversion on, then those of *later*."""
    return ((LOWEST, schema), *later)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A route with its schemas compiled."""

    route: Route
    validators: tuple[tuple[Microversion, Validator], ...]
    legacy: Validator | None

    def validator(self, version: Microversion) -> Validator | None:
        """The schema that holds in *version*."""
        found = None
        for since, validator in self.validators:
            if since <= version:
                found = validator
        return found


@dataclass(frozen=True, slots=True)
class Endpoint:
    """All rows of one path."""

    path: str
    rows: list[Compiled] = field(default_factory=list)

    def methods(self) -> set[str]:
        """The methods that some row serves."""
        return {row.route.method for row in self.rows}

    def serving(self, method: str, version: Microversion) -> list[Compiled]:
        """The rows for *method* in *version*: one, or one for each action."""
        return [row for row in self.rows if row.route.method == method and row.route.covers(version)]


class RouteTable:
    """Finds endpoints by path.  A fixed word wins over a variable in the same place."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.routes = tuple(routes)
        self._mapper = routes_library.Mapper(register=False, explicit=True)
        self._mapper.minimization = False
        self._endpoints = endpoints = dict[str, Endpoint]()
        for route in routes:
            endpoint = endpoints.setdefault(route.path, Endpoint(route.path))
            endpoint.rows.append(_compiled(route, among=endpoint.rows))
        for path in sorted(endpoints, key=_fixed_first):
            self._mapper.connect(None, path, template=path)
        self._mapper.create_regs([])

    def find(self, path: str) -> tuple[Endpoint, dict[str, str]] | None:
        """The endpoint at *path* and the values of its variables."""
        match = self._mapper.match(path)
        if match is None:
            return None
        return self._endpoints[match.pop("template")], match


def _fixed_first(path: str) -> list[tuple[bool, str]]:
    return [("{" in part, part) for part in path.split("/")]


def _compiled(route: Route, *, among: Iterable[Compiled]) -> Compiled:
    for other in (row.route for row in among):
        if (other.method, other.action) == (route.method, route.action) and (
            other.since <= route.until and route.since <= other.until
        ):
            raise InvalidConfiguration(f"The route {route.name} is there twice.")
    validators = tuple((since, Validator(schema)) for since, schema in route.bodies)
    legacy = Validator(route.legacy_body) if route.legacy_body else validators[0][1] if validators else None
    return Compiled(route, validators, legacy)
