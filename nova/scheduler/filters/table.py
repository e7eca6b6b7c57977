# SPDX-License-Identifier: Apache-2.0
"""All filters by the names that configuration files use."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from nova.errors import InvalidConfiguration
from nova.scheduler.filters.affinity import different_host_filter, same_host_filter
from nova.scheduler.filters.aggregates import aggregate_extra_specs_filter, aggregate_tenants_filter
from nova.scheduler.filters.availability_zone import availability_zone_filter
from nova.scheduler.filters.capabilities import capabilities_filter
from nova.scheduler.filters.check import Filter
from nova.scheduler.filters.compute import compute_filter
from nova.scheduler.filters.core import core_filter
from nova.scheduler.filters.crowded import io_ops_filter, num_instances_filter
from nova.scheduler.filters.disk import disk_filter
from nova.scheduler.filters.excluded import excluded_filter
from nova.scheduler.filters.forced_host import forced_host_filter
from nova.scheduler.filters.group import group_filter
from nova.scheduler.filters.image_properties import image_properties_filter
from nova.scheduler.filters.isolated import isolated_hosts_filter
from nova.scheduler.filters.near_address import near_address_filter
from nova.scheduler.filters.query import query_filter
from nova.scheduler.filters.ram import ram_filter
from nova.scheduler.filters.retry import retry_filter

FILTERS: Mapping[str, Filter] = {
    "RetryFilter": retry_filter,
    "AvailabilityZoneFilter": availability_zone_filter,
    "RamFilter": ram_filter,
    "DiskFilter": disk_filter,
    "CoreFilter": core_filter,
    "ComputeFilter": compute_filter,
    "ComputeCapabilitiesFilter": capabilities_filter,
    "ImagePropertiesFilter": image_properties_filter,
    "SameHostFilter": same_host_filter,
    "DifferentHostFilter": different_host_filter,
    "ServerGroupAffinityFilter": group_filter,
    "ServerGroupAntiAffinityFilter": group_filter,
    "GroupAffinityFilter": group_filter,
    "GroupAntiAffinityFilter": group_filter,
    "JsonFilter": query_filter,
    "SimpleCIDRAffinityFilter": near_address_filter,
    "NumInstancesFilter": num_instances_filter,
    "IoOpsFilter": io_ops_filter,
    "IsolatedHostsFilter": isolated_hosts_filter,
    "AggregateInstanceExtraSpecsFilter": aggregate_extra_specs_filter,
    "AggregateMultiTenancyIsolation": aggregate_tenants_filter,
}

OF_KIND: frozenset[Filter] = frozenset(
    {image_properties_filter, capabilities_filter, isolated_hosts_filter, aggregate_extra_specs_filter}
)
"""Those that judge by what a server is, and so may refuse one that is there when that changes."""

REFUSE_NOTHING = frozenset({"AllHostsFilter"})
"""Known names that have nothing to refuse."""

ALWAYS: tuple[Filter, ...] = (
    *(forced_host_filter, excluded_filter, same_host_filter, different_host_filter),
    *(group_filter, query_filter, near_address_filter),
)
"""Asked for by the request itself, so no configuration turns them off."""

DEFAULT_FILTERS = (
    *("RetryFilter", "AvailabilityZoneFilter", "RamFilter", "DiskFilter", "CoreFilter", "ComputeFilter"),
    *("ComputeCapabilitiesFilter", "ImagePropertiesFilter"),
)


def filters_named(names: Iterable[str]) -> tuple[Filter, ...]:
    """The filters of these names, then those that are always on; a path may stand before a name."""
    chosen: list[Filter] = []
    for name in names:
        last = name.rpartition(".")[2]
        if last in FILTERS:
            chosen.append(FILTERS[last])
        elif last not in REFUSE_NOTHING:
            near = difflib.get_close_matches(last, [*FILTERS, *REFUSE_NOTHING], n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise InvalidConfiguration(f"The scheduler has no filter {name!r} (option enabled_filters).{hint}")
    return tuple(dict.fromkeys([*chosen, *ALWAYS]))
