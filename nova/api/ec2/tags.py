# SPDX-License-Identifier: Apache-2.0
"""Tags: the metadata of servers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nova.api.actions import server_metadata
from nova.api.actions.servers import scope_of
from nova.api.ec2.action import Ec2Action, Ec2Request
from nova.api.ec2.documents import Value
from nova.api.ec2.filters import Reader, narrowed
from nova.api.ec2.identifiers import instances_of
from nova.api.ec2.parameters import FILTERS, PAGING, Group, Many, Text
from nova.api.policies.compute import PREFIX
from nova.api.routing import Tx
from nova.db import instances
from nova.db.instances import InstanceQuery
from nova.domain.names import ec2_id

POLICY = PREFIX + "server-metadata:"
RESOURCES = Many(Text("ResourceId"), required=True, most=100)
TAGS = Many(Group("Tag", Text("Key", required=True), Text("Value")), required=True, most=100)


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag of one server."""

    resource: str
    key: str
    value: str


_READERS: dict[str, Reader[Tag]] = {
    "resource-id": lambda tag: [tag.resource],
    "resource-type": lambda _tag: ["instance"],
    "key": lambda tag: [tag.key],
    "value": lambda tag: [tag.value],
}


def describe(request: Ec2Request) -> Mapping[str, Value]:
    """DescribeTags"""
    found = instances.find(request.tx, InstanceQuery(project_id=scope_of(request.context)))
    tags = [
        Tag(ec2_id("i", instance.id), key, value)
        for instance in found
        for key, value in sorted(instance.metadata.items())
    ]
    return {
        "tagSet": [
            {"resourceId": tag.resource, "resourceType": "instance", "key": tag.key, "value": tag.value}
            for tag in narrowed(tags, request.many("Filter"), _READERS)
        ]
    }


def create(request: Ec2Request) -> Mapping[str, Value]:
    """CreateTags"""
    items = {tag["Key"]: tag.get("Value", "") for tag in request.many("Tag")}
    for instance in instances_of(request, request.many("ResourceId")):
        server_metadata.merge(request.cloud, request.tx, request.context, instance.uuid, items)
    return {"return": True}


def delete(request: Ec2Request) -> Mapping[str, Value]:
    """DeleteTags: a tag that is not there, or has another value than the named one, stays as it is."""
    for instance in instances_of(request, request.many("ResourceId")):
        for tag in request.many("Tag"):
            there = instance.metadata.get(tag["Key"])
            if there is not None and tag.get("Value", there) == there:
                server_metadata.delete(request.cloud, request.tx, request.context, instance.uuid, tag["Key"])
    return {"return": True}


ACTIONS = (
    Ec2Action(name="DescribeTags", handler=describe, policy=POLICY + "index", parameters=(FILTERS, *PAGING)),
    Ec2Action(
        name="CreateTags",
        handler=create,
        policy=server_metadata.CREATE_RULE,
        parameters=(RESOURCES, TAGS),
        tx=Tx.WRITE,
    ),
    Ec2Action(
        name="DeleteTags",
        handler=delete,
        policy=server_metadata.DELETE_RULE,
        parameters=(RESOURCES, TAGS),
        tx=Tx.WRITE,
    ),
)
