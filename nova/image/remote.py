# SPDX-License-Identifier: Apache-2.0
"""The image service of the neighbourhood, a Glance, in the caller's rights.  Runs in nova-api and nova-compute.

Bytes are hashed as they come; a reader gets Unavailable at the end of a download that is not what the image's
description says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from nova import errors
from nova.context import RequestContext
from nova.domain.image import Image
from nova.image import glance_words as words
from nova.image.protocol import ImageFilters, ImageMember, ImageUpdate, NewImage, Page
from nova.neighbours.glance import PATCH_TYPE, GlanceClient, image_path
from nova.secret import same_secret

_PAGE = 1000
_MAX_IMAGES = 10_000
_ALGORITHMS = ("sha256", "sha384", "sha512", "sha3_256", "sha3_512", "blake2b", "md5")


class RemoteImages:
    """:class:`nova.image.ImageService` over HTTP."""

    def __init__(self, glance: GlanceClient) -> None:
        self._glance = glance

    def get(self, context: RequestContext, image_id: str) -> Image:
        """See :class:`nova.image.ImageService`."""
        try:
            return words.image_of(self._glance.call(context, "GET", image_path(image_id)))
        except errors.NotFound as exc:
            raise errors.NotFound.of("image", image_id) from exc

    def find(
        self, context: RequestContext, *, filters: ImageFilters | None = None, page: Page | None = None
    ) -> tuple[Image, ...]:
        """See :class:`nova.image.ImageService`."""
        wanted = page or Page()
        limit = _MAX_IMAGES if wanted.limit is None else wanted.limit
        found: list[Image] = []
        marker = wanted.marker
        while len(found) < limit:
            asked = min(_PAGE, limit - len(found))
            query = [*words.query_of(filters or ImageFilters()), *words.order_of(wanted), ("limit", str(asked))]
            rows = self._glance.call(
                context, "GET", "/v2/images", query=[*query, *([("marker", marker)] if marker else [])]
            )
            new = [words.image_of(row) for row in words.rows_of(rows)]
            found += new
            if len(new) < asked and "next" not in rows:
                break
            if not new:
                break
            marker = new[-1].id
        return tuple(found)

    def create(self, context: RequestContext, new: NewImage) -> Image:
        """See :class:`nova.image.ImageService`."""
        body: dict[str, Any] = {
            **new.properties,
            "name": new.name,
            "visibility": new.visibility,
            "min_disk": new.min_disk_gb,
            "min_ram": new.min_ram_mb,
            "protected": new.protected,
            "tags": list(new.tags),
        }
        optional = {
            "id": new.id,
            "disk_format": new.disk_format,
            "container_format": new.container_format,
            "owner": new.owner,
            "os_hidden": new.hidden,
        }
        body |= {name: value for name, value in optional.items() if value}
        return words.image_of(self._glance.call(context, "POST", "/v2/images", body=body))

    def update(self, context: RequestContext, image_id: str, changes: ImageUpdate) -> Image:
        """See :class:`nova.image.ImageService`."""
        image = self.get(context, image_id)
        patch = list(words.patch_of(image, changes))
        if not patch:
            return image
        path = image_path(image_id)
        return words.image_of(self._glance.call(context, "PATCH", path, body=patch, content_type=PATCH_TYPE))

    def delete(self, context: RequestContext, image_id: str) -> None:
        """See :class:`nova.image.ImageService`."""
        self._glance.call(context, "DELETE", image_path(image_id))

    def upload(
        self, context: RequestContext, image_id: str, chunks: Iterable[bytes], *, size_bytes: int | None = None
    ) -> Image:
        """See :class:`nova.image.ImageService`."""
        self._glance.send(context, image_path(image_id, "file"), chunks, size_bytes=size_bytes)
        return self.get(context, image_id)

    def read(self, context: RequestContext, image_id: str) -> Iterator[bytes]:
        """See :class:`nova.image.ImageService`."""
        image = self.get(context, image_id)
        return _verified(self._glance.stream(context, image_path(image_id, "file")), image)

    def members(self, context: RequestContext, image_id: str) -> tuple[ImageMember, ...]:
        """See :class:`nova.image.ImageService`."""
        answer = self._glance.call(context, "GET", image_path(image_id, "members"))
        return tuple(words.member_of(row) for row in answer.get("members", ()))

    def add_member(self, context: RequestContext, image_id: str, project_id: str) -> ImageMember:
        """See :class:`nova.image.ImageService`."""
        path = image_path(image_id, "members")
        return words.member_of(self._glance.call(context, "POST", path, body={"member": project_id}))

    def set_member_status(self, context: RequestContext, image_id: str, project_id: str, status: str) -> ImageMember:
        """See :class:`nova.image.ImageService`."""
        path = image_path(image_id, "members", project_id)
        return words.member_of(self._glance.call(context, "PUT", path, body={"status": status}))

    def remove_member(self, context: RequestContext, image_id: str, project_id: str) -> None:
        """See :class:`nova.image.ImageService`."""
        self._glance.call(context, "DELETE", image_path(image_id, "members", project_id))


def _verified(chunks: Iterator[bytes], image: Image) -> Iterator[bytes]:
    """The same bytes; Unavailable at the end when they are not those of the image."""
    algorithm, expected = (image.hash_algo, image.hash_value)
    if not algorithm or not expected or algorithm not in _ALGORITHMS:
        algorithm, expected = ("md5", image.checksum)
    digest = hashlib.new(algorithm, usedforsecurity=False)
    size_bytes = 0
    for chunk in chunks:
        size_bytes += len(chunk)
        digest.update(chunk)
        yield chunk
    if image.size_bytes is not None and size_bytes != image.size_bytes:
        raise errors.Unavailable(f"Only {size_bytes} of {image.size_bytes} bytes of image {image.id} came.")
    if expected and not same_secret(digest.hexdigest(), expected):
        raise errors.Unavailable(f"The bytes of image {image.id} are not those that its {algorithm} names.")
