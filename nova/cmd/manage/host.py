# SPDX-License-Identifier: Apache-2.0
"""nova-manage host: the hosts of this cloud."""

from __future__ import annotations

from nova.cmd.manage.frame import Action, Argument, Category
from nova.cmd.manage.operator import Operator
from nova.db import aggregates, services
from nova.db.engine import Transaction

ROW = "{:<25}\t{:<15}"


def list_hosts(operator: Operator, *, zone: str) -> None:
    """One line for each host: its name and its availability zone."""

    def work(tx: Transaction) -> dict[str, str]:
        zones = aggregates.zones_of_hosts(tx)
        return {row.host: zones.get(row.host, row.availability_zone) for row in services.find(tx)}

    operator.say(ROW.format("host", "zone"))
    for host, where in operator.db.run(work, write=False).items():
        if zone in ("", where):
            operator.say(ROW.format(host, where))


CATEGORY = Category(
    "host",
    "The hosts of this cloud.",
    (Action("list", list_hosts, "List hosts.", (Argument("zone", "only hosts of this zone", default=""),)),),
)
