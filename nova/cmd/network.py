# SPDX-License-Identifier: Apache-2.0
"""The program nova-network."""

from __future__ import annotations

from nova.cmd.green import make_green


def main() -> None:
    """Be nova-network until a signal ends it."""
    make_green()
    from nova.cmd.building.network import build
    from nova.cmd.running import run_daemon

    run_daemon("nova-network", build)
