# SPDX-License-Identifier: Apache-2.0
"""Work that goes on on the host: a build loads disk and network."""

from __future__ import annotations

from nova.domain.host_state import HostState


def work_in_hand(host: HostState) -> float:
    """Servers that are being built there."""
    return host.building
