# SPDX-License-Identifier: Apache-2.0
"""What a script of 2012 does with boto 2.49: ``boto_session.py PART PORT ACCESS_KEY SECRET_KEY``."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from boto.ec2.connection import EC2Connection
from boto.exception import EC2ResponseError
from boto.regioninfo import RegionInfo

PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a@example"


def connect(port: int, access: str, secret: str) -> Any:
    return EC2Connection(
        aws_access_key_id=access,
        aws_secret_access_key=secret,
        is_secure=False,
        port=port,
        path="/services/Cloud",
        region=RegionInfo(name="nova", endpoint="127.0.0.1"),
    )


def check(found: Any, wanted: Any) -> None:
    if found != wanted:
        raise SystemExit(f"{found!r} is not {wanted!r}")


def until(what: Callable[[], Any], wanted: Any, *, within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while (found := what()) != wanted:
        if time.monotonic() > deadline:
            check(found, wanted)
        time.sleep(0.1)


def places(ec2: Any) -> None:
    check([region.name for region in ec2.get_all_regions()], ["nova"])
    check([(zone.name, zone.state) for zone in ec2.get_all_zones()], [("nova", "available")])
    (image,) = ec2.get_all_images()
    check((image.name, image.state, image.type), ("tiny", "available", "machine"))
    check(ec2.get_all_addresses(), [])


def keys_and_groups(ec2: Any) -> None:
    pair = ec2.create_key_pair("old")
    check(pair.material[:10], "-----BEGIN")
    check(ec2.import_key_pair("older", PUBLIC_KEY.encode()).name, "older")
    check({each.name for each in ec2.get_all_key_pairs()}, {"old", "older"})
    check(ec2.delete_key_pair("older"), True)
    group = ec2.create_security_group("old group", "of boto")
    check(group.authorize("tcp", 22, 22, "10.0.0.0/8"), True)
    check(group.authorize(src_group=group), True)
    (found,) = ec2.get_all_security_groups(groupnames=["old group"])
    ranges = [grant.cidr_ip for rule in found.rules for grant in rule.grants if grant.cidr_ip]
    check(ranges, ["10.0.0.0/8"])
    check(group.revoke("tcp", 22, 22, "10.0.0.0/8"), True)
    check(ec2.delete_security_group("old group"), True)


def server_and_volume(ec2: Any) -> None:
    (image,) = ec2.get_all_images()
    words = {"instance_type": "small", "user_data": b"#!/bin/sh\n", "security_groups": ["default"]}
    (server,) = ec2.run_instances(image.id, **words).instances
    until(server.update, "running")
    check(server.private_ip_address[:5], "10.0.")
    running = ec2.get_only_instances(filters={"instance-state-name": "running"})
    check([each.id for each in running], [server.id])
    check(ec2.get_console_output(server.id).instance_id, server.id)
    _volume(ec2, server)
    for act, wanted in ((server.stop, "stopped"), (server.start, "running"), (server.reboot, "running")):
        act()
        until(server.update, wanted)
    server.add_tag("role", "old")
    check([tag.value for tag in ec2.get_all_tags({"key": "role"})], ["old"])
    server.terminate()
    until(ec2.get_only_instances, [])


def _volume(ec2: Any, server: Any) -> None:
    volume = ec2.create_volume(1, "nova")
    until(volume.update, "available")
    volume.attach(server.id, "/dev/vdc")
    until(lambda: (volume.update(), volume.attachment_state())[1], "attached")
    volume.detach()
    until(volume.update, "available")
    check(volume.delete(), True)


def refusals(ec2: Any) -> None:
    check(_refusal(lambda: ec2.get_all_instances(instance_ids=["i-000000ff"]))[1], "InvalidInstanceID.NotFound")
    stranger = connect(ec2.port, "nobody:apples", "wrong")
    check(_refusal(stranger.get_all_regions), (403, "AuthFailure"))
    guesser = connect(ec2.port, ec2.aws_access_key_id, "wrong")
    check(_refusal(guesser.get_all_regions), (403, "AuthFailure"))


def _refusal(call: Callable[[], Any]) -> tuple[int, str]:
    try:
        call()
    except EC2ResponseError as error:
        return error.status, error.error_code
    raise SystemExit("the call was not refused")


PARTS = {each.__name__: each for each in (places, keys_and_groups, server_and_volume, refusals)}

if __name__ == "__main__":
    part, port, access, secret = sys.argv[1:]
    PARTS[part](connect(int(port), access, secret))
    sys.stdout.write(f"{part} done\n")
