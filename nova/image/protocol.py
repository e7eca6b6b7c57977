# SPDX-License-Identifier: Apache-2.0
"""What everybody needs of an image service, ours or a Glance: descriptions and bytes, always with the caller's rights.

An image that the caller may not see is ``NotFound``; one that is seen and not owned is ``Forbidden`` for changes.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from nova.context import RequestContext
from nova.domain.image import Image

SORT_KEYS = ("created_at", "updated_at", "name", "id", "status", "size", "disk_format", "container_format")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFilters:
    """What a listed image must be; None and empty ask nothing."""

    ids: tuple[str, ...] | None = None
    names: tuple[str, ...] | None = None
    statuses: tuple[str, ...] | None = None
    visibility: str | None = None
    owner: str | None = None
    member_status: str = "accepted"
    """For images that others shared with the caller: accepted, pending, rejected or all"""
    tags: tuple[str, ...] = ()
    size_min: int | None = None
    size_max: int | None = None
    disk_formats: tuple[str, ...] | None = None
    container_formats: tuple[str, ...] | None = None
    protected: bool | None = None
    hidden: bool = False
    min_ram_mb: int | None = None
    min_disk_gb: int | None = None
    checksum: str | None = None
    hash_value: str | None = None
    changed_since: datetime.datetime | None = None
    """Includes images that were deleted since"""
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which part of a list, in which order: (key of SORT_KEYS, ascending) pairs; ties are ordered by id."""

    limit: int | None = None
    marker: str = ""
    sort: tuple[tuple[str, bool], ...] = (("created_at", False),)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewImage:
    """A description to be made; the bytes come later, with ``upload``."""

    id: str = ""
    """A UUID that was never used; empty: a new one"""
    name: str = ""
    visibility: str = "shared"
    disk_format: str | None = None
    container_format: str | None = None
    min_disk_gb: int = 0
    min_ram_mb: int = 0
    protected: bool = False
    hidden: bool = False
    tags: tuple[str, ...] = ()
    properties: dict[str, str] = field(default_factory=dict)
    owner: str = ""
    """Only for administrators; empty: the caller's project"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageUpdate:
    """Changes to a description; None changes nothing."""

    name: str | None = None
    visibility: str | None = None
    disk_format: str | None = None
    container_format: str | None = None
    min_disk_gb: int | None = None
    min_ram_mb: int | None = None
    protected: bool | None = None
    hidden: bool | None = None
    tags: tuple[str, ...] | None = None
    """Replaces all"""
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    set_properties: dict[str, str] = field(default_factory=dict)
    remove_properties: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageMember:
    """A project with which an image is shared; it is in that project's lists once ``status`` is accepted."""

    image_id: str
    project_id: str
    status: str = "pending"
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None


class ImageService(Protocol):
    """Images, in the rights of the caller of each method.  Raises Unavailable when the store or service is away."""

    def get(self, context: RequestContext, image_id: str) -> Image:
        """One image; NotFound for an unknown or invisible one."""
        ...

    def find(
        self, context: RequestContext, *, filters: ImageFilters | None = None, page: Page | None = None
    ) -> tuple[Image, ...]:
        """The images that the caller sees, a page of them; InvalidInput for an unknown marker."""
        ...

    def create(self, context: RequestContext, new: NewImage) -> Image:
        """A description in status ``queued``; AlreadyExists, Forbidden, QuotaExceeded, InvalidInput."""
        ...

    def update(self, context: RequestContext, image_id: str, changes: ImageUpdate) -> Image:
        """Change the description; never the bytes."""
        ...

    def delete(self, context: RequestContext, image_id: str) -> None:
        """Remove it, stop its upload; Forbidden for a protected or foreign one."""
        ...

    def upload(
        self, context: RequestContext, image_id: str, chunks: Iterable[bytes], *, size_bytes: int | None = None
    ) -> Image:
        """Take the bytes of a queued image and make it active.

        :param size_bytes: as announced by the sender; None where it is not known
        :raises InvalidState: the image has bytes already, or was deleted meanwhile
        :raises InvalidImage: the bytes are not what the description says, or not acceptable
        :raises TooLarge: more than the store takes for one image
        :raises QuotaExceeded: more than the project may keep
        """
        ...

    def read(self, context: RequestContext, image_id: str) -> Iterator[bytes]:
        """The bytes, in chunks; a deletion in between does not cut them off.  InvalidState: it has none yet."""
        ...

    def members(self, context: RequestContext, image_id: str) -> tuple[ImageMember, ...]:
        """All for the owner, the own one for a member."""
        ...

    def add_member(self, context: RequestContext, image_id: str, project_id: str) -> ImageMember:
        """Share the image; the project has to accept before it is in its lists."""
        ...

    def set_member_status(self, context: RequestContext, image_id: str, project_id: str, status: str) -> ImageMember:
        """Accept or reject, as the project that it is shared with."""
        ...

    def remove_member(self, context: RequestContext, image_id: str, project_id: str) -> None:
        """Share no longer."""
        ...


class ImageHost(ImageService, Protocol):
    """A store of our own: what its HTTP API offers beyond :class:`ImageService`."""

    def read_part(
        self, context: RequestContext, image_id: str, *, start: int = 0, length: int | None = None
    ) -> Iterator[bytes]:
        """*length* bytes from *start* on, as ``read`` gives them."""
        ...

    def stage(
        self, context: RequestContext, image_id: str, chunks: Iterable[bytes], *, size_bytes: int | None = None
    ) -> None:
        """Take the bytes, as ``upload`` does, but leave the image in status ``uploading`` until it is imported."""
        ...

    def import_staged(self, context: RequestContext, image_id: str) -> Image:
        """Make the staged bytes the image's own; InvalidState where none are staged, InvalidImage for wrong ones."""
        ...

    def set_active(self, context: RequestContext, image_id: str, *, active: bool) -> None:
        """Let members read the bytes again, or no longer; for administrators."""
        ...
