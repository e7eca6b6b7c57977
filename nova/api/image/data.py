# SPDX-License-Identifier: Apache-2.0
"""An image's bytes, streamed in both directions in constant memory, at once or staged and then imported."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from webob import Response

from nova import errors
from nova.api.dispatch import EXTRA_HEADERS
from nova.api.image import views
from nova.api.parameter_types import closed
from nova.api.refusal import Refusal
from nova.api.request import Answer, ApiRequest
from nova.api.routing import Route, Tx, body
from nova.domain.image import Image

CHUNK_BYTES = 256 * 1024
_RANGE = re.compile(r"bytes=([0-9]{1,18})-([0-9]{0,18})")
_SIZE = "X-OpenStack-Image-Size"
_IMPORT = closed(
    {
        "method": closed({"name": {"enum": ["glance-direct"]}}, "name"),
        "all_stores": {"const": False},
        "all_stores_must_succeed": {"type": "boolean"},
        "stores": {"type": "array", "maxItems": 0},
    },
    "method",
)


def upload(request: ApiRequest) -> None:
    """PUT /v2/images/{image_id}/file"""
    _receive(request, views.host(request).upload)


def stage(request: ApiRequest) -> None:
    """PUT /v2/images/{image_id}/stage"""
    _receive(request, views.host(request).stage)


def _receive(request: ApiRequest, take: Any) -> None:
    kind = request.http.environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if kind != "application/octet-stream":
        raise Refusal(415, "The bytes of an image have the content type application/octet-stream.")
    try:
        take(request.context, request.path["image_id"], _chunks(request), size_bytes=_announced(request))
    except Exception:
        # The rest of the body is not read: the connection cannot be used for another request.
        request.http.environ[EXTRA_HEADERS] = [*request.http.environ.get(EXTRA_HEADERS, ()), ("Connection", "close")]
        raise


def _chunks(request: ApiRequest) -> Iterator[bytes]:
    source = request.http.environ["wsgi.input"]
    while chunk := source.read(CHUNK_BYTES):
        yield chunk


def _announced(request: ApiRequest) -> int | None:
    """How many bytes the sender says will come."""
    length: int | None = request.http.content_length
    text = request.http.headers.get(_SIZE)
    if text is None:
        return length
    if not re.fullmatch(r"[0-9]{1,18}", text) or length not in (None, int(text)):
        raise errors.InvalidInput(f"The header {_SIZE} does not agree with the body.", field=_SIZE)
    return int(text)


def import_staged(request: ApiRequest) -> None:
    """POST /v2/images/{image_id}/import"""
    views.host(request).import_staged(request.context, request.path["image_id"])


def download(request: ApiRequest) -> Response | Answer:
    """GET /v2/images/{image_id}/file"""
    image_id = request.path["image_id"]
    image = views.host(request).get(request.context, image_id)
    if image.status in ("queued", "saving", "uploading", "importing") or image.size_bytes is None:
        return Answer(status=204)
    start, length = _part(request, image.size_bytes)
    chunks = views.host(request).read_part(request.context, image_id, start=start, length=length)
    response = Response(app_iter=chunks, content_type="application/octet-stream", charset=None)
    _describe(response, image, start=start, length=length)
    return response


def _describe(response: Response, image: Image, *, start: int, length: int) -> None:
    response.content_length = length
    response.headers["Accept-Ranges"] = "bytes"
    size_bytes = image.size_bytes or 0
    if length == size_bytes:
        response.headers["Content-MD5"] = image.checksum or ""
    else:
        response.status_int = 206
        response.headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{size_bytes}"


def _part(request: ApiRequest, size_bytes: int) -> tuple[int, int]:
    """Start and length of what is asked for: the whole, unless there is one plain range."""
    match = _RANGE.fullmatch(request.http.headers.get("Range", ""))
    if match is None:
        return 0, size_bytes
    start = int(match.group(1))
    end = int(match.group(2)) if match.group(2) else size_bytes - 1
    if start >= size_bytes or end < start:
        raise Refusal(416, f"The image has {size_bytes} bytes.")
    return start, min(end, size_bytes - 1) - start + 1


_ONE = "/v2/images/{image_id}"
_SEND = "image:upload_image"

ROUTES = (
    Route(method="PUT", path=f"{_ONE}/file", handler=upload, policy=_SEND, success=204, tx=Tx.NONE, raw_body=True),
    Route(method="PUT", path=f"{_ONE}/stage", handler=stage, policy=_SEND, success=204, tx=Tx.NONE, raw_body=True),
    Route(
        method="POST",
        path=f"{_ONE}/import",
        handler=import_staged,
        policy=_SEND,
        bodies=body(_IMPORT),
        success=202,
        tx=Tx.NONE,
    ),
    Route(method="GET", path=f"{_ONE}/file", handler=download, policy="image:download_image", tx=Tx.NONE),
)
