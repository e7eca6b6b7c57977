# SPDX-License-Identifier: Apache-2.0
"""Builds that failed there lately: a host that fails fast would otherwise attract every server."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nova.domain.host import HostRow


def build_failures(failures: Mapping[str, int]) -> Callable[[HostRow], float]:
    """How many; it lowers the rank and never shuts a host out, because users can cause failures."""
    return lambda host: failures.get(host.host, 0)
