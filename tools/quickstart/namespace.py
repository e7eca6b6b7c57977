# SPDX-License-Identifier: Apache-2.0
"""The network namespace that holds the cloud's bridge, DHCP server, firewall rules, hypervisor and guests."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def exists(name: str) -> bool:
    """Whether the namespace is there."""
    return Path("/run/netns", name).exists()


def create(name: str) -> None:
    """Make it, with its loopback up; nothing happens when it is there."""
    if not exists(name):
        subprocess.run(["ip", "netns", "add", name], check=True)
    subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)


def pids(name: str) -> list[int]:
    """The processes that live in it."""
    done = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, check=False)
    return [int(word) for word in done.stdout.split() if int(word) != os.getpid()]


def delete(name: str) -> None:
    """Remove it; all that is in it (bridges, taps, rules) goes with it."""
    if exists(name):
        subprocess.run(["ip", "netns", "delete", name], check=True)
