# SPDX-License-Identifier: Apache-2.0
"""What a project may have where neither it nor its quota class has a limit of its own.  -1 is no limit."""

from oslo_config import cfg

from nova.conf.spelling import formerly

LIMITS: dict[str, tuple[int, str, tuple[str, ...]]] = {
    "instances": (10, "Servers", ()),
    "cores": (20, "Virtual processors of all servers together", ()),
    "ram": (51200, "MB of memory of all servers together", ()),
    "floating_ips": (10, "Floating addresses", ()),
    "fixed_ips": (-1, "Fixed addresses; the limit on servers usually does", ()),
    "metadata_items": (128, "Metadata items of one server", ()),
    "injected_files": (5, "Files given with one boot", ("quota_max_injected_files",)),
    "injected_file_content_bytes": (10240, "Bytes in one of them", ("quota_max_injected_file_content_bytes",)),
    "injected_file_path_length": (
        255,
        "Bytes in the path of one of them",
        ("quota_injected_file_path_bytes", "quota_max_injected_file_path_bytes"),
    ),
    "key_pairs": (100, "Key pairs of one user", ()),
    "security_groups": (10, "Security groups", ()),
    "security_group_rules": (20, "Rules of one security group", ()),
    "server_groups": (10, "Server groups", ()),
    "server_group_members": (10, "Servers in one group", ()),
    "networks": (3, "Networks made by users, with enable_network_quota", ()),
    "volumes": (10, "Volumes", ()),
    "gigabytes": (1000, "GB of all volumes and snapshots together", ()),
    "snapshots": (10, "Snapshots of volumes", ()),
}
"""Resource → default limit, what is counted, older names beside ``quota_<resource>``."""


def _limit(name: str, default: int, what: str, older: tuple[str, ...]) -> cfg.Opt:
    return cfg.IntOpt(
        name,
        default=default,
        min=-1,
        deprecated_opts=formerly(f"quota/quota_{name}", f"quota_{name}", *older),
        help=f"{what}; -1 is no limit.",
    )


QUOTA = [
    *[_limit(name, *row) for name, row in LIMITS.items()],
    cfg.StrOpt(
        "driver", deprecated_opts=formerly("quota_driver"), help="Accepted for older files: limits are in the database."
    ),
    cfg.IntOpt(
        "reservation_expire",
        default=86400,
        min=60,
        deprecated_opts=formerly("reservation_expire"),
        help="Seconds after which a reservation that nobody finished is given back. A day, longer than any build.",
    ),
    cfg.IntOpt(
        "until_refresh",
        default=0,
        min=0,
        deprecated_opts=formerly("until_refresh"),
        help="Changes after which usage is counted anew; 0 is never.",
    ),
    cfg.IntOpt(
        "max_age",
        default=0,
        min=0,
        deprecated_opts=formerly("max_age"),
        help="Seconds after which usage is counted anew; 0 is never.",
    ),
    cfg.IntOpt(
        "check_interval_s", default=3600, min=60, help="Seconds between comparisons of usage with what is there."
    ),
]

OPTIONS = {"quota": QUOTA}
