# SPDX-License-Identifier: Apache-2.0
"""The limits that hold for a project where nothing else is said, from the options."""

from __future__ import annotations

from typing import Any


def quota_defaults(conf: Any) -> dict[str, int]:
    """What a project may have where nothing else is said."""
    names = (
        *("instances", "cores", "ram", "floating_ips", "fixed_ips", "metadata_items", "injected_files"),
        *("injected_file_content_bytes", "key_pairs", "security_groups", "security_group_rules"),
        *("server_groups", "server_group_members", "volumes", "gigabytes", "snapshots"),
    )
    found = {name: conf.quota[name] for name in names}
    found["injected_file_path_bytes"] = conf.quota.injected_file_path_length
    return found
