# SPDX-License-Identifier: Apache-2.0
"""GET /v2/images: what the query string asks for, and the links to the next page."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from nova import errors
from nova.api.image import views
from nova.api.parameter_types import query_bool
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx
from nova.domain.image import Image
from nova.image import ImageFilters, Page
from nova.image.protocol import SORT_KEYS
from nova.image.rules import VISIBILITIES

DEFAULT_LIMIT = 25
_MEMBER_STATUSES = ("accepted", "pending", "rejected", "all")
_OWN_WORDS = frozenset({"limit", "marker", "sort", "sort_key", "sort_dir"})
_NUMBER = re.compile(r"[0-9]{1,18}")


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /v2/images"""
    page = _page(request)
    found = views.host(request).find(request.context, filters=_filters(request), page=page)
    answer: dict[str, Any] = {
        "images": [views.image(image) for image in found],
        "first": _link(request, without=("marker",)),
        "schema": "/v2/schemas/images",
    }
    if found and len(found) == page.limit:
        answer["next"] = _link(request, without=("marker",), marker=found[-1])
    return answer


def _link(request: ApiRequest, *, without: Iterable[str], marker: Image | None = None) -> str:
    pairs = [(key, value) for key, value in request.query.items() if key not in without]
    if marker:
        pairs.append(("marker", marker.id))
    return "/v2/images" + (f"?{urlencode(pairs)}" if pairs else "")


def _page(request: ApiRequest) -> Page:
    most = request.cloud.settings.max_limit
    limit = _number(request, "limit")
    return Page(
        limit=min(DEFAULT_LIMIT if limit is None else limit, most),
        marker=request.query.get("marker", ""),
        sort=_sort(request),
    )


def _sort(request: ApiRequest) -> tuple[tuple[str, bool], ...]:
    """``sort=name:asc,created_at`` or pairs of ``sort_key`` and ``sort_dir``; newest first without either."""
    if "sort" in request.query:
        parts = [part.partition(":") for part in request.query["sort"].split(",")]
        pairs = [(key.strip(), direction.strip() or "desc") for key, _, direction in parts]
    else:
        keys = request.query.getall("sort_key") or ["created_at"]
        directions = request.query.getall("sort_dir") or ["desc"]
        pairs = [(key, directions[min(place, len(directions) - 1)]) for place, key in enumerate(keys)]
    if any(key not in SORT_KEYS or direction not in ("asc", "desc") for key, direction in pairs):
        raise errors.InvalidInput(f"Sort by {', '.join(SORT_KEYS)}, asc or desc.", field="sort")
    if len(dict(pairs)) != len(pairs):
        raise errors.InvalidInput("A sort key is given twice.", field="sort")
    return tuple((key, direction == "asc") for key, direction in pairs)


def _number(request: ApiRequest, name: str) -> int | None:
    text = request.query.get(name)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise errors.InvalidInput(f"The value of {name} is a number from 0 on.", field=name)
    return int(text)


def _several(request: ApiRequest, name: str) -> tuple[str, ...] | None:
    """One value, or a list of them as ``in:a,"b,c"``."""
    text = request.query.get(name)
    if text is None:
        return None
    if not text.startswith("in:"):
        return (text.removeprefix("eq:"),)
    try:
        return tuple(next(csv.reader([text.removeprefix("in:")], strict=True), ()))
    except csv.Error:
        raise errors.InvalidInput(f"The list in {name} is not well formed.", field=name) from None


def _word(request: ApiRequest, name: str, words: Iterable[str]) -> str | None:
    text: str | None = request.query.get(name)
    if text is not None and text not in words:
        raise errors.InvalidInput(f"The value of {name} is one of {', '.join(words)}.", field=name)
    return text


def _flag(request: ApiRequest, name: str) -> bool | None:
    return query_bool(request.query[name], field=name) if name in request.query else None


def _filters(request: ApiRequest) -> ImageFilters:
    known = {
        "ids": _several(request, "id"),
        "names": _several(request, "name"),
        "statuses": _several(request, "status"),
        "visibility": _word(request, "visibility", (*VISIBILITIES, "all")),
        "owner": request.query.get("owner"),
        "member_status": _word(request, "member_status", _MEMBER_STATUSES) or "accepted",
        "tags": tuple(request.query.getall("tag")),
        "size_min": _number(request, "size_min"),
        "size_max": _number(request, "size_max"),
        "disk_formats": _several(request, "disk_format"),
        "container_formats": _several(request, "container_format"),
        "protected": _flag(request, "protected"),
        "hidden": bool(_flag(request, "os_hidden")),
        "min_ram_mb": _number(request, "min_ram"),
        "min_disk_gb": _number(request, "min_disk"),
        "checksum": request.query.get("checksum"),
        "hash_value": request.query.get("os_hash_value"),
    }
    return ImageFilters(**known, properties=_properties(request))


_ATTRIBUTES = frozenset(
    {
        *("id", "name", "status", "visibility", "owner", "member_status", "tag", "size_min", "size_max", "disk_format"),
        *("container_format", "protected", "os_hidden", "min_ram", "min_disk", "checksum", "os_hash_value"),
    }
)
_NOT_SERVED = ("created_at", "updated_at", "changes-since", "size", "virtual_size")


def _properties(request: ApiRequest) -> dict[str, str]:
    """All other words are the names of properties."""
    for name in _NOT_SERVED:
        if name in request.query:
            raise errors.InvalidInput(f"Images cannot be looked for by {name}.", field=name)
    names = set(request.query) - _ATTRIBUTES - _OWN_WORDS
    return {name: request.query[name] for name in names}


ROUTES = (Route(method="GET", path="/v2/images", handler=index, policy="image:get_images", tx=Tx.NONE),)
