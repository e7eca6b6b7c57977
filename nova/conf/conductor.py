# SPDX-License-Identifier: Apache-2.0
"""nova-conductor: the database for daemons without its password, and operations that span hosts."""

from oslo_config import cfg

CONDUCTOR = [
    cfg.BoolOpt(
        "use_local",
        default=False,
        help="Accepted for older files: nova-compute always asks nova-conductor.",
    ),
    cfg.StrOpt("topic", default="conductor", help="Its queue name."),
    cfg.StrOpt("manager", help="Accepted for older files."),
    cfg.IntOpt("workers", min=1, help="Its processes. Without a value one."),
    cfg.IntOpt(
        "recovery_interval_s",
        default=30,
        min=1,
        help="Seconds between looks for operations that a dead daemon left unfinished.",
    ),
    cfg.IntOpt(
        "recovery_grace_s",
        default=90,
        min=1,
        help="Seconds without a sign of life after which such an operation is taken over. More than "
        "service_down_time, so that a slow daemon is not robbed.",
    ),
]

OPTIONS = {"conductor": CONDUCTOR}
