# SPDX-License-Identifier: Apache-2.0
"""/images: the image service as older compute clients see it.  Waits for that service, so it holds no transaction."""

from __future__ import annotations

from typing import Any

from nova.api.osapi import times
from nova.api.osapi.paging import Page as WebPage
from nova.api.osapi.paging import marker_page, next_link
from nova.api.osapi.server_create import last_segment
from nova.api.osapi.times import zulu
from nova.api.parameter_types import METADATA, envelope
from nova.api.policies.compute import PREFIX
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx, body
from nova.db import quota_limits
from nova.domain.image import Image
from nova.errors import InvalidInput, NotFound, QuotaExceeded
from nova.image.protocol import ImageFilters, ImageUpdate, Page

SHOW_RULE = PREFIX + "images"
CHANGE_RULE = PREFIX + "images:update"
STATUS = {
    "active": "ACTIVE",
    "queued": "SAVING",
    "saving": "SAVING",
    "deleted": "DELETED",
    "pending_delete": "DELETED",
    "killed": "ERROR",
}
PROGRESS = {"active": 100, "queued": 25, "saving": 50}
ALTERNATE = "application/vnd.openstack.image"
ALL = envelope("metadata", METADATA)
ONE = envelope("meta", {**METADATA, "minProperties": 1, "maxProperties": 1})


def brief(request: ApiRequest, image: Image) -> dict[str, Any]:
    """id, name and links."""
    links = request.links.both("images", image.id)
    links.append({"rel": "alternate", "type": ALTERNATE, "href": request.links.image(image.id)})
    return {"id": image.id, "name": image.name, "links": links}


def full(request: ApiRequest, image: Image) -> dict[str, Any]:
    """All that is known of an image."""
    shown = {
        **brief(request, image),
        "minRam": image.min_ram_mb,
        "minDisk": image.min_disk_gb,
        "metadata": image.properties,
        "created": zulu(image.created_at),
        "updated": zulu(image.updated_at),
        "status": STATUS.get(image.status, "UNKNOWN"),
        "progress": PROGRESS.get(image.status, 0),
        "OS-EXT-IMG-SIZE:size": image.size_bytes or 0,
    }
    if "auto_disk_config" in image.properties:
        automatic = image.properties["auto_disk_config"].lower() in ("true", "1", "yes")
        shown["OS-DCF:diskConfig"] = "AUTO" if automatic else "MANUAL"
    if server := image.properties.get("instance_uuid"):
        shown["server"] = {"id": server, "links": request.links.both("servers", server)}
    return shown


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /images"""
    return _list(request, "images", brief)


def detail(request: ApiRequest) -> dict[str, Any]:
    """GET /images/detail"""
    return _list(request, "images/detail", full)


def _list(request: ApiRequest, path: str, shape: Any) -> dict[str, Any]:
    page = _page(request)
    found = request.cloud.images.find(
        request.context, filters=_filters(request), page=Page(limit=page.limit, marker=page.marker)
    )
    answer: dict[str, Any] = {"images": [shape(request, image) for image in found]}
    if links := next_link(request, path, page, count=len(found), last=found[-1].id if found else ""):
        answer["images_links"] = links
    return answer


def _page(request: ApiRequest) -> WebPage:
    if "page_size" in request.query and "limit" not in request.query:
        request.query["limit"] = request.query["page_size"]
    return marker_page(request)


def _filters(request: ApiRequest) -> ImageFilters:
    query = request.query
    properties = {key.removeprefix("property-"): value for key, value in query.items() if key.startswith("property-")}
    if "server" in query:
        properties["instance_uuid"] = last_segment(query["server"])
    if "type" in query:
        properties["image_type"] = query["type"]
    status = query.get("status", "").upper()
    since = query.get("changes-since")
    return ImageFilters(
        names=(query["name"],) if "name" in query else None,
        statuses=tuple(word for word, shown in STATUS.items() if shown == status) if status else None,
        min_ram_mb=_number(request, "minRam"),
        min_disk_gb=_number(request, "minDisk"),
        changed_since=times.parse(since, field="changes-since") if since else None,
        properties=properties,
    )


def _number(request: ApiRequest, name: str) -> int | None:
    text = request.query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidInput(f"Invalid input for {name}: it must be a number.", field=name)
    return int(text)


def _image(request: ApiRequest) -> Image:
    return request.cloud.images.get(request.context, request.path["id"])


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /images/{id}"""
    return {"image": full(request, _image(request))}


def delete(request: ApiRequest) -> None:
    """DELETE /images/{id}"""
    request.cloud.images.delete(request.context, request.path["id"])


def metadata_index(request: ApiRequest) -> dict[str, Any]:
    """GET /images/{id}/metadata"""
    return {"metadata": _image(request).properties}


def metadata_show(request: ApiRequest) -> dict[str, Any]:
    """GET /images/{id}/metadata/{key}"""
    properties, key = _image(request).properties, request.path["key"]
    if key not in properties:
        raise NotFound("The image has no metadata item of this name.", resource="metadata", id=key)
    return {"meta": {key: properties[key]}}


def metadata_merge(request: ApiRequest) -> dict[str, Any]:
    """POST /images/{id}/metadata"""
    return {"metadata": _store(request, request.body["metadata"], replace=False)}


def metadata_replace(request: ApiRequest) -> dict[str, Any]:
    """PUT /images/{id}/metadata"""
    return {"metadata": _store(request, request.body["metadata"], replace=True)}


def metadata_update(request: ApiRequest) -> dict[str, Any]:
    """PUT /images/{id}/metadata/{key}"""
    item = request.body["meta"]
    if set(item) != {request.path["key"]}:
        raise InvalidInput("The key in the body is not the key in the URL.", field="meta")
    _store(request, item, replace=False)
    return {"meta": item}


def metadata_delete(request: ApiRequest) -> None:
    """DELETE /images/{id}/metadata/{key}"""
    key = request.path["key"]
    if key not in _image(request).properties:
        raise NotFound("The image has no metadata item of this name.", resource="metadata", id=key)
    request.cloud.images.update(request.context, request.path["id"], ImageUpdate(remove_properties=(key,)))


def _store(request: ApiRequest, items: dict[str, str], *, replace: bool) -> dict[str, str]:
    before = _image(request).properties
    gone = tuple(key for key in before if key not in items) if replace else ()
    _check_count(request, len(items) if replace else len({*before, *items}))
    changes = ImageUpdate(set_properties=items, remove_properties=gone)
    return request.cloud.images.update(request.context, request.path["id"], changes).properties


def _check_count(request: ApiRequest, count: int) -> None:
    defaults = request.cloud.settings.default_quotas
    with request.cloud.db.transaction(write=False) as tx:
        limit = quota_limits.effective(tx, request.context.project_id, defaults=defaults)["metadata_items"]
    if 0 <= limit < count:
        raise QuotaExceeded(f"An image can have at most {limit} metadata items.", resource="metadata_items")


_ITEM, _METADATA, _KEY = "/images/{id}", "/images/{id}/metadata", "/images/{id}/metadata/{key}"

ROUTES = (
    *(
        Route(method="GET", path=path, handler=handler, policy=SHOW_RULE, tx=Tx.NONE)
        for path, handler in (
            ("/images", index),
            ("/images/detail", detail),
            (_ITEM, show),
            (_METADATA, metadata_index),
            (_KEY, metadata_show),
        )
    ),
    *(
        Route(method=method, path=path, handler=handler, policy=CHANGE_RULE, tx=Tx.NONE, bodies=body(schema))
        for method, path, handler, schema in (
            ("POST", _METADATA, metadata_merge, ALL),
            ("PUT", _METADATA, metadata_replace, ALL),
            ("PUT", _KEY, metadata_update, ONE),
        )
    ),
    *(
        Route(method="DELETE", path=path, handler=handler, policy=CHANGE_RULE, tx=Tx.NONE, success=204)
        for path, handler in ((_ITEM, delete), (_KEY, metadata_delete))
    ),
)
