# SPDX-License-Identifier: Apache-2.0
"""The heartbeat of nova-compute: it beats only while guests could be started here."""

from __future__ import annotations

from nova.compute.host import Host
from nova.context import admin_context


def send_heartbeat(host: Host) -> None:
    """Say that this host can do its work; Unavailable, and no beat, when its hypervisor does not answer."""
    host.driver.check()
    host.conductor.heartbeat(
        admin_context("the daemon itself reports"), host=host.name, binary="nova-compute", topic="compute"
    )
