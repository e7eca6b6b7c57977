# SPDX-License-Identifier: Apache-2.0
"""Flavors: how much memory, disk and processor a server gets."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavor:
    """One flavor; ``flavor_id`` is the public id, ``id`` the internal one."""

    id: int = 0
    flavor_id: str
    name: str
    memory_mb: int
    vcpus: int
    root_gb: int
    ephemeral_gb: int = 0
    swap_mb: int = 0
    rxtx_factor: float = 1.0
    is_public: bool = True
    disabled: bool = False
    extra_specs: dict[str, str] = field(default_factory=dict)

    @property
    def disk_gb(self) -> int:
        """Room on the host's disk, in GB, swap rounded up."""
        return self.root_gb + self.ephemeral_gb + -(-self.swap_mb // 1024)

    @property
    def amounts(self) -> dict[str, int]:
        """What a server of this size takes of quotas."""
        return {"instances": 1, "cores": self.vcpus, "ram": self.memory_mb}


STOCK_FLAVORS = (
    Flavor(flavor_id="1", name="m1.tiny", memory_mb=512, vcpus=1, root_gb=1),
    Flavor(flavor_id="2", name="m1.small", memory_mb=2048, vcpus=1, root_gb=20),
    Flavor(flavor_id="3", name="m1.medium", memory_mb=4096, vcpus=2, root_gb=40),
    Flavor(flavor_id="4", name="m1.large", memory_mb=8192, vcpus=4, root_gb=80),
    Flavor(flavor_id="5", name="m1.xlarge", memory_mb=16384, vcpus=8, root_gb=160),
)
"""What a new cloud has."""
