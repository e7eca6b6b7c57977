# SPDX-License-Identifier: Apache-2.0
"""Floating addresses of the caller's project."""

from __future__ import annotations

from collections.abc import Mapping

from nova.api.actions import floating_ips as actions
from nova.api.actions.floating_ips import RULE
from nova.api.ec2.action import Ec2Action, Ec2Request
from nova.api.ec2.documents import Value
from nova.api.ec2.faults import Ec2Refusal
from nova.api.ec2.filters import Reader, narrowed
from nova.api.ec2.identifiers import instance_of
from nova.api.ec2.parameters import FILTERS, Flag, Many, Text
from nova.api.routing import Tx
from nova.db import floating_ips, instances
from nova.domain.names import ec2_id
from nova.domain.network import FloatingIp
from nova.errors import NotFound


def describe(request: Ec2Request) -> Mapping[str, Value]:
    """DescribeAddresses"""
    found = floating_ips.of_project(request.tx, request.context.project_id)
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


def allocate(request: Ec2Request) -> Mapping[str, Value]:
    """AllocateAddress: from the default pool."""
    made = actions.allocate(request.cloud, request.tx, request.context)
    return {"publicIp": made.address, "domain": "standard"}


def release(request: Ec2Request) -> Mapping[str, Value]:
    """ReleaseAddress"""
    actions.release(request.cloud, request.tx, request.context, _mine(request))
    return {"return": True}


def associate(request: Ec2Request) -> Mapping[str, Value]:
    """AssociateAddress: with the server's first fixed address, unless one is named."""
    instance = instance_of(request, request.text("InstanceId"))
    actions.associate(
        request.cloud,
        request.tx,
        request.context,
        instance.uuid,
        address=_mine(request).address,
        fixed_address=request.text("PrivateIpAddress"),
    )
    return {"return": True}


def disassociate(request: Ec2Request) -> Mapping[str, Value]:
    """DisassociateAddress"""
    actions.disassociate(request.cloud, request.tx, request.context, _mine(request))
    return {"return": True}


def _mine(request: Ec2Request) -> FloatingIp:
    """The address that is named; one of another project is not there."""
    address = request.text("PublicIp")
    floating = floating_ips.get(request.tx, address)
    if floating.project_id != request.context.project_id and not request.context.is_admin:
        raise NotFound.of("floating IP", address)
    return floating


_ADDRESS = Text("PublicIp", required=True)

ACTIONS = (
    Ec2Action(
        name="DescribeAddresses",
        handler=describe,
        policy=RULE + "view",
        parameters=(Many(Text("PublicIp")), Many(Text("AllocationId")), FILTERS),
    ),
    Ec2Action(
        name="AllocateAddress",
        handler=allocate,
        policy=RULE + "allocate",
        parameters=(Text("Domain", choices=("standard",)), Text("PublicIp")),
        tx=Tx.WRITE,
    ),
    Ec2Action(name="ReleaseAddress", handler=release, policy=RULE + "release", parameters=(_ADDRESS,), tx=Tx.WRITE),
    Ec2Action(
        name="AssociateAddress",
        handler=associate,
        policy=RULE + "associate",
        parameters=(_ADDRESS, Text("InstanceId", required=True), Text("PrivateIpAddress"), Flag("AllowReassociation")),
        tx=Tx.WRITE,
    ),
    Ec2Action(
        name="DisassociateAddress",
        handler=disassociate,
        policy=RULE + "associate",
        parameters=(_ADDRESS,),
        tx=Tx.WRITE,
    ),
)
