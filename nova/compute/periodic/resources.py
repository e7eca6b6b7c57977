# SPDX-License-Identifier: Apache-2.0
"""The report of what the host has and of the free space on its disk."""

from __future__ import annotations

from nova.compute.host import Host
from nova.context import admin_context


def report_resources(host: Host) -> None:
    """Tell nova-conductor what the hypervisor says now."""
    host.conductor.report_host(admin_context("the host itself reports"), resources=host.driver.resources())
