# SPDX-License-Identifier: Apache-2.0
"""The Python half of ``./quickstart``; the shell half installs packages and makes the virtual environment."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tools.quickstart.layout import ADDRESS, Layout, remembered
from tools.quickstart.progress import StepFailed, explain

CHECKOUT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Go up or down; the exit code is 0 when all worked."""
    parser = argparse.ArgumentParser(prog="./quickstart")
    parser.add_argument("direction", nargs="?", choices=("up", "down"), default="up")
    parser.add_argument("--host-network", action="store_true")
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        return _refuse("Run ./quickstart as root: it makes bridges, firewall rules and virtual machines.")
    known = remembered(CHECKOUT)
    if known is not None and known.address != ADDRESS:
        return _refuse(f"The cloud that is here answers on {known.address}: set NOVA_QUICKSTART_ADDRESS to that.")
    if arguments.direction == "down":
        from tools.quickstart.down import down

        if known is None:
            print("There is no quickstart cloud here.")
            return 0
        down(known)
        return 0
    from tools.quickstart.up import Up

    layout = known or Layout(CHECKOUT, arguments.host_network)
    if known is not None and known.host_network != arguments.host_network:
        return _refuse("The cloud that is here was made the other way; ./quickstart down first.")
    try:
        Up(layout).run()
    except StepFailed as failure:
        explain(failure, layout.log)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.  ./quickstart goes on where it stopped; ./quickstart down removes everything.")
        return 130
    return 0


def _refuse(why: str) -> int:
    print(why, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
