# SPDX-License-Identifier: Apache-2.0
"""What a project may have."""

from __future__ import annotations

from dataclasses import dataclass

UNLIMITED = -1

DEFAULT_QUOTAS: dict[str, int] = {
    "instances": 10,
    "cores": 20,
    "ram": 51200,
    "floating_ips": 10,
    "fixed_ips": UNLIMITED,
    "metadata_items": 128,
    "injected_files": 5,
    "injected_file_content_bytes": 10240,
    "injected_file_path_bytes": 255,
    "key_pairs": 100,
    "security_groups": 10,
    "security_group_rules": 20,
    "server_groups": 10,
    "server_group_members": 10,
    "volumes": 10,
    "gigabytes": 1000,
    "snapshots": 10,
}
"""Limits where neither the operator nor a quota row says otherwise (amounts, MB of ``ram``, bytes, GB)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How much of one resource is used, out of how much; ``limit`` -1 is no limit."""

    resource: str
    limit: int
    in_use: int

    def allows(self, more: int) -> bool:
        """Whether *more* still fit."""
        return self.limit == UNLIMITED or more <= 0 or self.in_use + more <= self.limit
