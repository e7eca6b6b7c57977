# SPDX-License-Identifier: Apache-2.0
"""Floating addresses of the caller's project."""

from __future__ import annotations

from collections.abc import Mapping

from nova.api.ec2.action import Ec2Action, Ec2Request
from nova.api.ec2.documents import Value
from nova.api.ec2.faults import Ec2Refusal
from nova.api.ec2.filters import Reader, narrowed
from nova.api.ec2.parameters import FILTERS, Many, Text
from nova.api.policies.compute import PREFIX
from nova.db import floating_ips, instances
from nova.domain.names import ec2_id
from nova.domain.network import FloatingIp


def describe(request: Ec2Request) -> Mapping[str, Value]:
    """DescribeAddresses"""
    project = request.context.project_id
    found = [each for each in floating_ips.find_all(request.tx) if each.project_id == project]
    wanted = request.many("PublicIp")
    for address in wanted:
        if address not in {each.address for each in found}:
            raise Ec2Refusal("InvalidAddress.NotFound", f"The address '{address[:64]}' does not exist.")
    holders = instances.get_many(request.tx, [each.instance_uuid for each in found if each.instance_uuid])
    ids = {uuid: ec2_id("i", instance.id) for uuid, instance in holders.items()}
    readers: dict[str, Reader[FloatingIp]] = {
        "public-ip": lambda each: [each.address],
        "domain": lambda _each: ["standard"],
        "instance-id": lambda each: [ids[each.instance_uuid]] if each.instance_uuid in ids else [],
    }
    chosen = narrowed([each for each in found if not wanted or each.address in wanted], request.many("Filter"), readers)
    return {
        "addressesSet": [
            {"publicIp": each.address, "domain": "standard", "instanceId": ids.get(each.instance_uuid, "")}
            for each in chosen
        ]
    }


ACTIONS = (
    Ec2Action(
        name="DescribeAddresses",
        handler=describe,
        policy=PREFIX + "ips:index",
        parameters=(Many(Text("PublicIp")), Many(Text("AllocationId")), FILTERS),
    ),
)
