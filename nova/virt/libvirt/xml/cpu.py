# SPDX-License-Identifier: Apache-2.0
"""``<cpu>``: which processor the guest sees."""

from __future__ import annotations

from dataclasses import dataclass

from nova.domain.cpu_topology import CpuTopology
from nova.system import xml


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """:ivar mode: none (the hypervisor's default), host-model, host-passthrough, or custom with a *model*"""

    mode: str = "none"
    model: str = ""
    topology: CpuTopology | None = None

    def build(self) -> xml.Element | None:
        """The element, or None."""
        if self.mode == "none" and self.topology is None:
            return None
        root = xml.element("cpu", mode=None if self.mode == "none" else self.mode)
        if self.mode == "custom":
            root.set("match", "exact")
            xml.child(root, "model", self.model, fallback="allow")
        if self.topology is not None:
            parts = self.topology
            xml.child(root, "topology", sockets=parts.sockets, cores=parts.cores, threads=parts.threads)
        return root
