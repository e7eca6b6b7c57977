# SPDX-License-Identifier: Apache-2.0
"""The images of a new server, fetched with the caller's rights and checked against its flavor."""

from __future__ import annotations

from dataclasses import dataclass

from nova.api.actions.boot_request import BootRequest
from nova.api.cloud import Cloud
from nova.context import RequestContext
from nova.domain.flavor import Flavor
from nova.domain.image import Image
from nova.errors import Forbidden, InvalidInput, NotFound

_GB = 1024**3
NO_KERNEL = "nokernel"
"""What old images say instead of a kernel's id."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What a server is made from; all None when it boots from a volume."""

    image: Image | None = None
    kernel: Image | None = None
    ramdisk: Image | None = None


def sources_of(cloud: Cloud, context: RequestContext, request: BootRequest) -> Sources:
    """The image with its kernel and ramdisk; InvalidInput for one that is not there, foreign, or not active."""
    if not request.image_id:
        return Sources()
    return parts_of(
        cloud, context, request.image_id, kernel_id=request.kernel_id, ramdisk_id=request.ramdisk_id, field="imageRef"
    )


def parts_of(
    cloud: Cloud, context: RequestContext, image_id: str, *, kernel_id: str = "", ramdisk_id: str = "", field: str
) -> Sources:
    """The image that the request named in *field*, with the kernel and ramdisk that the caller or the image names."""
    image = _active(cloud, context, image_id, what="image", field=field)
    kernel_id = kernel_id or image.kernel_id or ""
    ramdisk_id = ramdisk_id or image.ramdisk_id or ""
    if kernel_id == NO_KERNEL:
        kernel_id = ramdisk_id = ""
    return Sources(
        image,
        _active(cloud, context, kernel_id, what="kernel", field="kernel_id") if kernel_id else None,
        _active(cloud, context, ramdisk_id, what="ramdisk", field="ramdisk_id") if ramdisk_id else None,
    )


def _active(cloud: Cloud, context: RequestContext, image_id: str, *, what: str, field: str) -> Image:
    try:
        image = cloud.images.get(context, image_id)
    except (NotFound, Forbidden) as error:
        raise InvalidInput(f"The {what} {image_id[:64]} could not be found.", field=field) from error
    if image.status != "active":
        raise InvalidInput(f"The {what} {image.id} is not active, it is {image.status}.", field=field)
    return image


def check_fits(image: Image, flavor: Flavor, *, field: str = "flavorRef") -> None:
    """Refuse a flavor that is too small for the image; a flavor without a root disk takes whatever the host allows."""
    if flavor.memory_mb < image.min_ram_mb:
        raise InvalidInput(
            f"The flavor's memory is too small for the image, which needs {image.min_ram_mb} MB.", field=field
        )
    if flavor.root_gb == 0:
        return
    size_gb = -(-max(image.size_bytes or 0, image.virtual_size_bytes or 0) // _GB)
    if flavor.root_gb < max(image.min_disk_gb, size_gb):
        raise InvalidInput(
            f"The flavor's disk is too small for the image, which needs {max(image.min_disk_gb, size_gb)} GB.",
            field=field,
        )
