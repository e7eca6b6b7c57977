# SPDX-License-Identifier: Apache-2.0
"""Clients of three generations drive our EC2 API through all daemons: boto 2.49, boto3, and the aws program."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

HERE = Path(__file__).parent
AWS = Path(sys.executable).with_name("aws")
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a@example"


@dataclass(frozen=True)
class Served:
    """Where the API is, and the keys of its users."""

    port: int
    alice: tuple[str, str]
    bob: tuple[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/services/Cloud"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("ec2")
    with (directory / "stderr").open("w") as complaints:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(HERE / "serve_ec2.py"), str(directory)],
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        )
    assert process.stdout is not None
    try:
        words = process.stdout.readline().split()
        assert len(words) == 5, (directory / "stderr").read_text()
        yield Served(int(words[0]), (words[1], words[2]), (words[3], words[4]))
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()


def until(what: Callable[[], Any], wanted: Any, *, within_s: float = 30.0) -> None:
    """Wait until *what* says *wanted*."""
    deadline = time.monotonic() + within_s
    found = what()
    while found != wanted:
        assert time.monotonic() < deadline, f"{found} and not {wanted}"
        time.sleep(0.1)
        found = what()


# boto 2.49: signatures of version 2.  Its age would show in every warning, so it has a process of its own.


@pytest.mark.parametrize("part", ["places", "keys_and_groups", "server_and_volume", "refusals"])
def test_boto_does_its_part(served: Served, part: str) -> None:
    command = [sys.executable, "-W", "ignore", str(HERE / "boto_session.py"), part, str(served.port), *served.alice]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, f"{part} done\n"), done.stderr


# boto3: signatures of version 4.


def new_client(served: Served, keys: tuple[str, str]) -> Any:
    return boto3.client(
        "ec2",
        endpoint_url=served.url,
        region_name="nova",
        aws_access_key_id=keys[0],
        aws_secret_access_key=keys[1],
        config=Config(retries={"max_attempts": 1}),
    )


@pytest.fixture
def ec2(served: Served) -> Any:
    return new_client(served, served.bob)


def state_of(ec2: Any, server: str) -> str:
    answer = ec2.describe_instances(InstanceIds=[server])
    return str(answer["Reservations"][0]["Instances"][0]["State"]["Name"])


def volume_state(ec2: Any, volume: str) -> str:
    return str(ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["State"])


def test_boto3_finds_its_way(ec2: Any, served: Served) -> None:
    assert [each["RegionName"] for each in ec2.describe_regions()["Regions"]] == ["nova"]
    assert [each["ZoneName"] for each in ec2.describe_availability_zones()["AvailabilityZones"]] == ["nova"]
    (image,) = ec2.describe_images(Filters=[{"Name": "name", "Values": ["t*y"]}])["Images"]
    assert (image["State"], image["ImageType"]) == ("available", "machine")
    assert ec2.describe_instance_types()["InstanceTypes"][0]["InstanceType"] == "small"
    assert ec2.describe_addresses()["Addresses"] == []
    assert ec2.describe_vpcs()["Vpcs"] == []
    assert ec2.describe_subnets()["Subnets"] == []


def test_boto3_makes_keys_and_groups(ec2: Any) -> None:
    assert ec2.create_key_pair(KeyName="new")["KeyMaterial"].startswith("-----BEGIN")
    assert ec2.import_key_pair(KeyName="newer", PublicKeyMaterial=PUBLIC_KEY.encode())["KeyFingerprint"]
    assert len(ec2.describe_key_pairs()["KeyPairs"]) == 2
    ec2.delete_key_pair(KeyName="newer")
    group = ec2.create_security_group(GroupName="new", Description="of boto3")["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 81, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    (found,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert [(each["FromPort"], each["ToPort"]) for each in found["IpPermissions"]] == [(80, 81)]
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[rule])
    ec2.delete_security_group(GroupId=group)


def test_boto3_runs_a_server_and_a_volume(ec2: Any) -> None:
    image = ec2.describe_images()["Images"][0]["ImageId"]
    made = ec2.run_instances(
        ImageId=image,
        MinCount=1,
        MaxCount=1,
        InstanceType="small",
        UserData="#!/bin/sh\n",
        Placement={"AvailabilityZone": "nova"},
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "new web"}]}],
    )
    server = made["Instances"][0]["InstanceId"]
    ec2.get_waiter("instance_running").wait(InstanceIds=[server], WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    (status,) = ec2.describe_instance_status(InstanceIds=[server])["InstanceStatuses"]
    assert status["InstanceState"]["Name"] == "running"
    assert isinstance(ec2.get_console_output(InstanceId=server)["Output"], str)
    volume = ec2.create_volume(Size=1, AvailabilityZone="nova")["VolumeId"]
    until(lambda: volume_state(ec2, volume), "available")
    ec2.attach_volume(VolumeId=volume, InstanceId=server, Device="/dev/vdc")
    until(
        lambda: [each["State"] for each in ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["Attachments"]],
        ["attached"],
    )
    ec2.detach_volume(VolumeId=volume)
    until(lambda: volume_state(ec2, volume), "available")
    ec2.delete_volume(VolumeId=volume)
    (change,) = ec2.stop_instances(InstanceIds=[server])["StoppingInstances"]
    assert (change["PreviousState"]["Name"], change["CurrentState"]["Name"]) == ("running", "stopping")
    until(lambda: state_of(ec2, server), "stopped")
    ec2.start_instances(InstanceIds=[server])
    until(lambda: state_of(ec2, server), "running")
    ec2.reboot_instances(InstanceIds=[server])
    until(lambda: state_of(ec2, server), "running")
    (change,) = ec2.terminate_instances(InstanceIds=[server])["TerminatingInstances"]
    assert change["CurrentState"]["Name"] == "shutting-down"
    until(lambda: ec2.describe_instances()["Reservations"], [])


def test_boto3_with_a_wrong_secret_is_refused(served: Served) -> None:
    with pytest.raises(ClientError) as caught:
        new_client(served, (served.alice[0], "wrong")).describe_regions()
    assert caught.value.response["Error"]["Code"] == "AuthFailure"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


# The aws program.


def aws(served: Served, *words: str, secret: str = "") -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {
        "AWS_ACCESS_KEY_ID": served.alice[0],
        "AWS_SECRET_ACCESS_KEY": secret or served.alice[1],
        "AWS_DEFAULT_REGION": "nova",
        "AWS_DEFAULT_OUTPUT": "json",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "PYTHONWARNINGS": "ignore",
    }
    command = [str(AWS), "--endpoint-url", served.url, "ec2", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def told(served: Served, *words: str) -> Any:
    done = aws(served, *words)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return json.loads(done.stdout) if done.stdout.strip() else None


def test_aws_from_key_to_terminated_server(served: Served, tmp_path: Path) -> None:
    assert told(served, "describe-regions")["Regions"][0]["RegionName"] == "nova"
    assert told(served, "describe-availability-zones")["AvailabilityZones"][0]["State"] == "available"
    image = told(served, "describe-images", "--owners", "self")["Images"]
    assert image == []
    image = told(served, "describe-images", "--filters", "Name=name,Values=tiny")["Images"][0]["ImageId"]
    key = tmp_path / "key.pub"
    key.write_text(PUBLIC_KEY)
    told(served, "import-key-pair", "--key-name", "aws", "--public-key-material", f"fileb://{key}")
    words = ("--instance-type", "small", "--key-name", "aws", "--user-data", "#!/bin/sh")
    server = told(served, "run-instances", "--image-id", image, *words)["Instances"][0]["InstanceId"]
    until(
        lambda: told(served, "describe-instances", "--instance-ids", server)["Reservations"][0]["Instances"][0][
            "State"
        ],
        {"Code": 16, "Name": "running"},
    )
    output = told(served, "get-console-output", "--instance-id", server)
    assert output["InstanceId"] == server
    told(served, "terminate-instances", "--instance-ids", server)
    until(lambda: told(served, "describe-instances")["Reservations"], [])


def test_aws_with_a_wrong_secret_is_refused(served: Served) -> None:
    done = aws(served, "describe-regions", secret=base64.b64encode(b"wrong").decode())
    assert done.returncode != 0
    assert "AuthFailure" in done.stderr
