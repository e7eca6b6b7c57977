# SPDX-License-Identifier: Apache-2.0
"""The metadata service and the configuration drive."""

from oslo_config import cfg

DEFAULT = [
    cfg.StrOpt(
        "metadata_host",
        default="$my_ip",
        help="Address that requests of servers to 169.254.169.254 are sent to. The default is the network host itself.",
    ),
    cfg.PortOpt("metadata_port", default=8775, help="Port that they are sent to."),
    cfg.IntOpt(
        "metadata_cache_expiration",
        default=15,
        min=0,
        help="Seconds that what a server asked for is kept, since its boot script asks for many small pieces one "
        "by one.",
    ),
    cfg.BoolOpt(
        "force_config_drive",
        default=False,
        help="Give every server a configuration drive, asked for or not ('always' is an older word for true). For "
        "networks without a metadata service.",
    ),
    cfg.StrOpt(
        "config_drive_format",
        default="iso9660",
        choices=["iso9660", "vfat"],
        help="Kind of the configuration drive. The default can be read by every guest and not be changed.",
    ),
    cfg.StrOpt("mkisofs_cmd", default="genisoimage", help="Program that makes ISO images."),
    cfg.StrOpt(
        "config_drive_skip_versions",
        default="1.0 2007-01-19 2007-03-01 2007-08-29 2007-10-10 2007-12-15 2008-02-01 2008-09-01",
        help="Metadata versions that are left out of the drive, since nobody asks for them any more.",
    ),
]

OPTIONS = {"DEFAULT": DEFAULT}
