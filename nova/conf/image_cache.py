# SPDX-License-Identifier: Apache-2.0
"""The cache of base images on a compute host, and when its files go."""

from oslo_config import cfg

DEFAULT = [
    cfg.StrOpt("base_dir_name", default="_base", help="Directory of the cache, below instances_path."),
    cfg.IntOpt(
        "image_cache_manager_interval", default=2400, min=-1, help="Seconds between its cleanings; -1 is never."
    ),
    cfg.BoolOpt("remove_unused_base_images", default=True, help="Whether base images that no server uses are removed."),
    cfg.BoolOpt("remove_unused_kernels", default=True, help="Whether kernels and ramdisks are removed likewise."),
    cfg.IntOpt(
        "remove_unused_original_minimum_age_seconds",
        default=86400,
        min=0,
        help="Seconds that an unused base image stays. A day, because images that were used are used again.",
    ),
    cfg.IntOpt(
        "remove_unused_resized_minimum_age_seconds",
        default=3600,
        min=0,
        help="Seconds that an unused base image of another size stays; it is quickly made again.",
    ),
    cfg.BoolOpt("checksum_base_images", default=False, help="Read cached images again and compare their checksums."),
    cfg.IntOpt("checksum_interval_seconds", default=3600, min=1, help="Seconds between those comparisons."),
    cfg.StrOpt("image_info_filename_pattern", default="", help="Accepted for older files."),
]

OPTIONS = {"DEFAULT": DEFAULT}
