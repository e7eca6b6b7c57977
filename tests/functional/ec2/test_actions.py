# SPDX-License-Identifier: Apache-2.0
"""Every action of the EC2 dialect: what it answers, what it does, and what it refuses."""

from __future__ import annotations

import base64
import dataclasses
from pathlib import Path
from typing import Any

import pytest

from nova.api.ec2.actions import ACTIONS
from nova.api.policy import Policy
from nova.context import RequestContext
from nova.db import address_claims, floating_ips, instances, volumes
from nova.domain.instance import Instance
from nova.domain.states import TaskState, VmState
from nova.image.files import ImageFiles
from nova.image.local import LocalImages
from nova.image.protocol import NewImage
from nova.system import clock
from tests.functional.ec2_cloud import Ec2Cloud, texts

PUBLIC = base64.b64encode(
    b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a@example"
).decode()


def image(cloud: Ec2Cloud, name: str = "tiny") -> str:
    root = cloud.good("DescribeImages", Filter__1__Name="name", Filter__1__Value__1=name)
    return texts(root, "imagesSet/item/imageId")[0]


def launched(cloud: Ec2Cloud, *, user: str = "alice", state: str = "active", **given: str) -> str:
    """The EC2 id of a server that a host has built."""
    given.setdefault("ImageId", image(cloud))
    root = cloud.good("RunInstances", user=user, InstanceType="m1.tiny", **given)
    number = int(root.findtext("instancesSet/item/instanceId").partition("-")[2], 16)
    uuid = record(cloud, number).uuid
    now = clock.utc_now()
    cloud.set_row(uuid, vm_state=state, task_state=None, host="h1", node="h1", power_state=1, launched_at=now)
    return f"i-{number:08x}"


def record(cloud: Ec2Cloud, number: int) -> Instance:
    return cloud.db.run(lambda tx: instances.get_by_number(tx, number, deleted=True), write=False)


def of(cloud: Ec2Cloud, ec2: str) -> Instance:
    return record(cloud, int(ec2.partition("-")[2], 16))


def test_regions_and_zones(cloud: Ec2Cloud) -> None:
    root = cloud.good("DescribeRegions")
    assert texts(root, "regionInfo/item/regionName") == ["nova"]
    assert texts(root, "regionInfo/item/regionEndpoint") == ["http://127.0.0.1:8773/services/Cloud"]
    root = cloud.good("DescribeAvailabilityZones")
    assert texts(root, "availabilityZoneInfo/item/zoneName") == ["nova"]
    assert texts(root, "availabilityZoneInfo/item/zoneState") == ["available"]
    assert cloud.code("DescribeAvailabilityZones", ZoneName__1="mars") == "InvalidParameterValue"


def test_the_answer_speaks_the_version_of_the_request(cloud: Ec2Cloud) -> None:
    answer = cloud.ask("DescribeRegions", Version="2011-11-01")
    assert b'xmlns="http://ec2.amazonaws.com/doc/2011-11-01/"' in answer.body
    assert b"<requestId>req-" in answer.body
    assert answer.headers["Cache-Control"] == "no-store"


def test_images_have_ids_that_stay(cloud: Ec2Cloud) -> None:
    first = texts(cloud.good("DescribeImages"), "imagesSet/item/imageId")
    assert len(set(first)) == 5
    assert texts(cloud.good("DescribeImages", user="bob"), "imagesSet/item/imageId") == first
    assert sum(each.startswith("aki-") for each in first) == 1
    root = cloud.good("DescribeImages", ImageId__1=image(cloud, "ami"))
    assert root.findtext("imagesSet/item/kernelId").startswith("aki-")
    assert root.findtext("imagesSet/item/imageLocation") == "None (ami)"
    assert root.findtext("imagesSet/item/imageState") == "available"


@pytest.mark.parametrize("given", ["ami-000000ff", "ami-ffffffff", "tiny", "aki-00000001", "ami-1", "; drop table"])
def test_an_image_that_is_not_there(cloud: Ec2Cloud, given: str) -> None:
    cloud.good("DescribeImages")
    assert cloud.code("DescribeImages", ImageId__1=given) == "InvalidAMIID.NotFound"
    if given != "tiny":
        assert cloud.code("RunInstances", ImageId=given) == "InvalidAMIID.NotFound"


def test_a_private_image_is_not_there_for_others(cloud: Ec2Cloud, tmp_path: Path) -> None:
    images = LocalImages(cloud.db, ImageFiles(tmp_path))
    cloud.cloud = dataclasses.replace(cloud.cloud, images=images)
    cloud.deploy()
    bob = RequestContext(user_id=cloud.users["bob"].id, project_id=cloud.users["bob"].default_project_id)
    for name, visibility in (("mine", "private"), ("offered", "shared")):
        made = images.create(
            bob, NewImage(name=name, visibility=visibility, disk_format="raw", container_format="bare")
        )
        images.upload(bob, made.id, [b"bytes"])
    images.add_member(bob, made.id, cloud.users["alice"].default_project_id)
    private, offered = sorted(texts(cloud.good("DescribeImages", user="bob"), "imagesSet/item/imageId"))
    assert texts(cloud.good("DescribeImages"), "imagesSet/item/imageId") == []
    for action, key in (("DescribeImages", "ImageId.1"), ("RunInstances", "ImageId")):
        given: dict[str, Any] = {key: private}
        assert cloud.code(action, **given) == "InvalidAMIID.NotFound"
    assert cloud.code("RunInstances", ImageId="mine") == "InvalidAMIID.NotFound"
    kernel: dict[str, Any] = {"KernelId": private.replace("ami-", "aki-")}
    assert cloud.code("RunInstances", ImageId=offered, status=400, **kernel) == "InvalidAMIID.NotFound"
    assert texts(cloud.good("DescribeImages", ImageId__1=offered), "imagesSet/item/name") == ["offered"]
    assert not cloud.conductor.named("build_instances")


def test_a_key_pair_is_made_shown_and_deleted(cloud: Ec2Cloud) -> None:
    made = cloud.good("CreateKeyPair", KeyName="007")
    assert made.findtext("keyName") == "007"
    assert made.findtext("keyMaterial").startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert cloud.code("CreateKeyPair", KeyName="007", status=409) == "InvalidKeyPair.Duplicate"
    root = cloud.good("DescribeKeyPairs", KeyName__1="007")
    assert texts(root, "keySet/item/keyFingerprint") == [made.findtext("keyFingerprint")]
    assert texts(cloud.good("DescribeKeyPairs", user="bob"), "keySet/item/keyName") == []
    assert cloud.good("DeleteKeyPair", KeyName="007").findtext("return") == "true"
    assert cloud.good("DeleteKeyPair", KeyName="007").findtext("return") == "true"
    assert cloud.code("DescribeKeyPairs", KeyName__1="007") == "InvalidKeyPair.NotFound"


def test_a_key_is_imported(cloud: Ec2Cloud) -> None:
    root = cloud.good("ImportKeyPair", KeyName="mine", PublicKeyMaterial=PUBLIC)
    assert len(root.findtext("keyFingerprint").split(":")) == 16
    assert cloud.code("ImportKeyPair", KeyName="x", PublicKeyMaterial="%%%") == "InvalidKeyPair.Format"
    junk = base64.b64encode(b"ssh-rsa junk").decode()
    assert cloud.code("ImportKeyPair", KeyName="x", PublicKeyMaterial=junk) == "InvalidKeyPair.Format"
    assert cloud.code("CreateKeyPair", KeyName="a/b") == "InvalidParameterValue"


def test_a_security_group_from_making_to_deleting(cloud: Ec2Cloud) -> None:
    made = cloud.good("CreateSecurityGroup", GroupName="web", GroupDescription="for the web")
    number = made.findtext("groupId")
    rule: dict[str, Any] = {"IpProtocol": "tcp", "FromPort": "80", "ToPort": "80", "CidrIp": "10.0.0.0/8"}
    cloud.good("AuthorizeSecurityGroupIngress", GroupName="web", **rule)
    assert cloud.code("AuthorizeSecurityGroupIngress", GroupId=number, **rule) == "InvalidPermission.Duplicate"
    root = cloud.good("DescribeSecurityGroups", GroupName__1="web")
    assert texts(root, "securityGroupInfo/item/ipPermissions/item/ipRanges/item/cidrIp") == ["10.0.0.0/8"]
    assert texts(root, "securityGroupInfo/item/ipPermissions/item/fromPort") == ["80"]
    cloud.good("RevokeSecurityGroupIngress", GroupId=number, **rule)
    assert cloud.code("RevokeSecurityGroupIngress", GroupId=number, **rule) == "InvalidPermission.NotFound"
    assert cloud.code("CreateSecurityGroup", GroupName="web", GroupDescription="x") == "InvalidGroup.Duplicate"
    cloud.good("DeleteSecurityGroup", GroupName="web")
    assert cloud.code("DeleteSecurityGroup", GroupName="web") == "InvalidGroup.NotFound"


def test_rules_in_a_list_with_ranges_and_groups(cloud: Ec2Cloud) -> None:
    cloud.good("CreateSecurityGroup", GroupName="web", GroupDescription="d")
    given = {
        "IpPermissions.1.IpProtocol": "6",
        "IpPermissions.1.FromPort": "22",
        "IpPermissions.1.ToPort": "22",
        "IpPermissions.1.IpRanges.1.CidrIp": "10.0.0.0/8",
        "IpPermissions.1.IpRanges.2.CidrIp": "192.168.0.0/16",
        "IpPermissions.10.IpProtocol": "-1",
        "IpPermissions.10.Groups.1.GroupName": "default",
        "IpPermissions.2.IpProtocol": "icmp",
        "IpPermissions.2.FromPort": "-1",
        "IpPermissions.2.ToPort": "-1",
        "IpPermissions.2.IpRanges.1.CidrIp": "0.0.0.0/0",
    }
    cloud.good("DescribeSecurityGroups")
    cloud.good("AuthorizeSecurityGroupIngress", GroupName="web", **given)
    root = cloud.good("DescribeSecurityGroups", GroupName__1="web")
    protocols = texts(root, "securityGroupInfo/item/ipPermissions/item/ipProtocol")
    assert protocols == ["tcp", "tcp", "icmp", "icmp", "tcp", "udp"]
    assert set(texts(root, "securityGroupInfo/item/ipPermissions/item/groups/item/groupName")) == {"default"}
    cloud.good("RevokeSecurityGroupIngress", GroupName="web", **given)
    root = cloud.good("DescribeSecurityGroups", GroupName__1="web")
    assert texts(root, "securityGroupInfo/item/ipPermissions/item/ipProtocol") == []


def test_a_rule_may_name_a_group_by_name_and_owner(cloud: Ec2Cloud) -> None:
    cloud.good("DescribeSecurityGroups")
    cloud.good("DescribeSecurityGroups", user="bob")
    mine, his = (cloud.users[user].default_project_id for user in ("alice", "bob"))
    source: dict[str, Any] = {"SourceSecurityGroupName": "default", "SourceSecurityGroupOwnerId": mine}
    cloud.good("AuthorizeSecurityGroupIngress", GroupName="default", **source)
    foreign: dict[str, Any] = {"SourceSecurityGroupName": "default", "SourceSecurityGroupOwnerId": his}
    absent: dict[str, Any] = {"SourceSecurityGroupName": "default", "SourceSecurityGroupOwnerId": "nobody"}
    for given in (foreign, absent):
        assert cloud.code("AuthorizeSecurityGroupIngress", GroupName="default", **given) == "InvalidGroup.NotFound"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, "MissingParameter"),
        ({"IpProtocol": "tcp"}, "MissingParameter"),
        ({"IpProtocol": "tcp", "FromPort": "80"}, "MissingParameter"),
        ({"CidrIp": "10.0.0.0/8"}, "MissingParameter"),
        ({"IpProtocol": "tcp", "FromPort": "99999", "ToPort": "1"}, "InvalidParameterValue"),
        ({"IpProtocol": "tcp", "FromPort": "9", "ToPort": "1"}, "InvalidParameterValue"),
        ({"IpProtocol": "gre", "FromPort": "1", "ToPort": "1"}, "InvalidParameterValue"),
        ({"IpProtocol": "tcp", "FromPort": "1", "ToPort": "1", "CidrIp": "10.0.0/33"}, "InvalidParameterValue"),
        ({"IpPermissions.1.IpProtocol": "tcp"}, "MissingParameter"),
        ({"IpPermissions.1.Groups.1.GroupId": "junk", "IpPermissions.1.IpProtocol": "tcp"}, "InvalidGroup.NotFound"),
    ],
)
def test_a_rule_that_says_nothing_is_refused(cloud: Ec2Cloud, given: dict[str, Any], code: str) -> None:
    cloud.good("DescribeSecurityGroups")
    assert cloud.code("AuthorizeSecurityGroupIngress", GroupName="default", **given) == code


def test_the_quota_for_rules_holds(cloud: Ec2Cloud) -> None:
    cloud.good("DescribeSecurityGroups")
    codes = []
    for port in range(1, 25):
        given: dict[str, Any] = {"IpProtocol": "tcp", "FromPort": str(port), "ToPort": str(port)}
        answer = cloud.ask("AuthorizeSecurityGroupIngress", GroupName="default", **given)
        codes.append(answer.status_int)
    assert codes == [200] * 20 + [403] * 4
    given = {"IpProtocol": "udp", "FromPort": "1", "ToPort": "1"}
    refused = cloud.code("AuthorizeSecurityGroupIngress", GroupName="default", status=403, **given)
    assert refused == "RulesPerSecurityGroupLimitExceeded"


def test_servers_are_launched_as_one_reservation(cloud: Ec2Cloud) -> None:
    cloud.good("CreateKeyPair", KeyName="k")
    root = cloud.good(
        "RunInstances",
        ImageId=image(cloud),
        MinCount="2",
        MaxCount="3",
        InstanceType="m1.small",
        KeyName="k",
        SecurityGroup__1="default",
        Placement__AvailabilityZone="nova",
        UserData=base64.b64encode(b"echo").decode(),
        TagSpecification__1__ResourceType="instance",
        TagSpecification__1__Tag__1__Key="role",
        TagSpecification__1__Tag__1__Value="web",
    )
    assert root.findtext("reservationId").startswith("r-")
    assert root.findtext("ownerId") == cloud.users["alice"].default_project_id
    ids = texts(root, "instancesSet/item/instanceId")
    assert len(ids) == 3
    assert texts(root, "instancesSet/item/instanceState/name") == ["pending"] * 3
    assert texts(root, "instancesSet/item/instanceType") == ["m1.small"] * 3
    assert texts(root, "instancesSet/item/groupSet/item/groupName") == ["default"] * 3
    assert texts(root, "instancesSet/item/amiLaunchIndex") == ["0", "1", "2"]
    assert texts(root, "instancesSet/item/tagSet/item/value") == ["web"] * 3
    (told,) = cloud.conductor.named("build_instances")
    assert len(told["instance_uuids"]) == 3
    assert of(cloud, ids[0]).user_data == base64.b64encode(b"echo").decode()


def test_the_same_client_token_makes_no_second_server(cloud: Ec2Cloud) -> None:
    first = cloud.good("RunInstances", ImageId=image(cloud), ClientToken="abc")
    again = cloud.good("RunInstances", ImageId=image(cloud), ClientToken="abc")
    assert first.findtext("reservationId") == again.findtext("reservationId")
    assert again.findtext("instancesSet/item/clientToken") == "abc"
    other = cloud.good("RunInstances", user="bob", ImageId=image(cloud), ClientToken="abc")
    assert other.findtext("reservationId") != first.findtext("reservationId")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"InstanceType": "huge"}, "InvalidParameterValue"),
        ({"KeyName": "nobody"}, "InvalidKeyPair.NotFound"),
        ({"SecurityGroup.1": "nobody"}, "InvalidGroup.NotFound"),
        ({"SecurityGroupId.1": "999"}, "InvalidGroup.NotFound"),
        ({"SecurityGroupId.1": "x"}, "InvalidGroupId.Malformed"),
        ({"MinCount": "3", "MaxCount": "2"}, "InvalidParameterValue"),
        ({"MinCount": "0"}, "InvalidParameterValue"),
        ({"MaxCount": "99999"}, "InvalidParameterValue"),
        ({"UserData": "%%"}, "InvalidParameterValue"),
        ({"Placement.AvailabilityZone": "mars"}, "InvalidParameterValue"),
        ({"BlockDeviceMapping.1.DeviceName": "/dev/vdb"}, "UnknownParameter"),
        ({"KernelId": "aki-00000099"}, "InvalidAMIID.NotFound"),
    ],
)
def test_a_launch_that_cannot_be(cloud: Ec2Cloud, given: dict[str, Any], code: str) -> None:
    assert cloud.code("RunInstances", ImageId=image(cloud), **given) == code
    assert not cloud.conductor.named("build_instances")


def test_quota_and_zone_with_a_host_are_as_in_the_compute_api(cloud: Ec2Cloud) -> None:
    tiny = image(cloud)
    assert cloud.code("RunInstances", ImageId=tiny, MinCount="50", status=403) == "ResourceLimitExceeded"
    forced: dict[str, Any] = {"Placement.AvailabilityZone": "nova:h1"}
    assert cloud.code("RunInstances", ImageId=tiny, status=403, **forced) == "UnauthorizedOperation"
    cloud.good("RunInstances", user="root", ImageId=tiny, **forced)


def test_a_server_is_described(cloud: Ec2Cloud) -> None:
    given = launched(cloud, ImageId=image(cloud, "ami"), DisplayName="Web 1")
    card = {"instance_uuid": of(cloud, given).uuid, "hostname": "h", "host": "h1", "position": 0}
    with cloud.db.transaction() as tx:
        address_claims.add_card(tx, cloud.net, **card)  # type: ignore[arg-type]
    root = cloud.good("DescribeInstances", InstanceId__1=given)
    shown = root.find("reservationSet/item/instancesSet/item")
    expected = {
        "instanceId": given,
        "instanceState/code": "16",
        "instanceState/name": "running",
        "privateDnsName": "web-1",
        "instanceType": "m1.tiny",
        "placement/availabilityZone": "nova",
        "rootDeviceType": "instance-store",
        "rootDeviceName": "/dev/vda",
        "monitoring/state": "disabled",
        "architecture": "x86_64",
    }
    assert {path: shown.findtext(path) for path in expected} == expected
    assert shown.findtext("privateIpAddress").startswith("10.0.0.")
    assert shown.findtext("kernelId").startswith("aki-")
    assert shown.findtext("launchTime").endswith("Z")
    assert shown.find("keyName") is None


def test_a_list_of_servers_is_a_constant_number_of_statements(cloud: Ec2Cloud) -> None:
    launched(cloud)
    with cloud.db.log.recording() as few:
        cloud.good("DescribeInstances")
    for _ in range(6):
        launched(cloud)
    with cloud.db.log.recording() as many:
        cloud.good("DescribeInstances")
    assert len(many) == len(few)


@pytest.mark.parametrize(
    ("name", "value", "count"),
    [
        ("instance-state-name", "running", 1),
        ("instance-state-name", "stopp*", 1),
        ("instance-state-code", "80", 1),
        ("instance-type", "m1.?iny", 2),
        ("instance-type", "m1.large", 0),
        ("tag:role", "web", 1),
        ("tag-key", "r*", 1),
        ("tag-value", "db", 0),
        ("availability-zone", "nova", 2),
        ("instance-id", "i-00000001", 1),
        ("group-name", "default", 2),
        ("root-device-name", "/dev/vda", 2),
        ("owner-id", "nobody", 0),
    ],
)
def test_servers_are_filtered_by_what_is_shown(cloud: Ec2Cloud, name: str, value: str, count: int) -> None:
    tag = {"TagSpecification.1.ResourceType": "instance", "TagSpecification.1.Tag.1.Key": "role"}
    launched(cloud, **tag, **{"TagSpecification.1.Tag.1.Value": "web"})
    launched(cloud, state="stopped")
    root = cloud.good("DescribeInstances", Filter__1__Name=name, Filter__1__Value__1=value)
    assert len(texts(root, "reservationSet/item/instancesSet/item/instanceId")) == count


def test_filters_are_all_of_them_and_values_any(cloud: Ec2Cloud) -> None:
    launched(cloud)
    launched(cloud, state="stopped")
    both = {"Filter.1.Name": "instance-state-name", "Filter.1.Value.1": "running", "Filter.1.Value.2": "stopped"}
    assert len(texts(cloud.good("DescribeInstances", **both), "reservationSet/item")) == 2
    none = {**both, "Filter.2.Name": "instance-type", "Filter.2.Value.1": "x"}
    assert len(texts(cloud.good("DescribeInstances", **none), "reservationSet/item")) == 0
    unknown: dict[str, Any] = {"Filter.1.Name": "colour", "Filter.1.Value.1": "red"}
    assert cloud.code("DescribeInstances", **unknown) == "InvalidParameterValue"


@pytest.mark.parametrize(
    ("action", "state", "task", "before", "after"),
    [
        ("StopInstances", VmState.ACTIVE, TaskState.POWERING_OFF, "running", "stopping"),
        ("StartInstances", VmState.STOPPED, TaskState.POWERING_ON, "stopped", "pending"),
        ("TerminateInstances", VmState.ACTIVE, TaskState.DELETING, "running", "shutting-down"),
    ],
)
def test_a_change_of_state_is_shown_with_its_beginning(
    cloud: Ec2Cloud, action: str, state: VmState, task: TaskState, before: str, after: str
) -> None:
    given = [launched(cloud, state=state.value) for _ in range(2)]
    root = cloud.good(action, InstanceId__1=given[0], InstanceId__2=given[1])
    assert texts(root, "instancesSet/item/instanceId") == given
    assert texts(root, "instancesSet/item/previousState/name") == [before] * 2
    assert texts(root, "instancesSet/item/currentState/name") == [after] * 2
    assert of(cloud, given[0]).task_state is task
    assert len(cloud.compute.taken) == 2


def test_a_reboot_answers_true(cloud: Ec2Cloud) -> None:
    given = launched(cloud)
    assert cloud.good("RebootInstances", InstanceId__1=given).findtext("return") == "true"
    assert of(cloud, given).task_state is TaskState.REBOOTING


def test_all_or_none_are_terminated(cloud: Ec2Cloud) -> None:
    mine, his = launched(cloud), launched(cloud, user="bob")
    for other in (his, "i-000000ff", "i-ffffffff"):
        code = cloud.code("TerminateInstances", InstanceId__1=mine, InstanceId__2=other)
        assert code == "InvalidInstanceID.NotFound"
    assert of(cloud, mine).task_state is None
    assert of(cloud, his).task_state is None
    assert not cloud.compute.taken


@pytest.mark.parametrize("given", ["i-1", "x", "i-0000000g", "i-0123456789abcdef0", "vol-00000001", "I-00000001"])
def test_a_malformed_id(cloud: Ec2Cloud, given: str) -> None:
    for action in ("DescribeInstances", "StopInstances", "TerminateInstances"):
        assert cloud.code(action, InstanceId__1=given) == "InvalidInstanceID.Malformed"


def test_a_foreign_server_answers_as_one_that_is_not_there(cloud: Ec2Cloud) -> None:
    his = launched(cloud, user="bob")
    for action in ("DescribeInstances", "RebootInstances", "GetConsoleOutput", "StopInstances"):
        answers = {
            cloud.ask(action, InstanceId__1=given).text.replace(given, "ID").split("<RequestID>")[0]
            for given in (his, "i-000000ee")
        }
        assert len(answers) == 1


def test_a_wrong_state_is_told_with_the_id_that_the_caller_knows(cloud: Ec2Cloud) -> None:
    given = launched(cloud)
    answer = cloud.ask("StartInstances", InstanceId__1=given)
    assert answer.status_int == 409
    assert "<Code>IncorrectInstanceState</Code>" in answer.text
    assert given in answer.text
    assert of(cloud, given).uuid not in answer.text


def test_the_console_comes_as_the_bytes_that_the_guest_wrote(cloud: Ec2Cloud) -> None:
    raw = b"<script>\x1b]0;\x00\xff\r\nlogin:"
    cloud.compute.answers["get_console_output"] = raw
    given = launched(cloud)
    root = cloud.good("GetConsoleOutput", InstanceId=given)
    assert base64.b64decode(root.findtext("output")) == raw
    assert root.findtext("instanceId") == given


def new_volume(cloud: Ec2Cloud, *, user: str = "alice") -> str:
    root = cloud.good("CreateVolume", user=user, Size="2", AvailabilityZone="nova")
    given = str(root.findtext("volumeId"))
    number = int(given.partition("-")[2], 16)
    with cloud.db.transaction() as tx:
        volume = volumes.get_by_number(tx, number)
        volumes.take_host(tx, volume.id, "v1")
        volumes.created(tx, volume.id, host="v1")
    return given


def test_a_volume_from_making_to_deleting(cloud: Ec2Cloud) -> None:
    root = cloud.good("CreateVolume", Size="3")
    assert (root.findtext("size"), root.findtext("status")) == ("3", "creating")
    assert root.findtext("attachmentSet") == ""
    given = new_volume(cloud)
    root = cloud.good("DescribeVolumes", VolumeId__1=given)
    assert texts(root, "volumeSet/item/status") == ["available"]
    assert cloud.good("DeleteVolume", VolumeId=given).findtext("return") == "true"
    assert cloud.volume.named("delete")


def test_a_volume_is_attached_and_detached(cloud: Ec2Cloud) -> None:
    server, given = launched(cloud), new_volume(cloud)
    root = cloud.good("AttachVolume", VolumeId=given, InstanceId=server, Device="/dev/vdc")
    assert [root.findtext(name) for name in ("volumeId", "instanceId", "device", "status")] == [
        *(given, server, "/dev/vdc", "attaching")
    ]
    assert root.find("attachTime") is None
    assert cloud.code("AttachVolume", VolumeId=given, InstanceId=server) == "VolumeInUse"
    uuid = of(cloud, server).uuid
    with cloud.db.transaction() as tx:
        volume = volumes.get_by_number(tx, int(given.partition("-")[2], 16))
        volumes.attached(tx, volume.id, uuid)
    cloud.set_row(uuid, task_state=None)
    root = cloud.good("DescribeInstances", InstanceId__1=server)
    assert texts(root, ".//blockDeviceMapping/item/ebs/volumeId") == [given]
    assert texts(root, ".//blockDeviceMapping/item/ebs/status") == ["attached"]
    root = cloud.good("DescribeVolumes", Filter__1__Name="attachment.instance-id", Filter__1__Value__1=server)
    assert texts(root, "volumeSet/item/attachmentSet/item/instanceId") == [server]
    assert cloud.code("DeleteVolume", VolumeId=given) == "VolumeInUse"
    root = cloud.good("DetachVolume", VolumeId=given)
    assert root.findtext("status") == "detaching"
    assert cloud.code("DetachVolume", VolumeId=new_volume(cloud)) == "IncorrectState"


@pytest.mark.parametrize(
    ("action", "given", "code"),
    [
        ("CreateVolume", {}, "MissingParameter"),
        ("CreateVolume", {"Size": "0"}, "InvalidParameterValue"),
        ("CreateVolume", {"Size": "1", "AvailabilityZone": "mars"}, "InvalidParameterValue"),
        ("CreateVolume", {"SnapshotId": "snap-00000001"}, "UnsupportedOperation"),
        ("DeleteVolume", {"VolumeId": "vol-000000ff"}, "InvalidVolume.NotFound"),
        ("DeleteVolume", {"VolumeId": "vol-ffffffff"}, "InvalidVolume.NotFound"),
        ("DeleteVolume", {"VolumeId": "junk"}, "InvalidParameterValue"),
    ],
)
def test_a_volume_that_cannot_be(cloud: Ec2Cloud, action: str, given: dict[str, Any], code: str) -> None:
    assert cloud.code(action, **given) == code


def test_a_foreign_volume_is_not_there(cloud: Ec2Cloud) -> None:
    his, mine = new_volume(cloud, user="bob"), launched(cloud)
    for action in ("DescribeVolumes", "DeleteVolume", "AttachVolume", "DetachVolume"):
        extra: dict[str, Any] = {"InstanceId": mine} if action == "AttachVolume" else {}
        assert cloud.code(action, VolumeId=his, **extra) == "InvalidVolume.NotFound"


def test_an_administrator_sees_where_volumes_and_keys_are(cloud: Ec2Cloud) -> None:
    project = cloud.users["alice"].default_project_id
    given = new_volume(cloud)
    launched(cloud)
    root = cloud.good("DescribeVolumes", user="root", VolumeId__1=given)
    assert texts(root, "volumeSet/item/status") == [f"available ({project}, v1, None, None)"]
    root = cloud.good("DescribeInstances", user="root")
    assert texts(root, ".//keyName") == [f"None ({project}, h1)"]


def test_tags_are_metadata(cloud: Ec2Cloud) -> None:
    given = launched(cloud)
    cloud.good("CreateTags", ResourceId__1=given, Tag__1__Key="role", Tag__1__Value="web", Tag__2__Key="x")
    assert of(cloud, given).metadata == {"role": "web", "x": ""}
    root = cloud.good("DescribeTags", Filter__1__Name="key", Filter__1__Value__1="ro*")
    assert texts(root, "tagSet/item/value") == ["web"]
    cloud.good("DeleteTags", ResourceId__1=given, Tag__1__Key="role", Tag__1__Value="db")
    cloud.good("DeleteTags", ResourceId__1=given, Tag__1__Key="x")
    assert of(cloud, given).metadata == {"role": "web"}


def test_instance_types_and_empty_lists(cloud: Ec2Cloud) -> None:
    root = cloud.good("DescribeInstanceTypes", InstanceType__1="m1.tiny")
    assert texts(root, "instanceTypeSet/item/memoryInfo/sizeInMiB") == ["512"]
    assert cloud.good("DescribeAddresses").findtext("addressesSet") == ""
    assert cloud.good("DescribeVpcs").findtext("vpcSet") == ""
    assert cloud.good("DescribeInstanceStatus").findtext("instanceStatusSet") == ""


def test_addresses_are_taken_associated_and_given_back(cloud: Ec2Cloud) -> None:
    assert cloud.code("AllocateAddress", status=404) == "InvalidParameterValue"
    cloud.db.run(lambda tx: floating_ips.create(tx, ["192.0.2.9"], pool="nova", interface=""))
    address = cloud.good("AllocateAddress").findtext("publicIp")
    assert address == "192.0.2.9"
    assert cloud.code("AllocateAddress") == "NoMoreFloatingIps"
    instance = launched(cloud)
    assert (
        cloud.code("AssociateAddress", InstanceId=instance, PublicIp="192.0.2.99", status=404)
        == "InvalidAddress.NotFound"
    )
    assert cloud.code("AssociateAddress", InstanceId=instance, PublicIp=address) == "InvalidParameterValue"
    wanted = {"instance_uuid": of(cloud, instance).uuid, "hostname": "web", "host": "h1", "position": 0}
    cloud.db.run(lambda tx: address_claims.add_card(tx, cloud.net, **wanted))
    assert cloud.good("AssociateAddress", InstanceId=instance, PublicIp=address).findtext("return") == "true"
    shown = cloud.good("DescribeAddresses", PublicIp__1=address)
    assert texts(shown, "addressesSet/item/instanceId") == [instance]
    assert cloud.code("DisassociateAddress", user="bob", status=404, PublicIp=address) == "InvalidAddress.NotFound"
    assert cloud.code("ReleaseAddress", user="bob", status=404, PublicIp=address) == "InvalidAddress.NotFound"
    assert cloud.good("DisassociateAddress", PublicIp=address).findtext("return") == "true"
    assert cloud.code("DisassociateAddress", status=409, PublicIp=address) == "InvalidAssociation.NotFound"
    assert cloud.good("ReleaseAddress", PublicIp=address).findtext("return") == "true"
    assert cloud.good("DescribeAddresses").findtext("addressesSet") == ""


def test_a_reader_changes_nothing(cloud: Ec2Cloud) -> None:
    cloud.good("DescribeInstances", user="rita")
    changing = [action for action in ACTIONS if not action.name.startswith(("Describe", "Get"))]
    assert len(changing) > 12
    for action in changing:
        assert cloud.code(action.name, user="rita", status=403) == "UnauthorizedOperation", action.name


def test_every_action_has_a_rule_that_is_registered() -> None:
    policy = Policy()
    assert all(policy.knows(action.policy) for action in ACTIONS)
    assert len({action.name for action in ACTIONS}) == len(ACTIONS)


def test_a_dry_run_does_nothing(cloud: Ec2Cloud) -> None:
    given: dict[str, Any] = {"KeyName": "k", "DryRun": "true"}
    assert cloud.code("CreateKeyPair", status=412, **given) == "DryRunOperation"
    assert texts(cloud.good("DescribeKeyPairs"), "keySet/item") == []


@pytest.mark.parametrize("state", ["active", "stopped"])
def test_an_image_of_a_server_is_made(cloud: Ec2Cloud, state: str) -> None:
    server = launched(cloud, state=state)
    root = cloud.good("CreateImage", InstanceId=server, Name="mine", Description="before the upgrade", NoReboot="true")
    made = root.findtext("imageId")
    assert made.startswith("ami-")
    shown = cloud.good("DescribeImages", ImageId__1=made)
    assert shown.findtext("imagesSet/item/name") == "mine"
    assert shown.findtext("imagesSet/item/description") == "before the upgrade"
    [given] = cloud.compute.named("create_image")
    assert given["order"].image.name == "mine"


def test_an_image_that_cannot_be_made_is_refused(cloud: Ec2Cloud) -> None:
    server = launched(cloud)
    assert cloud.code("CreateImage", InstanceId=server) == "MissingParameter"
    assert cloud.code("CreateImage", InstanceId="i-00ffffff", Name="x") == "InvalidInstanceID.NotFound"
    assert cloud.code("CreateImage", user="bob", InstanceId=server, Name="x") == "InvalidInstanceID.NotFound"
    assert cloud.compute.named("create_image") == []
