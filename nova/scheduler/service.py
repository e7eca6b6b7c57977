# SPDX-License-Identifier: Apache-2.0
"""nova-scheduler: serves the Scheduler interface.  Any number of these daemons may run at once.

Hosts are read anew for each request, in one statement, and room is claimed by a guarded UPDATE: what another scheduler
took in between is noticed there, and the next best host is tried.  A crash in between leaves at most a claim, which the
next attempt for the same instance replaces.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from nova.context import RequestContext
from nova.db import compute_nodes, placements, volumes
from nova.db.engine import Database
from nova.db.transaction import Transaction
from nova.domain.host import HostRow
from nova.domain.request_spec import HostClaim, RequestSpec
from nova.errors import NoCapacity
from nova.scheduler.failures import RecentFailures
from nova.scheduler.filters.check import Check
from nova.scheduler.filters.table import filters_named
from nova.scheduler.request import DIFFERENT_HOST, SAME_HOST, Request, hinted_servers
from nova.scheduler.select import Ranking, explain, passing, prepare
from nova.scheduler.settings import SchedulerSettings
from nova.scheduler.volumes import best_volume_host
from nova.scheduler.weighers.table import weighers
from nova.workflow.steps import no_pause

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _View:
    """The cloud at the moment of one request."""

    hosts: list[HostRow]
    building: dict[str, int]
    request: Request


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
        self._failures = RecentFailures(settings.failure_memory_s)
        self._random = Random()  # noqa: S311 - chance that spreads servers, no secret

    def select_hosts(self, context: RequestContext, *, spec: RequestSpec) -> list[HostClaim]:
        """See the interface."""
        if spec.ignore_hosts:
            self._failures.note(spec.ignore_hosts[-1])
        self._pause_before_step("look")
        view = self._db.run(lambda tx: self._look(tx, spec), write=False)
        checks = prepare(self._filters, view.request)
        ranking = self._rank(view, checks)
        claims = []
        self._pause_before_step("claim")
        for uuid in spec.instance_uuids:
            claim = self._claim_best(uuid, ranking, checks, view.request)
            if claim is None:
                break
            claims.append(claim)
        if not claims:
            raise NoCapacity(explain(view.hosts, checks), detail=_named(view.hosts, checks))
        LOG.info("Chose %s", ", ".join(f"{claim.host} for {claim.instance_uuid}" for claim in claims))
        self._pause_before_step("answer")
        return claims

    def select_volume_host(self, context: RequestContext, *, size_gb: int, availability_zone: str) -> str:
        """See the interface."""
        capacities = self._db.run(lambda tx: volumes.capacities(tx, alive_since=self._alive_since(tx)), write=False)
        return best_volume_host(capacities, size_gb=size_gb, availability_zone=availability_zone)

    def _look(self, tx: Transaction, spec: RequestSpec) -> _View:
        same, different = hinted_servers(spec, SAME_HOST), hinted_servers(spec, DIFFERENT_HOST)
        request = Request(
            spec=spec,
            limits=self._settings.limits,
            same_hosts=placements.hosts_of(tx, same, project_id=spec.project_id) if same else None,
            different_hosts=placements.hosts_of(tx, different, project_id=spec.project_id),
        )
        hosts = compute_nodes.for_scheduler(tx, alive_since=self._alive_since(tx))
        building = placements.building_by_host(tx) if self._settings.multipliers.io_ops else {}
        return _View(hosts, building, request)

    def _alive_since(self, tx: Transaction) -> datetime.datetime:
        """Who was heard of since then is up.  Right after an outage of the database nobody could be heard of."""
        down_time_s = self._settings.down_time_s
        silence_s = down_time_s + self._db.outage.lasted_s(within_s=down_time_s)
        return tx.now - datetime.timedelta(seconds=silence_s)

    def _rank(self, view: _View, checks: list[Check]) -> Ranking:
        chosen = weighers(self._settings.multipliers, building=view.building, failures=self._failures.by_host())
        hosts = passing(view.hosts, checks)
        return Ranking(hosts, chosen, subset_size=self._settings.host_subset_size, random=self._random)

    def _claim_best(
        self, instance_uuid: str, ranking: Ranking, checks: list[Check], request: Request
    ) -> HostClaim | None:
        flavor = request.spec.flavor
        while (host := ranking.best()) is not None:
            if self._claim(instance_uuid, host, request):
                ranking.place(host, flavor, checks)
                return HostClaim(instance_uuid=instance_uuid, host=host.host, node=host.node)
            LOG.info("Host %s was filled by others meanwhile; trying the next best for %s.", host.host, instance_uuid)
        return None

    def _claim(self, instance_uuid: str, host: HostRow, request: Request) -> bool:
        flavor = request.spec.flavor
        return self._db.run(
            lambda tx: compute_nodes.claim(
                tx,
                instance_uuid,
                node_id=host.node_id,
                vcpus=flavor.vcpus,
                memory_mb=flavor.memory_mb,
                disk_gb=flavor.disk_gb,
                limits=request.limits.claim(host),
            )
        )


def _named(hosts: list[HostRow], checks: list[Check]) -> str:
    """For the log: which check refused which hosts, of the first hundred."""
    refusals = []
    for host in hosts[:100]:
        refused_by = next((check.name for check in checks if not check.passes(host)), "filled by others")
        refusals.append(f"{host.host}: {refused_by}")
    return "; ".join(refusals)
