# SPDX-License-Identifier: Apache-2.0
"""Bringing bytes into the built-in store, and clearing up after uploads that failed.  Runs in nova-api.

A failed upload leaves nothing: the image is ``queued`` again, or ``killed`` when its bytes are not acceptable.  The
clean-up uses the service's own rights, since the caller's may have ended in the meantime.  What a crash leaves behind
is found by ``sweep``: every byte in the store has a row, or is removed.
"""

from __future__ import annotations

import contextlib
import datetime
import logging
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from nova import errors
from nova.context import RequestContext
from nova.db import images
from nova.db.engine import Database, Transaction
from nova.db.images import uploads
from nova.db.images.uploads import Received, StoreLimits
from nova.domain.image import Image
from nova.image import rules
from nova.image.arrival import Bounds, Digest, make_durable, take
from nova.image.files import FileChunks, ImageFiles
from nova.virt.images.inspector import Inspection

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """The options of the built-in store."""

    image_size_cap: int = 1024**4
    extra_formats: frozenset[str] = frozenset()
    """Formats that are taken beside the usual ones"""
    limits: StoreLimits = field(default_factory=lambda: StoreLimits(images=500))
    dead_after_s: float = 900.0
    """An upload without a sign of life for so long is taken for dead"""
    orphan_age_s: float = 300.0
    """A file that no image needs is removed when it is that old"""


def viewer_of(context: RequestContext) -> str | None:
    """Whose images the caller sees: None for an administrator; a project that cannot exist for one without project."""
    return None if context.is_admin else context.project_id or "\x00"


def owned(tx: Transaction, context: RequestContext, image_id: str) -> Image:
    """An image that the caller may change; NotFound for an invisible one, Forbidden for a foreign one."""
    image = images.get(tx, image_id, viewer=viewer_of(context))
    rules.ensure_owner(context, image)
    return image


class Uploads:
    """See the module."""

    def __init__(
        self, db: Database, files: ImageFiles, *, settings: StoreSettings, run_blocking: Callable[..., Any]
    ) -> None:
        self._db = db
        self._files = files
        self._settings = settings
        self._run_blocking = run_blocking

    def upload(
        self, context: RequestContext, image_id: str, chunks: Iterable[bytes], *, size_bytes: int | None
    ) -> None:
        """Take the bytes and make the image active; see :class:`nova.image.ImageService`."""
        bounds = Bounds(cap=self._settings.image_size_cap, announced=size_bytes)
        upload_id, digest = self._begin(context, image_id, bounds=bounds, status="saving")
        with self._undone_on_error(image_id, upload_id):
            self._receive(image_id, upload_id, chunks, digest=digest, bounds=bounds)
            self._publish(image_id, upload_id, digest.received())

    def stage(self, context: RequestContext, image_id: str, chunks: Iterable[bytes], *, size_bytes: int | None) -> None:
        """Take the bytes for a later import."""
        bounds = Bounds(cap=self._settings.image_size_cap, announced=size_bytes)
        upload_id, digest = self._begin(context, image_id, bounds=bounds, status="uploading")
        with self._undone_on_error(image_id, upload_id):
            self._receive(image_id, upload_id, chunks, digest=digest, bounds=bounds)
            size = digest.size_bytes
            self._db.run(lambda tx: uploads.stage(tx, image_id, upload_id=upload_id, size_bytes=size))

    def import_staged(self, context: RequestContext, image_id: str) -> None:
        """Make the staged bytes the image's own."""

        def begin(tx: Transaction) -> tuple[Image, str]:
            image = owned(tx, context, image_id)
            return image, uploads.staged_upload(tx, image_id)

        image, upload_id = self._db.run(begin)
        with self._undone_on_error(image_id, upload_id):
            received = self._run_blocking(self._look_at, image, upload_id)
            self._publish(image_id, upload_id, received)

    def sweep(self) -> int:
        """End dead uploads and remove files that no image needs; how many files."""
        age = datetime.timedelta(seconds=self._settings.dead_after_s)
        for image_id in self._db.run(lambda tx: uploads.release_stale(tx, older_than=age)):
            LOG.warning("The upload of image %s has died; the image waits for its data again.", image_id)
        old = self._files.older_than(self._settings.orphan_age_s)
        wanted = self._db.run(lambda tx: uploads.files_wanted(tx, old), write=False)
        orphans = [name for name in old if name not in wanted]
        for name in orphans:
            self._files.remove(name)
            self._files.discard(name)
            LOG.info("Removed the file %s from the image store: no image needs it.", name)
        return len(orphans)

    def _begin(self, context: RequestContext, image_id: str, *, bounds: Bounds, status: str) -> tuple[str, Digest]:
        upload_id = str(uuid.uuid4())

        def work(tx: Transaction) -> Image:
            image = owned(tx, context, image_id)
            if image.status == "queued" and not (image.disk_format and image.container_format):
                raise errors.InvalidInput("Set disk_format and container_format before the upload.")
            bounds.check_announced()
            uploads.begin(
                tx,
                image_id,
                upload_id=upload_id,
                status=status,
                bytes_expected=bounds.announced or 0,
                limits=self._settings.limits,
            )
            return image

        return upload_id, self._digest(self._db.run(work))

    def _receive(
        self, image_id: str, upload_id: str, chunks: Iterable[bytes], *, digest: Digest, bounds: Bounds
    ) -> None:
        limits = self._settings.limits

        def alive(needed: int) -> int:
            return self._db.run(
                lambda tx: uploads.go_on(tx, image_id, upload_id=upload_id, bytes_needed=needed, limits=limits)
            )

        with self._files.receive(upload_id) as target:
            take(chunks, target, digest=digest, bounds=bounds, alive=alive)
            self._run_blocking(make_durable, target)

    def _digest(self, image: Image) -> Digest:
        return Digest(Inspection(image.disk_format or "", extra_formats=self._settings.extra_formats))

    def _look_at(self, image: Image, upload_id: str) -> Received:
        digest = self._digest(image)
        for chunk in FileChunks(self._files.open_received(upload_id)):
            digest.feed(chunk)
        return digest.received()

    def _publish(self, image_id: str, upload_id: str, received: Received) -> None:
        self._run_blocking(self._files.publish, upload_id, image_id)
        try:
            self._db.run(lambda tx: uploads.finish(tx, image_id, upload_id=upload_id, received=received))
        except errors.InvalidState:
            self._files.remove(image_id)
            raise

    @contextlib.contextmanager
    def _undone_on_error(self, image_id: str, upload_id: str) -> Iterator[None]:
        try:
            yield
        except errors.InvalidImage:
            self._abandon(image_id, upload_id, status="killed")
            raise
        except BaseException:
            self._abandon(image_id, upload_id, status="queued")
            raise

    def _abandon(self, image_id: str, upload_id: str, *, status: str) -> None:
        try:
            if self._db.run(lambda tx: uploads.give_up(tx, image_id, upload_id=upload_id, status=status)):
                self._files.remove(image_id)
        finally:
            self._files.discard(upload_id)
