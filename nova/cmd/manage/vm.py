# SPDX-License-Identifier: Apache-2.0
"""nova-manage vm: the servers of all projects."""

from __future__ import annotations

from nova.cmd.manage.frame import Action, Argument, Category
from nova.cmd.manage.operator import Operator
from nova.db import instances
from nova.db.instances.search import InstanceQuery

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


CATEGORY = Category(
    "vm",
    "The servers of all projects.",
    (Action("list", list_servers, "List servers.", (Argument("host", "only those on this host", default=""),)),),
)
