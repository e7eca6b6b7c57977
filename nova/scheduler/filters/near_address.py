# SPDX-License-Identifier: Apache-2.0
"""The hints ``build_near_host_ip`` and ``cidr``: hosts whose address is near another one."""

from __future__ import annotations

import ipaddress

from nova.domain.host import HostRow
from nova.scheduler.filters.check import Check, because
from nova.scheduler.request import Request

USUAL = "/24"


def near_address_filter(request: Request) -> Check | None:
    """Refuses hosts outside of the network of that size around the address."""
    address = request.spec.hints.get("build_near_host_ip")
    if not address:
        return None
    wanted = ipaddress.ip_network(f"{address}{request.spec.hints.get('cidr') or USUAL}", strict=False)

    def passes(host: HostRow) -> bool:
        try:
            return ipaddress.ip_address(host.host_ip) in wanted
        except ValueError:
            return False

    return Check("near_address", passes, because(f"not near {wanted}"))
