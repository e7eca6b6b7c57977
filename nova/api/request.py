# SPDX-License-Identifier: Apache-2.0
"""What a handler is given, and what it may answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from webob import Request
from webob.multidict import MultiDict

from nova.api.cloud import Cloud
from nova.api.microversion import LOWEST, Microversion
from nova.context import RequestContext
from nova.db.engine import Transaction
from nova.errors import InternalError


@dataclass(frozen=True, slots=True)
class Links:
    """Builds the URLs of answers."""

    base: str
    """``http://host:8774``, or what the operator set"""
    version: str
    """``/v2.1``"""
    project: str
    """``/<project>`` where the request's URL had it, else empty"""
    images: str
    """The same for the image service."""

    def own(self, *parts: str) -> str:
        """The URL of a resource of this API."""
        return f"{self.base}{self.version}{self.project}/{'/'.join(parts)}"

    def bookmark(self, *parts: str) -> str:
        """The URL without the version, which stays good."""
        return f"{self.base}{self.project}/{'/'.join(parts)}"

    def both(self, *parts: str) -> list[dict[str, str]]:
        """``self`` and ``bookmark``."""
        return [{"rel": "self", "href": self.own(*parts)}, {"rel": "bookmark", "href": self.bookmark(*parts)}]

    def image(self, image_id: str) -> str:
        """The image in the image service."""
        return f"{self.images}/images/{image_id}"


@dataclass(slots=True, kw_only=True)
class ApiRequest:
    """One request, parsed, with its caller known and allowed, and its body checked."""

    http: Request
    cloud: Cloud
    context: RequestContext
    links: Links
    version: Microversion = LOWEST
    legacy: bool = False
    """Whether it came to ``/v2`` or ``/v1.1``"""
    path: dict[str, str] = field(default_factory=dict)
    """The variables of the route"""
    query: MultiDict[str, str] = field(default_factory=MultiDict)
    body: Any = None
    """The JSON body; for an action the value of its key"""
    transaction: Transaction | None = None

    @property
    def tx(self) -> Transaction:
        """The transaction that the dispatcher opened for this handler."""
        if self.transaction is None:
            raise InternalError(detail="the route has transaction mode none, but its handler uses request.tx")
        return self.transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer that is more than a JSON object with the route's usual status."""

    body: Any = None
    """Encoded as JSON; None for an empty body"""
    status: int | None = None
    """Where it is not the route's"""
    headers: tuple[tuple[str, str], ...] = ()
