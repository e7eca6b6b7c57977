# SPDX-License-Identifier: Apache-2.0
"""A server as EC2 shows it, and what must be read for a list of them: a constant number of statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nova.api.ec2 import instance_states
from nova.api.ec2.action import Ec2Request
from nova.api.ec2.documents import Value
from nova.api.ec2.identifiers import NO_IMAGE, numbers_of_images
from nova.db import addresses, aggregates, security_groups, volumes
from nova.db.engine import Transaction
from nova.domain.instance import Instance
from nova.domain.names import ec2_id
from nova.domain.network import FixedAddress, Nic
from nova.domain.security_group import SecurityGroup
from nova.domain.volume import Volume

ROOT_DEVICE = "/dev/sda1"
CLIENT_TOKEN = "ec2_client_token"  # noqa: S105
"""The item of system metadata with what the client called its request"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What stands beside instances, by their uuids, hosts and images; what is not there has no key."""

    nics: Mapping[str, Sequence[Nic]] = field(default_factory=dict)
    groups: Mapping[str, Sequence[SecurityGroup]] = field(default_factory=dict)
    volumes: Mapping[str, Sequence[Volume]] = field(default_factory=dict)
    zones: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, int] = field(default_factory=dict)
    show_ip_as_name: bool = False
    for_admin: bool = False

    def fixed(self, instance: Instance, *, version: int = 4) -> FixedAddress | None:
        """The first address of the instance."""
        cards = self.nics.get(instance.uuid, ())
        return next((each for nic in cards for each in nic.addresses if each.version == version), None)

    def private_ip(self, instance: Instance) -> str:
        """The first fixed IPv4 address, or nothing."""
        fixed = self.fixed(instance)
        return fixed.address if fixed else ""

    def public_ip(self, instance: Instance) -> str:
        """The first floating address, or nothing."""
        cards = self.nics.get(instance.uuid, ())
        return next((found for nic in cards for each in nic.addresses for found in each.floating), "")

    def private_name(self, instance: Instance) -> str:
        """Host name, or the address where no DNS knows names."""
        return self.private_ip(instance) if self.show_ip_as_name else instance.hostname

    def zone(self, instance: Instance) -> str:
        """The zone of its host; what was asked for while it is on none."""
        return self.zones.get(instance.host, instance.availability_zone)

    def image(self, instance: Instance) -> str:
        """``ami-…``."""
        number = self.images.get(instance.image_ref)
        return NO_IMAGE if number is None else ec2_id("ami", number)


def around(request: Ec2Request, instances: Sequence[Instance]) -> Around:
    """Everything beside *instances*; opens its own transactions."""
    cloud = request.cloud
    uuids = [instance.uuid for instance in instances]
    refs = [ref for each in instances for ref in (each.image_ref, each.kernel_id, each.ramdisk_id)]
    numbers = numbers_of_images(cloud, refs)

    def read(tx: Transaction) -> Around:
        return Around(
            nics=addresses.nics_of(tx, uuids),
            groups=security_groups.groups_of(tx, uuids) if uuids else {},
            volumes=volumes.for_instances(tx, uuids),
            zones=aggregates.zones_of_hosts(tx),
            images=numbers,
            show_ip_as_name=cloud.settings.ec2.private_dns_show_ip,
            for_admin=request.context.is_admin,
        )

    return cloud.db.run(read, write=False)


def reservations(instances: Sequence[Instance], beside: Around) -> list[Value]:
    """The instances by the request that made them, oldest first."""
    by_request: dict[str, list[Instance]] = {}
    for instance in instances:
        by_request.setdefault(instance.reservation_id or instance.uuid, []).append(instance)
    return [reservation(members, beside) for members in by_request.values()]


def reservation(members: Sequence[Instance], beside: Around) -> dict[str, Value]:
    """One request's servers."""
    first = members[0]
    return {
        "reservationId": first.reservation_id,
        "ownerId": first.project_id,
        "groupSet": groups_shown(beside.groups.get(first.uuid, ())),
        "instancesSet": [view(instance, beside) for instance in sorted(members, key=lambda each: each.launch_index)],
    }


def groups_shown(groups: Sequence[SecurityGroup]) -> list[Value]:
    """Groups as members of a set."""
    return [{"groupId": str(group.id), "groupName": group.name} for group in groups]


def view(instance: Instance, beside: Around) -> dict[str, Value]:
    """One server."""
    public = beside.public_ip(instance)
    return {
        "instanceId": ec2_id("i", instance.id),
        "imageId": beside.image(instance),
        **_parts(instance, beside),
        "instanceState": instance_states.shown(instance_states.state_of(instance)),
        "privateDnsName": beside.private_name(instance),
        "dnsName": public,
        "publicDnsName": public,
        "privateIpAddress": beside.private_ip(instance) or None,
        "ipAddress": public or None,
        "keyName": _key_name(instance, beside) or None,
        "amiLaunchIndex": instance.launch_index,
        "productCodes": [],
        "instanceType": instance.flavor.name,
        "launchTime": instance.created_at,
        "placement": {"availabilityZone": beside.zone(instance), "tenancy": "default"},
        "monitoring": {"state": "disabled"},
        "groupSet": groups_shown(beside.groups.get(instance.uuid, ())),
        "sourceDestCheck": True,
        "architecture": instance.system_metadata.get("image_architecture", "x86_64"),
        "virtualizationType": "hvm",
        "hypervisor": "kvm",
        "rootDeviceType": "instance-store" if instance.image_ref else "ebs",
        "rootDeviceName": instance.root_device_name or ROOT_DEVICE,
        "blockDeviceMapping": [_device(volume) for volume in beside.volumes.get(instance.uuid, ())],
        "tagSet": [{"key": key, "value": value} for key, value in sorted(instance.metadata.items())],
        "clientToken": instance.system_metadata.get(CLIENT_TOKEN),
    }


def _parts(instance: Instance, beside: Around) -> dict[str, Value]:
    """Kernel and ramdisk, where the server has them."""
    pairs = (("kernelId", "aki", instance.kernel_id), ("ramdiskId", "ari", instance.ramdisk_id))
    return {name: ec2_id(kind, beside.images[ref]) for name, kind, ref in pairs if ref in beside.images}


def _key_name(instance: Instance, beside: Around) -> str:
    """For administrators with project and host, as the first clouds' scripts read it."""
    if not beside.for_admin:
        return instance.key_name
    return f"{instance.key_name or None} ({instance.project_id}, {instance.host or None})"


def _device(volume: Volume) -> dict[str, Value]:
    return {
        "deviceName": volume.mountpoint,
        "ebs": {
            "volumeId": ec2_id("vol", volume.ec2_number),
            "status": attachment_status(volume),
            "attachTime": volume.attached_at,
            "deleteOnTermination": False,
        },
    }


def attachment_status(volume: Volume) -> str:
    """attaching, attached or detaching."""
    return "attached" if volume.status == "in-use" else str(volume.status)
