# SPDX-License-Identifier: Apache-2.0
"""nova-scheduler: serves the Scheduler interface.  Any number of these daemons may run at once.

Hosts are read anew for each request, in one statement, and room is claimed by a guarded UPDATE: what another scheduler
took in between is noticed there, and the next best host is tried.  A crash in between leaves at most a claim, which the
next attempt for the same instance replaces.
"""

from __future__ import annotations

import dataclasses
import datetime
import logging
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from nova.context import RequestContext
from nova.db import aggregates, compute_nodes, placements, server_groups, volumes
from nova.db.engine import Database
from nova.db.transaction import Transaction
from nova.domain.host import HostRow
from nova.domain.request_spec import HostClaim, RequestSpec
from nova.domain.server_group import ServerGroup
from nova.errors import NoCapacity
from nova.scheduler.failures import RecentFailures
from nova.scheduler.filters.aggregates import AGGREGATE_FILTERS
from nova.scheduler.filters.check import Check
from nova.scheduler.filters.crowded import io_ops_filter, num_instances_filter
from nova.scheduler.filters.table import OF_KIND, filters_named
from nova.scheduler.request import DIFFERENT_HOST, SAME_HOST, GroupPlacement, Request, hinted_servers
from nova.scheduler.select import Ranking, explain, passing, prepare
from nova.scheduler.settings import SchedulerSettings
from nova.scheduler.volumes import best_volume_host
from nova.scheduler.weighers.table import weighers
from nova.workflow.steps import no_pause

LOG = logging.getLogger(__name__)

SPARE_TRIES = 10
"""Beyond one for each host, to place a member of a group whose others are being placed"""


@dataclass(frozen=True, slots=True)
class _View:
    """The cloud at the moment of one request."""

    hosts: list[HostRow]
    building: dict[str, int]
    request: Request
    group: ServerGroup | None


class SchedulerService:
    """The implementation of :class:`nova.interfaces.scheduler.Scheduler`."""

    def __init__(
        self, db: Database, settings: SchedulerSettings, *, pause_before_step: Callable[[str], None] = no_pause
    ) -> None:
        """:param pause_before_step: fault tests stop the daemon here, and kill it"""
        self._db = db
        self._settings = settings
        self._pause_before_step = pause_before_step
        self._filters = filters_named(settings.filters)
        self._wants_building = bool(settings.multipliers.io_ops) or io_ops_filter in self._filters
        self._failures = RecentFailures(settings.failure_memory_s)
        self._random = Random()  # noqa: S311 - chance that spreads servers, no secret

    def select_hosts(self, context: RequestContext, *, spec: RequestSpec) -> list[HostClaim]:
        """See the interface."""
        if spec.ignore_hosts:
            self._failures.note(spec.ignore_hosts[-1])
        claims: list[HostClaim] = []
        left = list(spec.instance_uuids)
        while left:
            found, view, checks = self._select_some(dataclasses.replace(spec, instance_uuids=tuple(left)))
            claims += found
            left = left[len(found) :]
            if not claims:
                raise NoCapacity(explain(view.hosts, checks), detail=_named(view.hosts, checks))
            if not found or view.group is None:
                break
        LOG.info("Chose %s", ", ".join(f"{claim.host} for {claim.instance_uuid}" for claim in claims))
        self._pause_before_step("answer")
        return claims

    def _select_some(self, spec: RequestSpec) -> tuple[list[HostClaim], _View, list[Check]]:
        """Claims for the first servers: as many as one look at the hosts is good for.

        Where one member of a group goes depends on where the one before it went, so there a look is good for one, and
        for one try: when the claim fails, another member has just been placed.
        """
        tries = 0
        while True:
            self._pause_before_step("look")
            view = self._db.run(lambda tx: self._look(tx, spec), write=False)
            checks = prepare(self._filters, view.request)
            ranking = self._rank(view, checks)
            self._pause_before_step("claim")
            if view.group is None:
                return self._claim_all(spec, ranking, checks, view), view, checks
            tries += 1
            uuid, host = spec.instance_uuids[0], ranking.best()
            if host is None or tries > len(view.hosts) + SPARE_TRIES:
                return [], view, checks
            if self._claim(uuid, host, view):
                return [HostClaim(instance_uuid=uuid, host=host.host, node=host.node)], view, checks

    def _claim_all(self, spec: RequestSpec, ranking: Ranking, checks: list[Check], view: _View) -> list[HostClaim]:
        claims: list[HostClaim] = []
        for uuid in spec.instance_uuids:
            claim = self._claim_best(uuid, ranking, checks, view)
            if claim is None:
                break
            claims.append(claim)
        return claims

    def refusal(self, context: RequestContext, *, spec: RequestSpec, host: str) -> str:
        """See the interface."""
        view = self._db.run(lambda tx: self._look(tx, spec), write=False)
        hosts = [each for each in view.hosts if each.host == host]
        checks = prepare((each for each in self._filters if each in OF_KIND), view.request)
        reasons = [
            f"{check.name}: {check.explain(hosts)}" for check in checks if len(passing(hosts, [check])) < len(hosts)
        ]
        return f"The server may not be on its host like this: {', '.join(reasons)}." if reasons else ""

    def select_volume_host(self, context: RequestContext, *, size_gb: int, availability_zone: str) -> str:
        """See the interface."""
        capacities = self._db.run(lambda tx: volumes.capacities(tx, alive_since=self._alive_since(tx)), write=False)
        return best_volume_host(capacities, size_gb=size_gb, availability_zone=availability_zone)

    def _look(self, tx: Transaction, spec: RequestSpec) -> _View:
        same, different = hinted_servers(spec, SAME_HOST), hinted_servers(spec, DIFFERENT_HOST)
        group = server_groups.of_instance(tx, spec.instance_uuids[0])
        members = server_groups.hosts_of_others(tx, group.id, spec.instance_uuids[0]) if group else {}
        building = placements.building_by_host(tx) if self._wants_building else {}
        request = Request(
            spec=spec,
            limits=self._settings.limits,
            group=GroupPlacement(policy=group.policy, hosts=members) if group else None,
            crowding=dataclasses.replace(
                self._settings.crowding,
                servers=placements.servers_by_host(tx) if num_instances_filter in self._filters else {},
                building=building,
            ),
            isolation=self._settings.isolation,
            aggregates=aggregates.metadata_by_host(tx) if AGGREGATE_FILTERS & {*self._filters} else {},
            same_hosts=placements.hosts_of(tx, same, project_id=spec.project_id) if same else None,
            different_hosts=placements.hosts_of(tx, different, project_id=spec.project_id),
        )
        hosts = compute_nodes.for_scheduler(tx, alive_since=self._alive_since(tx))
        return _View(hosts, building, request, group)

    def _alive_since(self, tx: Transaction) -> datetime.datetime:
        """Who was heard of since then is up.  Right after an outage (database, broker) nobody could be heard of."""
        down_time_s = self._settings.down_time_s
        silence_s = down_time_s + self._db.outage.lasted_s(within_s=down_time_s)
        return tx.now - datetime.timedelta(seconds=silence_s)

    def _rank(self, view: _View, checks: list[Check]) -> Ranking:
        group = view.request.group
        chosen = weighers(
            self._settings.multipliers,
            building=view.building,
            failures=self._failures.by_host(),
            policy=group.policy if group else None,
            members=group.hosts if group else {},
        )
        hosts = passing(view.hosts, checks)
        return Ranking(hosts, chosen, subset_size=self._settings.host_subset_size, random=self._random)

    def _claim_best(self, instance_uuid: str, ranking: Ranking, checks: list[Check], view: _View) -> HostClaim | None:
        flavor = view.request.spec.flavor
        while (host := ranking.best()) is not None:
            if self._claim(instance_uuid, host, view):
                ranking.place(host, flavor, checks)
                return HostClaim(instance_uuid=instance_uuid, host=host.host, node=host.node)
            LOG.info("Host %s was filled by others meanwhile; trying the next best for %s.", host.host, instance_uuid)
        return None

    def _claim(self, instance_uuid: str, host: HostRow, view: _View) -> bool:
        return self._db.run(lambda tx: _claim(tx, instance_uuid, host, view))


def _claim(tx: Transaction, instance_uuid: str, host: HostRow, view: _View) -> bool:
    """Hold the room, if it is still there and the server's group still lets it go there."""
    if view.group is not None and not server_groups.admits(tx, view.group, instance_uuid, host=host.host):
        return False
    flavor = view.request.spec.flavor
    return compute_nodes.claim(
        tx,
        instance_uuid,
        node_id=host.node_id,
        vcpus=flavor.vcpus,
        memory_mb=flavor.memory_mb,
        disk_gb=flavor.disk_gb,
        limits=view.request.limits.claim(host),
        held_for=compute_nodes.MOVE if view.request.spec.moving else compute_nodes.HOME,
    )


def _named(hosts: list[HostRow], checks: list[Check]) -> str:
    """For the log: which check refused which hosts, of the first hundred."""
    refusals = []
    for host in hosts[:100]:
        refused_by = next((check.name for check in checks if not check.passes(host)), "filled by others")
        refusals.append(f"{host.host}: {refused_by}")
    return "; ".join(refusals)
