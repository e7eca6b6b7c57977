# SPDX-License-Identifier: Apache-2.0
"""The program nova-scheduler."""

from __future__ import annotations

from nova.cmd.green import make_green


def main() -> None:
    """Be nova-scheduler until a signal ends it."""
    make_green()
    from nova.cmd.building.scheduler import build
    from nova.cmd.running import run_daemon

    run_daemon("nova-scheduler", build)
