# SPDX-License-Identifier: Apache-2.0
"""How a host is chosen: which filters it must pass, what weighs, how far hosts are overcommitted."""

from oslo_config import cfg

from nova.conf.spelling import Named, formerly

DRIVERS = {
    "filter": (
        "filter_scheduler",
        "nova.scheduler.filter_scheduler.FilterScheduler",
        "nova.scheduler.multi.MultiScheduler",
        "nova.scheduler.distributed_scheduler.DistributedScheduler",
    ),
    "chance": ("chance_scheduler", "nova.scheduler.chance.ChanceScheduler"),
    "simple": ("nova.scheduler.simple.SimpleScheduler", "nova.scheduler.least_cost.LeastCostScheduler"),
    "zone": ("nova.scheduler.zone.ZoneScheduler",),
}

DEFAULT = [
    cfg.FloatOpt(
        "cpu_allocation_ratio",
        default=16.0,
        min=0.1,
        help="Virtual processors per real one that servers may have. Most servers are idle most of the time.",
    ),
    cfg.FloatOpt(
        "ram_allocation_ratio",
        default=1.5,
        min=0.1,
        help="Memory that servers may have, as a multiple of the host's. Above 1 the host must have swap.",
    ),
    cfg.FloatOpt(
        "disk_allocation_ratio",
        default=1.0,
        min=0.1,
        help="Disk that servers may have, as a multiple of the host's.",
    ),
    cfg.StrOpt("scheduler_json_config_location", default="", help="Accepted for older files."),
    cfg.StrOpt("scheduler_host_manager", help="Accepted for older files."),
    cfg.Opt(
        "volume_scheduler_driver",
        type=Named(DRIVERS),
        default="filter",
        help="How a host for a volume is chosen; the most free room wins.",
    ),
    cfg.IntOpt("max_cores", default=16, min=1, help="Virtual processors on a host, for the simple scheduler."),
    cfg.IntOpt("max_gigabytes", default=10000, min=1, help="GB of volumes on a host, for the simple scheduler."),
]

SCHEDULER = [
    cfg.Opt(
        "driver",
        type=Named(DRIVERS, plugins=True),
        default="filter",
        deprecated_opts=formerly("compute_scheduler_driver", "scheduler_driver", "default_scheduler_driver"),
        help="How hosts are chosen: by filters and weights, or at random among live ones (chance).",
    ),
    cfg.IntOpt(
        "max_attempts",
        default=3,
        min=1,
        deprecated_opts=formerly("scheduler_max_attempts"),
        help="Hosts that a server is tried on before it goes to ERROR.",
    ),
]

FILTERS = [
    cfg.MultiStrOpt(
        "available_filters",
        default=["nova.scheduler.filters.all_filters"],
        deprecated_opts=formerly("scheduler_available_filters"),
        help="Filters that may be named below: all of ours, and paths of classes of others.",
    ),
    cfg.ListOpt(
        "enabled_filters",
        default=[
            "RetryFilter",
            "AvailabilityZoneFilter",
            "RamFilter",
            "DiskFilter",
            "CoreFilter",
            "ComputeFilter",
            "ComputeCapabilitiesFilter",
            "ImagePropertiesFilter",
            "ServerGroupAntiAffinityFilter",
            "ServerGroupAffinityFilter",
        ],
        deprecated_opts=formerly("scheduler_default_filters"),
        help="Filters that a host must pass, in this order; put those first that reject most at least cost.",
    ),
    cfg.ListOpt(
        "weight_classes",
        default=["nova.scheduler.weights.all_weighers"],
        deprecated_opts=formerly("scheduler_weight_classes"),
        help="What weighs among the hosts that pass: all of ours, or paths of classes.",
    ),
    cfg.FloatOpt(
        "ram_weight_multiplier",
        default=1.0,
        deprecated_opts=formerly("ram_weight_multiplier"),
        help="Weight of free memory: positive spreads servers, negative stacks them.",
    ),
    cfg.FloatOpt("disk_weight_multiplier", default=1.0, help="Weight of free disk, in the same way."),
    cfg.FloatOpt("cpu_weight_multiplier", default=1.0, help="Weight of free processors, in the same way."),
    cfg.FloatOpt(
        "io_ops_weight_multiplier",
        default=-1.0,
        help="Weight of work that is going on on the host (builds, copies): negative prefers quiet hosts.",
    ),
    cfg.FloatOpt(
        "build_failure_weight_multiplier",
        default=1.0,
        min=0,
        help="Weight of boots that failed on the host lately. They lower its rank and never switch it off, since "
        "users can cause them.",
    ),
    cfg.FloatOpt(
        "soft_affinity_weight_multiplier",
        default=1.0,
        min=0,
        help="Weight of servers of the same group, for groups that wish to be together or apart without insisting.",
    ),
    cfg.IntOpt(
        "host_subset_size",
        default=1,
        min=1,
        deprecated_opts=formerly("scheduler_host_subset_size"),
        help="Choose at random among this many best hosts; more than one helps several schedulers to get in each "
        "other's way less.",
    ),
    cfg.IntOpt(
        "max_io_ops_per_host",
        default=8,
        min=0,
        deprecated_opts=formerly("max_io_ops_per_host"),
        help="Builds and copies on a host above which IoOpsFilter rejects it.",
    ),
    cfg.IntOpt(
        "max_instances_per_host",
        default=50,
        min=1,
        deprecated_opts=formerly("max_instances_per_host"),
        help="Servers on a host at which NumInstancesFilter rejects it.",
    ),
    cfg.ListOpt(
        "isolated_images",
        default=[],
        deprecated_opts=formerly("isolated_images"),
        help="Images that run only on isolated_hosts.",
    ),
    cfg.ListOpt(
        "isolated_hosts", default=[], deprecated_opts=formerly("isolated_hosts"), help="Hosts for those images."
    ),
]

OPTIONS = {"DEFAULT": DEFAULT, "scheduler": SCHEDULER, "filter_scheduler": FILTERS}
