# SPDX-License-Identifier: Apache-2.0
"""DescribeInstances and its kin, and what is done to servers that are there."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping

from nova.api.actions import delete as delete_action
from nova.api.actions import power
from nova.api.actions import reboot as reboot_action
from nova.api.actions.console_output import RULE as CONSOLE_RULE
from nova.api.actions.console_output import console_bytes
from nova.api.actions.servers import scope_of
from nova.api.ec2 import instance_states
from nova.api.ec2.action import Ec2Action, Ec2Request
from nova.api.ec2.documents import Value
from nova.api.ec2.filters import Reader, narrowed
from nova.api.ec2.identifiers import instance_of, instances_of
from nova.api.ec2.instance_view import CLIENT_TOKEN, Around, around, reservations
from nova.api.ec2.parameters import FILTERS, PAGING, Flag, Many, Text
from nova.api.policies.compute import PREFIX
from nova.api.routing import Tx
from nova.context import RequestContext
from nova.db import instances
from nova.db.engine import Transaction
from nova.db.instances import InstanceQuery
from nova.domain.instance import Instance
from nova.domain.names import ec2_id
from nova.system import clock

SHOW_RULE = PREFIX + "servers:detail"
IDS = Many(Text("InstanceId"), required=True)
SOME_IDS = Many(Text("InstanceId"))

Each = Callable[[Ec2Request, Transaction, RequestContext, str], None]


def listed(request: Ec2Request) -> tuple[list[Instance], Around]:
    """The caller's servers that the call's ids and filters name; opens its own transactions."""

    def read(tx: Transaction) -> list[Instance]:
        if request.many("InstanceId"):
            return instances_of(request.inside(tx), request.many("InstanceId"))
        query = InstanceQuery(project_id=scope_of(request.context), sort=(("created_at", "asc"),), complete=True)
        return instances.find(tx, query)

    found = request.cloud.db.run(read, write=False)
    beside = around(request, found)
    return narrowed(found, request.many("Filter"), _readers(beside), tags=lambda each: each.metadata), beside


def describe(request: Ec2Request) -> Mapping[str, Value]:
    """DescribeInstances"""
    found, beside = listed(request)
    return {"reservationSet": reservations(found, beside)}


def describe_status(request: Ec2Request) -> Mapping[str, Value]:
    """DescribeInstanceStatus: without IncludeAllInstances only of those that run."""
    found, beside = listed(request)
    everything = bool(request.values.get("IncludeAllInstances"))
    chosen = [each for each in found if everything or instance_states.state_of(each) == instance_states.RUNNING]
    return {"instanceStatusSet": [_status(instance, beside) for instance in chosen]}


def _status(instance: Instance, beside: Around) -> Value:
    state = instance_states.state_of(instance)
    known = "ok" if state == instance_states.RUNNING else "not-applicable"
    return {
        "instanceId": ec2_id("i", instance.id),
        "availabilityZone": beside.zone(instance),
        "instanceState": instance_states.shown(state),
        "systemStatus": {"status": known},
        "instanceStatus": {"status": known},
    }


def _readers(beside: Around) -> dict[str, Reader[Instance]]:
    return {
        "instance-id": lambda i: [ec2_id("i", i.id)],
        "instance-state-name": lambda i: [instance_states.state_of(i)[1]],
        "instance-state-code": lambda i: [instance_states.state_of(i)[0]],
        "image-id": lambda i: [beside.image(i)],
        "instance-type": lambda i: [i.flavor.name],
        "key-name": lambda i: [i.key_name],
        "reservation-id": lambda i: [i.reservation_id],
        "owner-id": lambda i: [i.project_id],
        "availability-zone": lambda i: [beside.zone(i)],
        "private-ip-address": lambda i: [beside.private_ip(i)],
        "ip-address": lambda i: [beside.public_ip(i)],
        "dns-name": lambda i: [beside.public_ip(i)],
        "private-dns-name": lambda i: [beside.private_name(i)],
        "group-name": lambda i: [group.name for group in beside.groups.get(i.uuid, ())],
        "group-id": lambda i: [group.id for group in beside.groups.get(i.uuid, ())],
        "instance.group-name": lambda i: [group.name for group in beside.groups.get(i.uuid, ())],
        "instance.group-id": lambda i: [group.id for group in beside.groups.get(i.uuid, ())],
        "root-device-name": lambda i: [i.root_device_name],
        "root-device-type": lambda i: ["instance-store" if i.image_ref else "ebs"],
        "launch-time": lambda i: [i.created_at],
        "launch-index": lambda i: [i.launch_index],
        "client-token": lambda i: [i.system_metadata.get(CLIENT_TOKEN, "")],
    }


def _change(request: Ec2Request, each: Each) -> list[Value]:
    """Do *each* to all the call's servers, or to none; before and after of every one."""
    before = instances_of(request, request.many("InstanceId"))
    for instance in before:
        each(request, request.tx, request.context, instance.uuid)
    after = instances.get_many(request.tx, [instance.uuid for instance in before])
    return [_transition(instance, after.get(instance.uuid)) for instance in before]


def _transition(before: Instance, after: Instance | None) -> Value:
    current = instance_states.state_of(after) if after else instance_states.TERMINATED
    return {
        "instanceId": ec2_id("i", before.id),
        "currentState": instance_states.shown(current),
        "previousState": instance_states.shown(instance_states.state_of(before)),
    }


def terminate(request: Ec2Request) -> Mapping[str, Value]:
    """TerminateInstances"""
    return {"instancesSet": _change(request, lambda r, tx, who, uuid: delete_action.delete(r.cloud, tx, who, uuid))}


def start(request: Ec2Request) -> Mapping[str, Value]:
    """StartInstances"""
    return {"instancesSet": _change(request, lambda r, tx, who, uuid: power.start(r.cloud, tx, who, uuid))}


def stop(request: Ec2Request) -> Mapping[str, Value]:
    """StopInstances"""
    return {"instancesSet": _change(request, lambda r, tx, who, uuid: power.stop(r.cloud, tx, who, uuid))}


def reboot(request: Ec2Request) -> Mapping[str, Value]:
    """RebootInstances"""
    _change(request, lambda r, tx, who, uuid: reboot_action.reboot(r.cloud, tx, who, uuid, hard=False))
    return {"return": True}


def get_console_output(request: Ec2Request) -> Mapping[str, Value]:
    """GetConsoleOutput"""
    instance = request.cloud.db.run(lambda tx: instance_of(request.inside(tx), request.text("InstanceId")), write=False)
    output = console_bytes(request.cloud, request.context, instance.uuid)
    return {
        "instanceId": ec2_id("i", instance.id),
        "timestamp": clock.utc_now(),
        "output": base64.b64encode(output).decode(),
    }


ACTIONS = (
    Ec2Action(
        name="DescribeInstances",
        handler=describe,
        policy=SHOW_RULE,
        parameters=(SOME_IDS, FILTERS, *PAGING),
        tx=Tx.NONE,
    ),
    Ec2Action(
        name="DescribeInstanceStatus",
        handler=describe_status,
        policy=SHOW_RULE,
        parameters=(SOME_IDS, FILTERS, Flag("IncludeAllInstances"), *PAGING),
        tx=Tx.NONE,
    ),
    Ec2Action(
        name="TerminateInstances",
        handler=terminate,
        policy=delete_action.RULE,
        parameters=(IDS, Flag("Force"), Flag("SkipOsShutdown")),
        tx=Tx.WRITE,
    ),
    Ec2Action(name="RebootInstances", handler=reboot, policy=reboot_action.RULE, parameters=(IDS,), tx=Tx.WRITE),
    Ec2Action(
        name="StartInstances",
        handler=start,
        policy=power.START_RULE,
        parameters=(IDS, Text("AdditionalInfo")),
        tx=Tx.WRITE,
    ),
    Ec2Action(
        name="StopInstances",
        handler=stop,
        policy=power.STOP_RULE,
        parameters=(IDS, Flag("Force"), Flag("Hibernate"), Flag("SkipOsShutdown")),
        tx=Tx.WRITE,
    ),
    Ec2Action(
        name="GetConsoleOutput",
        handler=get_console_output,
        policy=CONSOLE_RULE,
        parameters=(Text("InstanceId", required=True), Flag("Latest")),
        tx=Tx.NONE,
    ),
)
