# SPDX-License-Identifier: Apache-2.0
"""Images, as the image service shows them to the caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nova.api.ec2.action import Ec2Action, Ec2Request
from nova.api.ec2.documents import Value
from nova.api.ec2.filters import Reader, narrowed
from nova.api.ec2.identifiers import image_prefix, images_behind, numbers_of_images, unknown_image
from nova.api.ec2.parameters import FILTERS, PAGING, Flag, Many, Text
from nova.api.policies.compute import PREFIX
from nova.api.routing import Tx
from nova.domain.image import Image
from nova.domain.names import ec2_id
from nova.errors import Forbidden, NotFound
from nova.image.protocol import ImageFilters, Page

PAGE = 500
MOST = 10_000
"""Images of one list, whatever the service has."""
SELF = "self"
_TYPES = {"ami": "machine", "aki": "kernel", "ari": "ramdisk"}


def describe(request: Ec2Request) -> Mapping[str, Value]:
    """DescribeImages"""
    if not request.cloud.settings.ec2.own_images:
        request = request.with_token()
    ids = request.many("ImageId")
    found = _named(request, ids) if ids else _all(request)
    owners = {request.context.project_id if each == SELF else each for each in request.many("Owner")}
    found = [image for image in found if not owners or image.owner in owners]
    refs = [ref for image in found for ref in (image.id, image.kernel_id or "", image.ramdisk_id or "")]
    numbers = numbers_of_images(request.cloud, refs)
    chosen = narrowed(found, request.many("Filter"), _readers(numbers))
    return {"imagesSet": [_view(image, numbers) for image in chosen]}


def _all(request: Ec2Request) -> list[Image]:
    found: list[Image] = []
    while len(found) < MOST:
        page = Page(limit=PAGE, marker=found[-1].id if found else "", sort=(("created_at", True),))
        more = request.cloud.images.find(request.context, filters=ImageFilters(), page=page)
        found += more
        if len(more) < PAGE:
            break
    return found


def _named(request: Ec2Request, ids: Sequence[str]) -> list[Image]:
    """The images with these ids; all of them must be there."""
    behind = images_behind(request.cloud, ids)
    wanted = tuple(behind.values())
    listed = request.cloud.images.find(
        request.context, filters=ImageFilters(ids=wanted), page=Page(limit=len(wanted) or 1)
    )
    known = {image.id: image for image in listed}
    return [_one(request, given, behind.get(given), known) for given in dict.fromkeys(ids)]


def _one(request: Ec2Request, given: str, image_id: str | None, known: Mapping[str, Image]) -> Image:
    """One that is in no list of the caller may still be his to see: shared, and not accepted yet."""
    if image_id is None:
        raise unknown_image(given)
    try:
        image = known.get(image_id) or request.cloud.images.get(request.context, image_id)
    except (NotFound, Forbidden):
        raise unknown_image(given) from None
    if image_prefix(image) != given.partition("-")[0]:
        raise unknown_image(given)
    return image


def _id(image: Image, numbers: Mapping[str, int]) -> str:
    return ec2_id(image_prefix(image), numbers[image.id])


def _state(image: Image) -> str:
    """What a bundle is at, or the image's own status."""
    status = "available" if image.status == "active" else image.status
    return image.properties.get("image_state") or status


def _readers(numbers: Mapping[str, int]) -> dict[str, Reader[Image]]:
    return {
        "image-id": lambda image: [_id(image, numbers)],
        "name": lambda image: [image.name],
        "state": lambda image: [_state(image)],
        "owner-id": lambda image: [image.owner],
        "is-public": lambda image: [image.visibility == "public"],
        "image-type": lambda image: [_TYPES[image_prefix(image)]],
        "architecture": lambda image: [image.properties.get("architecture", "x86_64")],
        "description": lambda image: [image.properties.get("description", "")],
        "root-device-type": lambda _image: ["instance-store"],
        "hypervisor": lambda _image: ["kvm"],
        "virtualization-type": lambda _image: ["hvm"],
    }


def _view(image: Image, numbers: Mapping[str, int]) -> Value:
    parts = (("kernelId", "aki", image.kernel_id), ("ramdiskId", "ari", image.ramdisk_id))
    return {
        "imageId": _id(image, numbers),
        **{name: ec2_id(kind, numbers[ref]) for name, kind, ref in parts if ref and ref in numbers},
        "imageOwnerId": image.owner,
        "imageLocation": image.properties.get("image_location") or f"None ({image.name})",
        "name": image.name,
        "imageState": _state(image),
        "description": image.properties.get("description", ""),
        "imageType": _TYPES[image_prefix(image)],
        "isPublic": image.visibility == "public",
        "architecture": image.properties.get("architecture", "x86_64"),
        "rootDeviceName": image.properties.get("root_device_name", "/dev/vda"),
        "rootDeviceType": "instance-store",
        "creationDate": image.created_at,
        "hypervisor": "kvm",
        "virtualizationType": "hvm",
        "blockDeviceMapping": [],
        "tagSet": [],
    }


ACTIONS = (
    Ec2Action(
        name="DescribeImages",
        handler=describe,
        policy=PREFIX + "images",
        parameters=(
            Many(Text("ImageId"), most=200),
            Many(Text("Owner"), most=100),
            Many(Text("ExecutableBy"), most=100),
            FILTERS,
            Flag("IncludeDeprecated"),
            Flag("IncludeDisabled"),
            *PAGING,
        ),
        tx=Tx.NONE,
    ),
)
