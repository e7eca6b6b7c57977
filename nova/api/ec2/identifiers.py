# SPDX-License-Identifier: Apache-2.0
"""From EC2 ids to ours and back.  Another project's id is refused in the same words as one that nobody has."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from nova.api.actions.servers import scope_of
from nova.api.cloud import Cloud
from nova.api.ec2.action import Ec2Request
from nova.api.ec2.faults import Ec2Refusal
from nova.context import RequestContext
from nova.db import instances, volumes
from nova.db.images import numbers
from nova.db.instances import InstanceQuery
from nova.domain.image import Image
from nova.domain.instance import Instance
from nova.domain.names import ec2_id, ec2_number
from nova.domain.volume import Volume
from nova.errors import Forbidden, NotFound
from nova.image.protocol import ImageFilters, Page

LARGEST = 2**31 - 1
IMAGE_PREFIXES = ("ami", "aki", "ari")
NO_IMAGE = "ami-00000000"


def instances_of(request: Ec2Request, ids: Sequence[str]) -> list[Instance]:
    """The instances in the order of *ids*, each once; all must be there."""
    wanted = [_number(each, "i", "InvalidInstanceID", "instance") for each in dict.fromkeys(ids)]
    query = InstanceQuery(project_id=scope_of(request.context), numbers=wanted)
    found = {instance.id: instance for instance in instances.find(request.tx, query)}
    for number in wanted:
        if number not in found:
            raise _unknown("InvalidInstanceID.NotFound", "instance", ec2_id("i", number))
    request.names |= {instance.uuid: ec2_id("i", instance.id) for instance in found.values()}
    return [found[number] for number in wanted]


def instance_of(request: Ec2Request, given: str) -> Instance:
    """One instance."""
    return instances_of(request, [given])[0]


def volume_of(request: Ec2Request, given: str) -> Volume:
    """One volume."""
    number = _number(given, "vol", "InvalidVolume", "volume", malformed="InvalidParameterValue")
    try:
        volume = volumes.get_by_number(request.tx, number, project_id=scope_of(request.context))
    except NotFound:
        raise _unknown("InvalidVolume.NotFound", "volume", ec2_id("vol", number)) from None
    request.names[volume.id] = ec2_id("vol", number)
    return volume


def image_id_of(request: Ec2Request, given: str) -> str:
    """The id that the image service knows, for an EC2 id or a name; opens a transaction of its own."""
    cloud, context = request.cloud, request.context
    if given.partition("-")[0] in IMAGE_PREFIXES and ec2_number(given) is not None:
        return _image_by_number(cloud, context, given).id
    found = cloud.images.find(context, filters=ImageFilters(names=(given,)), page=Page(limit=2))
    if len(found) != 1:
        raise unknown_image(given)
    request.names[found[0].id] = given
    return found[0].id


def numbers_of_images(cloud: Cloud, image_ids: Collection[str]) -> dict[str, int]:
    """The numbers of all *image_ids*, given in this order where one has none yet; opens its own transactions."""
    wanted = list(dict.fromkeys(filter(None, image_ids)))
    found = cloud.db.run(lambda tx: numbers.known_numbers(tx, wanted), write=False)
    if len(found) == len(wanted):
        return found
    return cloud.db.run(lambda tx: numbers.numbers_of(tx, wanted))


def images_behind(cloud: Cloud, ids: Sequence[str]) -> dict[str, str]:
    """The image service's id for each of *ids* that are numbers of images; opens its own transaction."""
    wanted = {given: ec2_number(given) for given in ids if given.partition("-")[0] in IMAGE_PREFIXES}
    valid = {given: number for given, number in wanted.items() if number is not None and number <= LARGEST}
    known = cloud.db.run(lambda tx: numbers.uuids_of(tx, set(valid.values())), write=False)
    return {given: known[number] for given, number in valid.items() if number in known}


def image_prefix(image: Image) -> str:
    """aki for a kernel, ari for a ramdisk, ami for anything that boots."""
    kind = image.container_format if image.container_format in IMAGE_PREFIXES else image.disk_format
    return {"aki": "aki", "ari": "ari"}.get(kind or "", "ami")


def unknown_image(given: str) -> Ec2Refusal:
    """The refusal for an image that is not there, or not for the caller."""
    return _unknown("InvalidAMIID.NotFound", "image", given)


def _image_by_number(cloud: Cloud, context: RequestContext, given: str) -> Image:
    image_id = images_behind(cloud, [given]).get(given)
    try:
        if image_id is None:
            raise unknown_image(given)
        image = cloud.images.get(context, image_id)
    except (NotFound, Forbidden):
        raise unknown_image(given) from None
    if image_prefix(image) != given.partition("-")[0]:
        raise unknown_image(given)
    return image


def _number(given: str, prefix: str, code: str, what: str, *, malformed: str = "") -> int:
    number = ec2_number(given) if given.startswith(f"{prefix}-") else None
    if number is None:
        raise Ec2Refusal(malformed or f"{code}.Malformed", f'Invalid id: "{given[:64]}" (expecting "{prefix}-...").')
    if number > LARGEST:
        raise _unknown(f"{code}.NotFound", what, given)
    return number


def _unknown(code: str, what: str, given: str) -> Ec2Refusal:
    return Ec2Refusal(code, f"The {what} ID '{given[:64]}' does not exist.")
