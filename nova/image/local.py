# SPDX-License-Identifier: Apache-2.0
"""The built-in image service: descriptions in the database, bytes in a directory.  Runs in nova-api.

The data of an active image never changes, and an id is never used again.  Bytes are written aside, brought to the disk,
inspected, renamed, and only then does the image become active; so every file has a row, or is an orphan that ``sweep``
removes.  A deletion is a change of the row; the upload that runs sees it within half a second and removes what came.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from nova import errors
from nova.context import RequestContext
from nova.db import images
from nova.db.engine import Database, Transaction
from nova.db.images import members, uploads
from nova.domain.image import Image
from nova.image import rules
from nova.image.changes import apply_changes
from nova.image.files import FileChunks, ImageFiles
from nova.image.protocol import ImageFilters, ImageMember, ImageUpdate, NewImage, Page
from nova.image.uploading import StoreSettings, Uploads, owned, viewer_of

MAX_MEMBERS = 128
MEMBER_STATUSES = ("pending", "accepted", "rejected")


def _directly(function: Callable[..., Any], *args: Any) -> Any:
    return function(*args)


class LocalImages:
    """:class:`nova.image.protocol.ImageHost` over our own database and a directory.

    :param run_blocking: runs a function outside the event loop
    """

    def __init__(
        self,
        db: Database,
        files: ImageFiles,
        *,
        settings: StoreSettings | None = None,
        run_blocking: Callable[..., Any] = _directly,
    ) -> None:
        self._db = db
        self._files = files
        self._settings = settings or StoreSettings()
        self._uploads = Uploads(db, files, settings=self._settings, run_blocking=run_blocking)

    def get(self, context: RequestContext, image_id: str) -> Image:
        """See :class:`nova.image.ImageService`."""
        return self._db.run(lambda tx: images.get(tx, image_id, viewer=viewer_of(context)), write=False)

    def find(
        self, context: RequestContext, *, filters: ImageFilters | None = None, page: Page | None = None
    ) -> tuple[Image, ...]:
        """See :class:`nova.image.ImageService`."""
        query = _query(context, filters or ImageFilters(), page or Page())
        return self._db.run(lambda tx: images.find(tx, query), write=False)

    def create(self, context: RequestContext, new: NewImage) -> Image:
        """See :class:`nova.image.ImageService`."""
        rules.check_new(context, new, extra_formats=self._settings.extra_formats)
        image = Image(
            id=new.id or str(uuid.uuid4()),
            name=new.name,
            status="queued",
            visibility=new.visibility,
            owner=new.owner or context.project_id,
            disk_format=new.disk_format,
            container_format=new.container_format,
            min_disk_gb=new.min_disk_gb,
            min_ram_mb=new.min_ram_mb,
            protected=new.protected,
            hidden=new.hidden,
            tags=rules.checked_tags(new.tags),
            properties=new.properties,
        )

        def work(tx: Transaction) -> Image:
            uploads.claim_image(tx, image.owner, self._settings.limits)
            images.create(tx, image)
            return images.get(tx, image.id, viewer=None)

        return self._db.run(work)

    def update(self, context: RequestContext, image_id: str, changes: ImageUpdate) -> Image:
        """See :class:`nova.image.ImageService`."""

        def work(tx: Transaction) -> Image:
            owned(tx, context, image_id)
            images.lock(tx, image_id)
            image = images.get(tx, image_id, viewer=None)
            return apply_changes(tx, context, image, changes, extra_formats=self._settings.extra_formats)

        return self._db.run(work)

    def delete(self, context: RequestContext, image_id: str) -> None:
        """See :class:`nova.image.ImageService`."""

        def work(tx: Transaction) -> None:
            owned(tx, context, image_id)
            images.mark_deleted(tx, image_id)

        self._db.run(work)
        self._files.remove(image_id)

    def upload(
        self, context: RequestContext, image_id: str, chunks: Iterable[bytes], *, size_bytes: int | None = None
    ) -> Image:
        """See :class:`nova.image.ImageService`."""
        self._uploads.upload(context, image_id, chunks, size_bytes=size_bytes)
        return self.get(context, image_id)

    def stage(
        self, context: RequestContext, image_id: str, chunks: Iterable[bytes], *, size_bytes: int | None = None
    ) -> None:
        """See :class:`nova.image.protocol.ImageHost`."""
        self._uploads.stage(context, image_id, chunks, size_bytes=size_bytes)

    def import_staged(self, context: RequestContext, image_id: str) -> Image:
        """See :class:`nova.image.protocol.ImageHost`."""
        self._uploads.import_staged(context, image_id)
        return self.get(context, image_id)

    def read(self, context: RequestContext, image_id: str) -> Iterator[bytes]:
        """See :class:`nova.image.ImageService`."""
        return self.read_part(context, image_id)

    def read_part(
        self, context: RequestContext, image_id: str, *, start: int = 0, length: int | None = None
    ) -> FileChunks:
        """*length* bytes from *start* on, as ``read`` gives them."""
        image = self.get(context, image_id)
        if image.status == "deactivated" and not context.is_admin:
            raise errors.Forbidden("The image is deactivated.", resource="image", id=image_id)
        if image.status not in ("active", "deactivated"):
            raise errors.InvalidState("The image has no data yet.", resource="image", id=image_id)
        return FileChunks(self._files.open(image_id), start=start, length=length)

    def set_active(self, context: RequestContext, image_id: str, *, active: bool) -> None:
        """See :class:`nova.image.protocol.ImageHost`."""
        if not context.is_admin:
            raise errors.Forbidden()
        wanted = "active" if active else "deactivated"

        def work(tx: Transaction) -> None:
            images.get(tx, image_id, viewer=None)
            images.update(tx, image_id, {"status": wanted}, only_in=("active", "deactivated"))

        self._db.run(work)

    def members(self, context: RequestContext, image_id: str) -> tuple[ImageMember, ...]:
        """See :class:`nova.image.ImageService`."""

        def work(tx: Transaction) -> tuple[ImageMember, ...]:
            image = images.get(tx, image_id, viewer=viewer_of(context))
            found = _members(tx, image_id)
            if context.is_admin or image.owner == context.project_id:
                return found
            own = tuple(member for member in found if member.project_id == context.project_id)
            if not own:
                raise errors.NotFound.of("image", image_id)
            return own

        return self._db.run(work, write=False)

    def add_member(self, context: RequestContext, image_id: str, project_id: str) -> ImageMember:
        """See :class:`nova.image.ImageService`."""

        def work(tx: Transaction) -> ImageMember:
            image = owned(tx, context, image_id)
            if image.visibility != "shared":
                raise errors.Forbidden("Only images with the visibility shared have members.")
            members.add(tx, image_id, project_id, most=MAX_MEMBERS)
            return _member(tx, image_id, project_id)

        return self._db.run(work)

    def set_member_status(self, context: RequestContext, image_id: str, project_id: str, status: str) -> ImageMember:
        """See :class:`nova.image.ImageService`."""
        if status not in MEMBER_STATUSES:
            raise errors.InvalidInput(f"The status is one of {', '.join(MEMBER_STATUSES)}.", field="status")

        def work(tx: Transaction) -> ImageMember:
            images.get(tx, image_id, viewer=viewer_of(context))
            if project_id != context.project_id and not context.is_admin:
                raise errors.Forbidden("Only the project that an image is shared with decides about it.")
            members.set_status(tx, image_id, project_id, status)
            return _member(tx, image_id, project_id)

        return self._db.run(work)

    def remove_member(self, context: RequestContext, image_id: str, project_id: str) -> None:
        """See :class:`nova.image.ImageService`."""

        def work(tx: Transaction) -> None:
            owned(tx, context, image_id)
            members.remove(tx, image_id, project_id)

        self._db.run(work)

    def sweep(self) -> int:
        """End dead uploads and remove files that no image needs; how many.  At start, and from time to time."""
        return self._uploads.sweep()


def _query(context: RequestContext, filters: ImageFilters, page: Page) -> images.Query:
    asked = {name: getattr(filters, name) for name in ImageFilters.__slots__}
    return images.Query(viewer=viewer_of(context), sort=page.sort, marker=page.marker, limit=page.limit, **asked)


def _members(tx: Transaction, image_id: str) -> tuple[ImageMember, ...]:
    return tuple(
        ImageMember(
            image_id=image_id,
            project_id=member.project_id,
            status=member.status,
            created_at=member.created_at,
            updated_at=member.updated_at,
        )
        for member in members.of_image(tx, image_id)
    )


def _member(tx: Transaction, image_id: str, project_id: str) -> ImageMember:
    return next(member for member in _members(tx, image_id) if member.project_id == project_id)
