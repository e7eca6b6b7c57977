# SPDX-License-Identifier: Apache-2.0
"""What the aggregates of a host say: who may use it, and which flavors it is for."""

from __future__ import annotations

from nova.domain.host import HostRow
from nova.scheduler.filters.capabilities import holds
from nova.scheduler.filters.check import Check, because
from nova.scheduler.request import Request

SCOPE = "aggregate_instance_extra_specs:"
TENANT = "filter_tenant_id"


def aggregate_extra_specs_filter(request: Request) -> Check | None:
    """Refuses hosts whose aggregates do not have what the flavor's extra specs demand of them."""
    specs = request.spec.flavor.extra_specs
    wanted = {key.removeprefix(SCOPE): text for key, text in specs.items() if key.startswith(SCOPE)}
    if not wanted:
        return None

    def passes(host: HostRow) -> bool:
        found = request.aggregates.get(host.host, {})
        return all(any(holds(value, text) for value in found.get(key, ())) for key, text in wanted.items())

    return Check("aggregate_extra_specs", passes, because("its aggregates are for other flavors"))


def aggregate_tenants_filter(request: Request) -> Check | None:
    """Refuses hosts in aggregates that are for other projects."""

    def passes(host: HostRow) -> bool:
        named = request.aggregates.get(host.host, {}).get(TENANT, frozenset())
        projects = {each.strip() for value in named for each in value.split(",")}
        return not projects or request.spec.project_id in projects

    return Check("aggregate_tenants", passes, because("kept for other projects"))


AGGREGATE_FILTERS = frozenset({aggregate_extra_specs_filter, aggregate_tenants_filter})
"""Those that must know what aggregates say"""
