# SPDX-License-Identifier: Apache-2.0
"""nova-manage service: the daemons, whether they live, and what compute hosts have."""

from __future__ import annotations

import datetime
from collections import defaultdict

from nova import errors
from nova.cmd.manage.frame import Action, Argument, Category
from nova.cmd.manage.operator import Operator
from nova.db import aggregates, compute_nodes, instances, services
from nova.db.engine import Transaction
from nova.domain.host import Service

ROW = "{:<16} {:<36} {:<16} {:<10} {:<5} {:<10}"
RESOURCES = "{:<25}{:>16}{:>8}{:>8}{:>8}"


def list_services(operator: Operator, *, host: str, service: str) -> None:
    """One line for each daemon: ``:-)`` for one that reports, ``XXX`` for one that does not."""

    def work(tx: Transaction) -> tuple[datetime.datetime, list[Service], dict[str, str]]:
        return tx.now, services.find(tx, host=host or "", binary=service or ""), aggregates.zones_of_hosts(tx)

    now, found, zones = operator.db.run(work, write=False)
    operator.say(ROW.format("Binary", "Host", "Zone", "Status", "State", "Updated_At"))
    for row in found:
        up = row.is_up(now, down_time_s=operator.conf.service_down_time)
        is_compute = row.topic == "compute"
        zone = zones.get(row.host, row.availability_zone) if is_compute else _internal(operator)
        status = "disabled" if row.disabled else "enabled"
        seen = row.updated_at.replace(microsecond=0) if row.updated_at else None
        operator.say(ROW.format(row.binary, row.host, zone, status, ":-)" if up else "XXX", str(seen)))


def _internal(operator: Operator) -> str:
    return str(operator.conf.internal_service_availability_zone)


def enable(operator: Operator, *, host: str, service: str) -> None:
    """Let the daemon have new work."""
    _set_enabled(operator, host, service, enabled=True)
    operator.say(f"Service {service} on host {host} enabled.")


def disable(operator: Operator, *, host: str, service: str) -> None:
    """Give the daemon no new work."""
    _set_enabled(operator, host, service, enabled=False)
    operator.say(f"Service {service} on host {host} disabled.")


def _set_enabled(operator: Operator, host: str, service: str, *, enabled: bool) -> None:
    try:
        operator.db.run(lambda tx: services.set_enabled(tx, host, service, enabled=enabled))
    except errors.NotFound as error:
        raise errors.NotFound(error.message, exit_code=2) from error


def describe_resource(operator: Operator, *, host: str) -> None:
    """What a compute host has, what is claimed, and by which project."""

    def work(tx: Transaction) -> tuple[list[tuple[int, int, int]], dict[str, list[int]]]:
        nodes = compute_nodes.find(tx, host=host)
        if not nodes:
            raise errors.NotFound(f"There is no compute host {host}.")
        per_project: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        for instance in instances.find_on_host(tx, host):
            sums = per_project[instance.project_id]
            sums[0] += instance.flavor.vcpus
            sums[1] += instance.flavor.memory_mb
            sums[2] += instance.flavor.disk_gb
        total = [(node.vcpus, node.memory_mb, node.disk_gb) for node in nodes]
        used = [(node.vcpus_used, node.memory_mb_used, node.disk_gb_used) for node in nodes]
        return [_sum(total), _sum(used)], per_project

    (total, used), projects = operator.db.run(work, write=False)
    most = [sum(column) for column in zip(*projects.values(), strict=True)] or [0, 0, 0]
    operator.say(RESOURCES.format("HOST", "PROJECT", "cpu", "mem(mb)", "hdd"))
    operator.say("{:<16}(total){:>26}{:>8}{:>8}".format(host, *total))
    operator.say("{:<16}(used_now){:>23}{:>8}{:>8}".format(host, *used))
    operator.say("{:<16}(used_max){:>23}{:>8}{:>8}".format(host, *most))
    for project, sums in sorted(projects.items()):
        operator.say(RESOURCES.format(host, project, *sums))


def _sum(rows: list[tuple[int, int, int]]) -> tuple[int, int, int]:
    return (sum(r[0] for r in rows), sum(r[1] for r in rows), sum(r[2] for r in rows))


_HOST = Argument("host", "name of the host", required=True)
_SERVICE = Argument("service", "name of the daemon, such as nova-compute", required=True)

CATEGORY = Category(
    "service",
    "The daemons of this cloud.",
    (
        Action(
            "list",
            list_services,
            "List the daemons and whether they report.",
            (Argument("host", "only this host", default=""), Argument("service", "only this daemon", default="")),
        ),
        Action("enable", enable, "Let a daemon have new work.", (_HOST, _SERVICE)),
        Action("disable", disable, "Give a daemon no new work; what it has goes on.", (_HOST, _SERVICE)),
        Action("describe_resource", describe_resource, "Show what a compute host has and what is used.", (_HOST,)),
    ),
)
