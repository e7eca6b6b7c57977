# SPDX-License-Identifier: Apache-2.0
"""Pages of lists: ``limit`` with ``marker`` or ``offset``, and the link to the next page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from nova.api.request import ApiRequest
from nova.errors import InvalidInput

T = TypeVar("T")
MAX_MARKER = 255


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted."""

    limit: int
    marker: str = ""


def _number(request: ApiRequest, name: str) -> int | None:
    text = request.query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise InvalidInput(f"Invalid input for {name}: it must be a number, 0 or more.", field=name)
    return int(text)


def marker_page(request: ApiRequest) -> Page:
    """``limit`` (cut to the operator's maximum) and ``marker``."""
    most = request.cloud.settings.max_limit
    limit = _number(request, "limit")
    return Page(most if limit is None else min(limit, most), request.query.get("marker", "")[:MAX_MARKER])


def after_marker(items: Sequence[T], page: Page, key: Any) -> list[T]:
    """The page of a list that is in memory; InvalidInput when no item has the marker."""
    start = 0
    if page.marker:
        keys = [str(key(item)) for item in items]
        if page.marker not in keys:
            raise InvalidInput(f"The marker {page.marker} was not found.", field="marker")
        start = keys.index(page.marker) + 1
    return list(items[start : start + page.limit])


def offset_of(request: ApiRequest) -> int:
    """``offset``, for lists that the database cuts."""
    return _number(request, "offset") or 0


def offset_page(request: ApiRequest, items: Sequence[T]) -> list[T]:
    """The page that ``limit`` (0 for the maximum) and ``offset`` name."""
    most = request.cloud.settings.max_limit
    limit = min(_number(request, "limit") or most, most)
    offset = offset_of(request)
    return list(items[offset : offset + limit])


def next_link(request: ApiRequest, path: str, page: Page, *, count: int, last: str) -> list[dict[str, str]] | None:
    """The link to the page after *last*, when this one is full."""
    if count == 0 or count < page.limit:
        return None
    query = [(key, value) for key, value in request.query.items() if key not in ("limit", "marker")]
    query += [("limit", str(page.limit)), ("marker", last)]
    return [{"rel": "next", "href": f"{request.links.own(*path.split('/'))}?{urlencode(query)}"}]
