# SPDX-License-Identifier: Apache-2.0
"""nova-manage host: the hosts of this cloud."""

from __future__ import annotations

from nova.cmd.manage.frame import Action, Argument, Category
from nova.cmd.manage.operator import Operator
from nova.db import aggregates, services
from nova.db.engine import Transaction

ROW = "{:<25}\t{:<15}"


def list_hosts(operator: Operator, *, zone: str) -> None:
    """One line for each host with its availability zone; those without nova-compute are in the internal one."""
    internal = operator.conf.internal_service_availability_zone

    def work(tx: Transaction) -> dict[str, str]:
        zones = aggregates.zones_of_hosts(tx)
        rows = services.find(tx)
        computes = {row.host: zones.get(row.host, row.availability_zone) for row in rows if row.topic == "compute"}
        return {row.host: computes.get(row.host, internal) for row in rows}

    found = operator.db.run(work, write=False)
    operator.say(ROW.format("host", "zone"))
    for host, where in found.items():
        if zone in ("", where):
            operator.say(ROW.format(host, where))


def unwire(operator: Operator) -> None:
    """Undo in this host's kernel what nova-network and nova-compute did: DHCP servers, bridges, packet filters."""
    from nova.cmd.building.compute import make_filters
    from nova.cmd.building.network import network_host
    from nova.cmd.building.parts import Parts
    from nova.virt.filters.linux import LinuxFilters

    parts = Parts(operator.loaded)
    network = network_host(parts)
    network.start()  # takes over what is there, so that all of it is known
    network.remove_all()
    filters = make_filters(parts)
    if isinstance(filters, LinuxFilters):
        filters.remove_all()
    operator.say("Nothing of nova-network and nova-compute is left in the network of this host.")


CATEGORY = Category(
    "host",
    "The hosts of this cloud.",
    (
        Action("list", list_hosts, "List hosts.", (Argument("zone", "only hosts of this zone", default=""),)),
        Action(
            "unwire",
            unwire,
            "Remove bridges, DHCP servers and packet filters from this host; its daemons and guests must be stopped.",
        ),
    ),
)
