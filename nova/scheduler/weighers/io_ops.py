# SPDX-License-Identifier: Apache-2.0
"""Work that goes on on the host: a build loads disk and network."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nova.domain.host import HostRow


def work_in_hand(building: Mapping[str, int]) -> Callable[[HostRow], float]:
    """Servers that are being built there."""
    return lambda host: building.get(host.host, 0)
