# SPDX-License-Identifier: Apache-2.0
"""RunInstances: a call in EC2's words as a request for servers; nova.api.actions.boot does the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nova.api.actions.boot import RULE, boot
from nova.api.actions.boot_request import BootRequest
from nova.api.actions.servers import scope_of
from nova.api.actions.user_data import MAX_USER_DATA, checked_user_data
from nova.api.ec2.action import Ec2Action, Ec2Request
from nova.api.ec2.documents import Value
from nova.api.ec2.faults import Ec2Refusal
from nova.api.ec2.identifiers import image_id_of
from nova.api.ec2.instance_view import CLIENT_TOKEN, around, reservation
from nova.api.ec2.parameters import Flag, Group, Many, Number, Text
from nova.api.ec2.security_groups import names_of_groups
from nova.api.routing import Tx
from nova.db import flavors, instances
from nova.db.engine import Transaction
from nova.db.instances import InstanceQuery
from nova.domain.instance import Instance
from nova.errors import NotFound

MAX_COUNT = 1000
NAME_TAG = "Name"
"""The tag that clients show as the name of a server"""

TAG = Group("Tag", Text("Key", required=True), Text("Value"))
PARAMETERS = (
    Text("ImageId", required=True),
    Number("MinCount", least=1, most=MAX_COUNT),
    Number("MaxCount", least=1, most=MAX_COUNT),
    Text("InstanceType"),
    Text("KeyName"),
    Many(Text("SecurityGroup"), most=100),
    Many(Text("SecurityGroupId"), most=100),
    Text("UserData", most=MAX_USER_DATA),
    Text("KernelId"),
    Text("RamdiskId"),
    Group("Placement", Text("AvailabilityZone"), Text("GroupName"), Text("Tenancy", choices=("", "default"))),
    Text("ClientToken", most=64),
    Many(Group("TagSpecification", Text("ResourceType", required=True), Many(TAG)), most=10),
    Text("DisplayName"),
    Text("DisplayDescription"),
    Group("Monitoring", Flag("Enabled")),
    Text("AddressingType"),
    Flag("EbsOptimized"),
    Flag("DisableApiTermination"),
    Text("InstanceInitiatedShutdownBehavior", choices=("stop", "terminate")),
)


def run(request: Ec2Request) -> Mapping[str, Value]:
    """RunInstances.  The hosts may have to fetch the image in the caller's name."""
    token = request.text("ClientToken")
    made = _made_before(request, token) if token else []
    if not made:
        request = request.with_token()
        made, _password = boot(request.cloud, request.context, _wanted(request))
        made = _marked(request, made, token) if token else made
    return reservation(made, around(request, made))


def _made_before(request: Ec2Request, token: str) -> list[Instance]:
    """The servers of an earlier call with this token: a client that got no answer asks again."""
    query = InstanceQuery(project_id=request.context.project_id, system_metadata={CLIENT_TOKEN: token}, complete=True)
    return request.cloud.db.run(lambda tx: instances.find(tx, query), write=False)


def _marked(request: Ec2Request, made: Sequence[Instance], token: str) -> list[Instance]:
    """Remember with the servers by which token they were asked for."""

    def mark(tx: Transaction) -> list[Instance]:
        for instance in made:
            instances.set_system_metadata(tx, instance.uuid, {CLIENT_TOKEN: token})
        return [instances.get(tx, instance.uuid) for instance in made]

    return request.cloud.db.run(mark)


def _wanted(request: Ec2Request) -> BootRequest:
    values = request.values
    least, most = _counts(values)
    flavor_id, groups = request.cloud.db.run(lambda tx: _from_database(request.inside(tx)))
    tags = _tags(values)
    return BootRequest(
        name=request.text("DisplayName") or tags.get(NAME_TAG, ""),
        description=request.text("DisplayDescription") or None,
        flavor_id=flavor_id,
        image_id=image_id_of(request, values["ImageId"]),
        kernel_id=image_id_of(request, values["KernelId"]) if request.text("KernelId") else "",
        ramdisk_id=image_id_of(request, values["RamdiskId"]) if request.text("RamdiskId") else "",
        min_count=least,
        max_count=most,
        metadata=tags,
        security_groups=tuple(groups),
        key_name=request.text("KeyName"),
        user_data=checked_user_data(request.text("UserData")),
        availability_zone=values.get("Placement", {}).get("AvailabilityZone", ""),
    )


def _from_database(request: Ec2Request) -> tuple[str, list[str]]:
    """The public id of the flavor, and the names of the groups."""
    groups = [*request.many("SecurityGroup"), *names_of_groups(request, request.many("SecurityGroupId"))]
    return _flavor_id(request, request.tx), groups


def _flavor_id(request: Ec2Request, tx: Transaction) -> str:
    name = request.text("InstanceType") or request.cloud.settings.default_flavor
    try:
        return flavors.get_by_name(tx, name, project_id=scope_of(request.context)).flavor_id
    except NotFound:
        raise Ec2Refusal("InvalidParameterValue", f"The instance type '{name[:64]}' does not exist.") from None


def _counts(values: Mapping[str, Any]) -> tuple[int, int]:
    least = values.get("MinCount", 1)
    most = values.get("MaxCount", least)
    if least > most:
        raise Ec2Refusal("InvalidParameterValue", "MinCount must not be more than MaxCount.")
    return least, most


def _tags(values: Mapping[str, Any]) -> dict[str, str]:
    """The tags for instances; those for other things of the same call are not kept anywhere."""
    wanted = [each for each in values.get("TagSpecification", ()) if each["ResourceType"] == "instance"]
    return {tag["Key"]: tag.get("Value", "") for each in wanted for tag in each.get("Tag", ())}


ACTIONS = (Ec2Action(name="RunInstances", handler=run, policy=RULE, parameters=PARAMETERS, tx=Tx.NONE),)
