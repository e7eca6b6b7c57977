# SPDX-License-Identifier: Apache-2.0
"""Kernel settings of the host that a cloud on the host's own network changes: kept before, put back at the end."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

SETTINGS = (
    "net/ipv4/ip_forward",
    "net/bridge/bridge-nf-call-iptables",
    "net/bridge/bridge-nf-call-ip6tables",
)


def save(place: Path) -> None:
    """Write down what they are, once."""
    if place.exists():
        return
    found = {name: path.read_text().strip() for name in SETTINGS if (path := Path("/proc/sys", name)).exists()}
    place.write_text(json.dumps(found) + "\n")


def restore(place: Path) -> None:
    """Make them what they were."""
    with contextlib.suppress(FileNotFoundError):
        for name, value in json.loads(place.read_text()).items():
            Path("/proc/sys", name).write_text(value)
