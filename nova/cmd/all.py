# SPDX-License-Identifier: Apache-2.0
"""The program nova-all: every daemon in one process, for small clouds and for trying out."""

from __future__ import annotations

from nova.cmd.green import make_green


def main() -> None:
    """Be all daemons until a signal ends them."""
    make_green()
    from nova.cmd.building.all import build
    from nova.cmd.running import run_daemon

    run_daemon("nova-all", build)
