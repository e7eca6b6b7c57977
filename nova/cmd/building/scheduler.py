# SPDX-License-Identifier: Apache-2.0
"""nova-scheduler from its options."""

from __future__ import annotations

from nova.cmd.building.choices import say_scheduler
from nova.cmd.building.parts import Parts
from nova.cmd.daemon import Service
from nova.interfaces.scheduler import Scheduler
from nova.scheduler.limits import Limits
from nova.scheduler.request import Crowding, Isolation
from nova.scheduler.service import SchedulerService
from nova.scheduler.settings import SchedulerSettings
from nova.scheduler.weighers.table import Multipliers


def build(parts: Parts) -> list[Service]:
    """The daemon."""
    say_scheduler(parts.conf)
    settings = _settings(parts)
    service = SchedulerService(parts.db, settings, pause_before_step=parts.pause_before_step("scheduler"))
    return [parts.daemon("nova-scheduler", Scheduler, service)]


def _settings(parts: Parts) -> SchedulerSettings:
    conf, choice = parts.conf, parts.conf.filter_scheduler
    return SchedulerSettings(
        limits=Limits(
            cpu_ratio=conf.cpu_allocation_ratio,
            ram_ratio=conf.ram_allocation_ratio,
            disk_ratio=conf.disk_allocation_ratio,
            reserved_memory_mb=conf.reserved_host_memory_mb,
            reserved_disk_gb=-(-conf.reserved_host_disk_mb // 1024),
        ),
        multipliers=Multipliers(
            ram=choice.ram_weight_multiplier,
            disk=choice.disk_weight_multiplier,
            cpu=choice.cpu_weight_multiplier,
            io_ops=choice.io_ops_weight_multiplier,
            soft_affinity=choice.soft_affinity_weight_multiplier,
            build_failures=choice.build_failure_weight_multiplier,
        ),
        crowding=Crowding(max_servers=choice.max_instances_per_host, max_building=choice.max_io_ops_per_host),
        isolation=Isolation(images=frozenset(choice.isolated_images), hosts=frozenset(choice.isolated_hosts)),
        filters=tuple(choice.enabled_filters),
        host_subset_size=choice.host_subset_size,
        down_time_s=conf.service_down_time,
    )
