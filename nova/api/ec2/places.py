# SPDX-License-Identifier: Apache-2.0
"""Regions and availability zones, instance types, and the lists that this cloud leaves empty."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from nova.api.actions.servers import scope_of
from nova.api.ec2.action import Ec2Action, Ec2Request, Handler
from nova.api.ec2.documents import Value
from nova.api.ec2.faults import Ec2Refusal
from nova.api.ec2.filters import Reader, narrowed
from nova.api.ec2.parameters import FILTERS, PAGING, Flag, Many, Text
from nova.api.policies.compute import PREFIX
from nova.db import aggregates, flavors, services
from nova.domain.flavor import Flavor

REGION = "nova"
ZONES_RULE = PREFIX + "os-availability-zone:list"
AVAILABLE, NOT_AVAILABLE = "available", "not available"


def describe_zones(request: Ec2Request) -> Mapping[str, Value]:
    """DescribeAvailabilityZones"""
    zones = aggregates.zones_of_hosts(request.tx)
    enabled = {daemon.host for daemon in services.find(request.tx, binary="nova-compute") if not daemon.disabled}
    working = {zone for host, zone in zones.items() if host in enabled}
    states = {zone: AVAILABLE if zone in working else NOT_AVAILABLE for zone in sorted(set(zones.values()))}
    wanted = request.many("ZoneName")
    for name in wanted:
        if name not in states:
            raise Ec2Refusal("InvalidParameterValue", f"The zone '{name[:64]}' does not exist.")
    readers: dict[str, Reader[str]] = {
        "zone-name": lambda zone: [zone],
        "state": lambda zone: [states[zone]],
        "region-name": lambda _zone: [REGION],
    }
    chosen = narrowed([zone for zone in states if not wanted or zone in wanted], request.many("Filter"), readers)
    return {
        "availabilityZoneInfo": [
            {"zoneName": zone, "zoneState": states[zone], "regionName": REGION, "messageSet": []} for zone in chosen
        ]
    }


def describe_regions(request: Ec2Request) -> Mapping[str, Value]:
    """DescribeRegions"""
    settings = request.cloud.settings.ec2
    named = [each.partition("=") for each in settings.regions]
    regions = {name.strip(): _endpoint(settings.url, place.strip()) for name, _, place in named}
    shown = regions or {REGION: settings.url}
    return {"regionInfo": [{"regionName": name, "regionEndpoint": url} for name, url in shown.items()]}


def _endpoint(own: str, place: str) -> str:
    """The URL of another region: as it stands, or our own on another host."""
    if "://" in place:
        return place
    parts = urlsplit(own)
    port = "" if ":" in place or parts.port is None else f":{parts.port}"
    return urlunsplit(parts._replace(netloc=f"{place}{port}"))


_FLAVOR_READERS: dict[str, Reader[Flavor]] = {
    "instance-type": lambda flavor: [flavor.name],
    "memory-info.size-in-mib": lambda flavor: [flavor.memory_mb],
    "vcpu-info.default-vcpus": lambda flavor: [flavor.vcpus],
}


def describe_types(request: Ec2Request) -> Mapping[str, Value]:
    """DescribeInstanceTypes: the flavors that the caller may use."""
    wanted = request.many("InstanceType")
    found = flavors.find(request.tx, project_id=scope_of(request.context))
    chosen = [flavor for flavor in found if not wanted or flavor.name in wanted]
    return {"instanceTypeSet": [_type(each) for each in narrowed(chosen, request.many("Filter"), _FLAVOR_READERS)]}


def _type(flavor: Flavor) -> Value:
    disk_gb = flavor.root_gb + flavor.ephemeral_gb
    return {
        "instanceType": flavor.name,
        "currentGeneration": True,
        "hypervisor": "kvm",
        "vCpuInfo": {"defaultVCpus": flavor.vcpus},
        "memoryInfo": {"sizeInMiB": flavor.memory_mb},
        "instanceStorageSupported": disk_gb > 0,
        "instanceStorageInfo": {"totalSizeInGB": disk_gb},
    }


def _empty(name: str, *element: str) -> Ec2Action:
    def handler(_request: Ec2Request) -> Mapping[str, Value]:
        return {each: [] for each in element}

    done: Handler = handler
    keys = [Many(Text(key)) for key in _KEYS.get(name, ())]
    parameters = (FILTERS, *keys, *PAGING, Flag("AllowedOnly"))
    return Ec2Action(name=name, handler=done, policy=ZONES_RULE, parameters=parameters)


_KEYS = {"DescribeVpcs": ("VpcId",), "DescribeSubnets": ("SubnetId",)}

ACTIONS = (
    Ec2Action(
        name="DescribeAvailabilityZones",
        handler=describe_zones,
        policy=ZONES_RULE,
        parameters=(Many(Text("ZoneName")), Many(Text("ZoneId")), FILTERS, Flag("AllAvailabilityZones")),
    ),
    Ec2Action(
        name="DescribeRegions",
        handler=describe_regions,
        policy=ZONES_RULE,
        parameters=(Many(Text("RegionName")), FILTERS, Flag("AllRegions")),
    ),
    Ec2Action(
        name="DescribeInstanceTypes",
        handler=describe_types,
        policy=PREFIX + "flavors",
        parameters=(Many(Text("InstanceType")), FILTERS, *PAGING),
    ),
    _empty("DescribeVpcs", "vpcSet"),
    _empty("DescribeSubnets", "subnetSet"),
)
