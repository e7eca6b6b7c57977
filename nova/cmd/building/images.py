# SPDX-License-Identifier: Apache-2.0
"""The image service as the options say: our own store, or a Glance.  What is not chosen is not loaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nova import errors
from nova.cmd.building.parts import Parts
from nova.cmd.configuration import image_store
from nova.conf import urls
from nova.context import RequestContext
from nova.image.files import ImageFiles, StoredImages
from nova.image.protocol import ImageService
from nova.rpc.blocking import run_blocking
from nova.virt.driver import ImageReader

if TYPE_CHECKING:
    from nova.image.local import LocalImages
    from nova.image.remote import RemoteImages


class FilesFirst:
    """Reads an image from the store's directory where this host shares it, and over HTTP where it does not."""

    def __init__(self, store: Path, remote: ImageReader) -> None:
        """:param store: need not be there yet: nova-api makes it"""
        self._store = store
        self._stored = StoredImages(store)
        self._remote = remote

    def read(self, context: RequestContext, image_id: str) -> Iterator[bytes]:
        """See :class:`nova.virt.driver.ImageReader`."""
        if self._store.is_dir():
            try:
                return self._stored.read(context, image_id)
            except errors.Unavailable:
                if context.auth_token is None:
                    raise
        return self._remote.read(context, image_id)


def image_service(parts: Parts) -> ImageService:
    """For nova-api."""
    if image_store(parts.conf) == "glance":
        return remote_images(parts)
    return local_images(parts)


def image_reader(parts: Parts) -> ImageReader:
    """For nova-compute, which has no database."""
    remote = remote_images(parts)
    if image_store(parts.conf) == "glance":
        return remote
    return FilesFirst(Path(parts.conf.image.image_store_path), remote)


def local_images(parts: Parts) -> LocalImages:
    """Our own store."""
    from nova.image.local import LocalImages
    from nova.image.uploading import StoreSettings

    settings = StoreSettings(
        image_size_cap=parts.conf.image.image_size_cap,
        extra_formats=frozenset(parts.conf.extra_image_formats),
    )
    files = ImageFiles(parts.conf.image.image_store_path)
    return LocalImages(parts.db, files, settings=settings, run_blocking=run_blocking)


def remote_images(parts: Parts) -> RemoteImages:
    """A Glance, or the image API of another nova-api."""
    from nova.image.remote import RemoteImages
    from nova.neighbours.glance import GlanceClient, GlanceSettings

    group = parts.conf.glance
    settings = GlanceSettings(
        servers=tuple(urls.glance_servers(parts.conf)),
        retries=group.num_retries,
        timeout_s=group.http_timeout_s,
        ca_file=group.cafile or "",
        insecure=group.insecure,
    )
    return RemoteImages(GlanceClient(settings))
