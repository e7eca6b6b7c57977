# SPDX-License-Identifier: Apache-2.0
"""Live counters of a guest, under the names that the API has always had for them.  Runs in nova-compute."""

from __future__ import annotations

from typing import Any

import libvirt

from nova import errors
from nova.domain.instance import Instance
from nova.virt.libvirt.connection import Connection

WANTED = (
    libvirt.VIR_DOMAIN_STATS_CPU_TOTAL
    | libvirt.VIR_DOMAIN_STATS_VCPU
    | libvirt.VIR_DOMAIN_STATS_BALLOON
    | libvirt.VIR_DOMAIN_STATS_BLOCK
    | libvirt.VIR_DOMAIN_STATS_INTERFACE
)
BLOCK = {"rd.reqs": "read_req", "rd.bytes": "read", "wr.reqs": "write_req", "wr.bytes": "write", "errors": "errors"}
CARD = {
    f"{way}.{libvirts}": f"{way}{ours}"
    for way in ("rx", "tx")
    for libvirts, ours in (("bytes", ""), ("pkts", "_packets"), ("errs", "_errors"), ("drop", "_drop"))
}
MEMORY = {"current": "memory", "maximum": "memory-maximum", "rss": "memory-rss", "available": "memory-available"}


def of(connection: Connection, instance: Instance) -> dict[str, int]:
    """The counters; InvalidState for a guest that is off."""

    def look(domain: Any) -> dict[str, int]:
        if not domain.isActive():
            return {}
        [(_, stats)] = domain.connect().domainListGetStats([domain], WANTED)
        return named(stats)

    found = connection.find(instance.uuid, "read the server's counters", look)
    if not found:
        raise errors.InvalidState(f"The guest of server {instance.uuid} is off.")
    return found


def named(stats: dict[str, Any]) -> dict[str, int]:
    """libvirt's statistics under our names."""
    found = {f"cpu{number}_time": stats.get(f"vcpu.{number}.time", 0) for number in range(stats.get("vcpu.current", 0))}
    found |= {ours: stats[f"balloon.{theirs}"] for theirs, ours in MEMORY.items() if f"balloon.{theirs}" in stats}
    for kind, words in (("block", BLOCK), ("net", CARD)):
        for number in range(stats.get(f"{kind}.count", 0)):
            device = f"{kind}.{number}"
            found |= {
                f"{stats[f'{device}.name']}_{ours}": int(stats.get(f"{device}.{theirs}", 0))
                for theirs, ours in words.items()
            }
    return found
