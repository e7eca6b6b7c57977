# SPDX-License-Identifier: Apache-2.0
"""Volumes, and their attachment to servers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nova.api.actions import attach_volume, create_volume, delete_volume, detach_volume
from nova.api.actions.create_volume import VolumeRequest
from nova.api.actions.servers import scope_of
from nova.api.ec2.action import Ec2Action, Ec2Request
from nova.api.ec2.documents import Value
from nova.api.ec2.faults import Ec2Refusal
from nova.api.ec2.filters import Reader, narrowed
from nova.api.ec2.identifiers import instance_of, volume_of
from nova.api.ec2.instance_view import attachment_status
from nova.api.ec2.parameters import FILTERS, PAGING, Flag, Group, Many, Number, Text
from nova.api.ec2.run_instances import TAG
from nova.api.policies.volume import PREFIX
from nova.api.routing import Tx
from nova.db import instances, volumes
from nova.db.volumes import VolumeQuery
from nova.domain.instance import Instance
from nova.domain.names import ec2_id
from nova.domain.states import VolumeStatus
from nova.domain.volume import Volume
from nova.errors import InvalidInput, NotFound

ID = Text("VolumeId", required=True)


def describe(request: Ec2Request) -> Mapping[str, Value]:
    """DescribeVolumes"""
    ids = request.many("VolumeId")
    if ids:
        found = [volume_of(request, each) for each in dict.fromkeys(ids)]
    else:
        found = volumes.find(request.tx, VolumeQuery(project_id=scope_of(request.context)))
    holders = _holders(request, found)
    chosen = narrowed(found, request.many("Filter"), _readers(holders), tags=lambda volume: volume.metadata)
    return {"volumeSet": [_view(request, volume, holders) for volume in chosen]}


def create(request: Ec2Request) -> Mapping[str, Value]:
    """CreateVolume"""
    if request.text("SnapshotId"):
        raise Ec2Refusal("UnsupportedOperation", "Volumes cannot be made from snapshots here.")
    if "Size" not in request.values:
        raise Ec2Refusal("MissingParameter", "The request must contain the parameter Size.")
    wanted = VolumeRequest(
        size_gb=request.values["Size"],
        name=request.text("Name"),
        description=request.text("Description"),
        availability_zone=request.text("AvailabilityZone"),
        volume_type=request.text("VolumeType"),
        metadata={
            tag["Key"]: tag.get("Value", "")
            for each in request.many("TagSpecification")
            if each["ResourceType"] == "volume"
            for tag in each.get("Tag", ())
        },
    )
    return _view(request, create_volume.create(request.cloud, request.tx, request.context, wanted), {})


def delete(request: Ec2Request) -> Mapping[str, Value]:
    """DeleteVolume"""
    volume = volume_of(request, request.text("VolumeId"))
    try:
        delete_volume.delete(request.cloud, request.tx, request.context, volume.id)
    except InvalidInput as error:
        code = "VolumeInUse" if volume.instance_uuid else "IncorrectState"
        raise Ec2Refusal(code, error.message) from error
    return {"return": True}


def attach(request: Ec2Request) -> Mapping[str, Value]:
    """AttachVolume"""
    instance = instance_of(request, request.text("InstanceId"))
    volume = volume_of(request, request.text("VolumeId"))
    if volume.status is not VolumeStatus.AVAILABLE:
        code = "VolumeInUse" if volume.instance_uuid else "IncorrectState"
        raise Ec2Refusal(code, f"The volume {request.text('VolumeId')} is {volume.status}.")
    attach_volume.attach(
        request.cloud,
        request.tx,
        request.context,
        instance.uuid,
        volume_id=volume.id,
        device=request.text("Device"),
    )
    return _attachment(volumes.get(request.tx, volume.id), {instance.uuid: instance})


def detach(request: Ec2Request) -> Mapping[str, Value]:
    """DetachVolume: where it is attached is known."""
    volume = volume_of(request, request.text("VolumeId"))
    if not volume.instance_uuid:
        raise Ec2Refusal("IncorrectState", f"The volume {request.text('VolumeId')} is not attached.")
    instance = instances.get(request.tx, volume.instance_uuid)
    if request.text("InstanceId") and instance_of(request, request.text("InstanceId")).uuid != instance.uuid:
        raise Ec2Refusal(
            "InvalidAttachment.NotFound", f"The volume {request.text('VolumeId')} is not attached to that instance."
        )
    request.names[instance.uuid] = ec2_id("i", instance.id)
    try:
        detach_volume.detach(request.cloud, request.tx, request.context, instance.uuid, volume_id=volume.id)
    except NotFound as error:
        raise Ec2Refusal("IncorrectState", error.message) from error
    return _attachment(volumes.get(request.tx, volume.id), {instance.uuid: instance})


def _holders(request: Ec2Request, found: Sequence[Volume]) -> dict[str, Instance]:
    return instances.get_many(request.tx, [volume.instance_uuid for volume in found if volume.instance_uuid])


def _attachment(volume: Volume, holders: Mapping[str, Instance]) -> dict[str, Value]:
    holder = holders.get(volume.instance_uuid)
    return {
        "volumeId": ec2_id("vol", volume.ec2_number),
        "instanceId": ec2_id("i", holder.id) if holder else None,
        "device": volume.mountpoint,
        "status": attachment_status(volume),
        "attachTime": volume.attached_at,
        "deleteOnTermination": False,
    }


def _status(volume: Volume) -> str:
    """While it is attached or detached a volume is in use for EC2."""
    busy = volume.status in (VolumeStatus.ATTACHING, VolumeStatus.DETACHING)
    return "in-use" if busy else str(volume.status)


def _view(request: Ec2Request, volume: Volume, holders: Mapping[str, Instance]) -> dict[str, Value]:
    status = _status(volume)
    return {
        "volumeId": ec2_id("vol", volume.ec2_number),
        "size": volume.size_gb,
        "snapshotId": "",
        "availabilityZone": volume.availability_zone or request.cloud.settings.default_availability_zone,
        "status": _with_place(volume, holders) if request.context.is_admin else status,
        "createTime": volume.created_at,
        "attachmentSet": [_attachment(volume, holders)] if volume.instance_uuid else [],
        "volumeType": volume.volume_type or "standard",
        "encrypted": False,
        "tagSet": [{"key": key, "value": value} for key, value in sorted(volume.metadata.items())],
    }


def _with_place(volume: Volume, holders: Mapping[str, Instance]) -> str:
    """``in-use (project, host, i-xxxx[host], mountpoint)``: what the first clouds' scripts read as administrators."""
    holder = holders.get(volume.instance_uuid)
    where = f"{ec2_id('i', holder.id)}[{holder.host or None}]" if holder else "None"
    return f"{volume.status} ({volume.project_id}, {volume.host or None}, {where}, {volume.mountpoint or None})"


def _readers(holders: Mapping[str, Instance]) -> dict[str, Reader[Volume]]:
    def held_by(volume: Volume) -> list[Value]:
        holder = holders.get(volume.instance_uuid)
        return [ec2_id("i", holder.id)] if holder else []

    return {
        "volume-id": lambda volume: [ec2_id("vol", volume.ec2_number)],
        "status": lambda volume: [_status(volume)],
        "size": lambda volume: [volume.size_gb],
        "availability-zone": lambda volume: [volume.availability_zone],
        "create-time": lambda volume: [volume.created_at],
        "attachment.instance-id": held_by,
        "attachment.device": lambda volume: [volume.mountpoint] if volume.mountpoint else [],
        "attachment.status": lambda volume: [attachment_status(volume)] if volume.instance_uuid else [],
    }


ACTIONS = (
    Ec2Action(
        name="DescribeVolumes",
        handler=describe,
        policy=PREFIX + "get_all",
        parameters=(Many(Text("VolumeId"), most=200), FILTERS, *PAGING),
    ),
    Ec2Action(
        name="CreateVolume",
        handler=create,
        policy=create_volume.RULE,
        parameters=(
            Number("Size", least=1),
            Text("SnapshotId"),
            Text("AvailabilityZone"),
            Text("VolumeType"),
            Text("Name"),
            Text("Description"),
            Text("ClientToken", most=64),
            Flag("Encrypted"),
            Many(Group("TagSpecification", Text("ResourceType", required=True), Many(TAG)), most=10),
        ),
        tx=Tx.WRITE,
    ),
    Ec2Action(name="DeleteVolume", handler=delete, policy=delete_volume.RULE, parameters=(ID,), tx=Tx.WRITE),
    Ec2Action(
        name="AttachVolume",
        handler=attach,
        policy=attach_volume.RULE,
        parameters=(ID, Text("InstanceId", required=True), Text("Device", most=64)),
        tx=Tx.WRITE,
    ),
    Ec2Action(
        name="DetachVolume",
        handler=detach,
        policy=detach_volume.RULE,
        parameters=(ID, Text("InstanceId"), Text("Device", most=64), Flag("Force")),
        tx=Tx.WRITE,
    ),
)
