# SPDX-License-Identifier: Apache-2.0
"""Images as the image service describes them."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """The description of one image (Image API v2 words); its bytes are elsewhere."""

    id: str
    name: str = ""
    status: str = "active"
    """queued, saving, active, killed, deleted, pending_delete"""
    visibility: str = "private"
    """public, private, shared, community"""
    owner: str = ""
    size_bytes: int | None = None
    virtual_size_bytes: int | None = None
    checksum: str | None = None
    """MD5 of the bytes, as the API shows it; never used for trust"""
    hash_algo: str | None = None
    hash_value: str | None = None
    disk_format: str | None = None
    container_format: str | None = None
    min_disk_gb: int = 0
    min_ram_mb: int = 0
    protected: bool = False
    hidden: bool = False
    """Kept out of lists, unless hidden ones are asked for"""
    tags: tuple[str, ...] = ()
    properties: dict[str, str] = field(default_factory=dict)
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None

    @property
    def kernel_id(self) -> str | None:
        """The image of the kernel for a three-part image."""
        return self.properties.get("kernel_id") or None

    @property
    def ramdisk_id(self) -> str | None:
        """The image of the initial ramdisk for a three-part image."""
        return self.properties.get("ramdisk_id") or None
