# SPDX-License-Identifier: Apache-2.0
"""nova-manage vm: the servers of all projects."""

from __future__ import annotations

from nova.cmd.manage.frame import Action, Argument, Category
from nova.cmd.manage.operator import Operator
from nova.db import instances
from nova.db.instances.search import InstanceQuery
from nova.db.transaction import Transaction
from nova.domain.instance import Instance, Operation
from nova.domain.move import MoveKind
from nova.domain.transitions import Action as Transitions
from nova.errors import InvalidInput

ROW = "{:<10} {:<15} {:<10} {:<10} {:<26} {:<9} {:<9} {:<9}  {:<10} {:<10} {:<10} {:<5}"
HEAD = (
    "instance",
    "node",
    "type",
    "state",
    "launched",
    "image",
    "kernel",
    "ramdisk",
    "project",
    "user",
    "zone",
    "index",
)


def list_servers(operator: Operator, *, host: str) -> None:
    """One line for each server."""
    query = InstanceQuery(host=host) if host else InstanceQuery()
    found = operator.db.run(lambda tx: instances.find(tx, query), write=False)
    operator.say(ROW.format(*HEAD))
    for one in found:
        operator.say(
            ROW.format(
                *(one.display_name, one.host, one.flavor.name, one.vm_state, str(one.launched_at)),
                *(one.image_ref, one.kernel_id, one.ramdisk_id, one.project_id, one.user_id),
                *(one.availability_zone, one.launch_index),
            )
        )


def live_migration(operator: Operator, *, ec2_id: str, dest: str) -> None:
    """Move a running server to *dest*, on storage that both hosts share or with its disks."""
    _move(operator, ec2_id, dest, copies_disks=None)


def block_migration(operator: Operator, *, ec2_id: str, dest: str) -> None:
    """The same, copying its disks."""
    _move(operator, ec2_id, dest, copies_disks=True)


def _move(operator: Operator, named: str, dest: str, *, copies_disks: bool | None) -> None:
    from nova.db import move_requests, services
    from nova.interfaces.conductor import Conductor
    from nova.rpc.client import client_for

    def record(tx: Transaction) -> Operation:
        instance = _named(tx, named)
        services.get_by_host(tx, dest, "nova-compute")
        if instance.host == dest:
            raise InvalidInput(f"Server {named} is on host {dest} already.", field="dest")
        return move_requests.record(
            tx,
            operator.context,
            instance,
            Transitions.LIVE_MIGRATE,
            kind=MoveKind.LIVE,
            arguments={"force_host": dest},
            block_migration=copies_disks,
        )

    operation = operator.db.run(record)
    client_for(Conductor, operator.transport).move_instance(operator.context, operation_id=operation.id)
    operator.say(f"Migration of {named} initiated. Check its progress using 'nova migration-list'.")


def _named(tx: Transaction, text: str) -> Instance:
    """A server by its uuid, or by its EC2 id."""
    if text.startswith("i-"):
        try:
            return instances.get_by_number(tx, int(text[2:], 16))
        except ValueError:
            raise InvalidInput(f"{text} is no id of a server.", field="ec2_id") from None
    return instances.get(tx, text)


_WHAT = (
    Argument("ec2_id", "the server, by EC2 id or uuid", required=True),
    Argument("dest", "the host that it is to go to", required=True),
)
CATEGORY = Category(
    "vm",
    "The servers of all projects.",
    (
        Action("list", list_servers, "List servers.", (Argument("host", "only those on this host", default=""),)),
        Action("live_migration", live_migration, "Move a running server to another host.", _WHAT),
        Action("block_migration", block_migration, "Move a running server with its disks to another host.", _WHAT),
    ),
)
