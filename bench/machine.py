# SPDX-License-Identifier: Apache-2.0
"""What the numbers were measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path

BUSY = 0.3
"""Processes that wait for a processor, on average, from which on a machine is not quiet"""


def description() -> str:
    """One paragraph: processor, memory, systems, and whether others were working at the time."""
    words = [
        f"{os.cpu_count()} x {_field('/proc/cpuinfo', 'model name')}",
        f"{int(_field('/proc/meminfo', 'MemTotal').split()[0]) / 1024**2:.1f} GiB of memory",
        _field("/etc/os-release", "PRETTY_NAME", separator="=").strip('"'),
        f"Linux {platform.release()}",
        f"Python {platform.python_version()}",
    ]
    return ", ".join(words) + f"; {quietness()}."


def quietness() -> str:
    """Whether the machine does other work now."""
    load = os.getloadavg()[0]
    state = "measured on a busy machine" if load > BUSY else "measured on a quiet machine"
    return f"{state} (load average at the start {load:.1f})"


def _field(path: str, name: str, *, separator: str = ":") -> str:
    for line in Path(path).read_text().splitlines():
        key, found, value = line.partition(separator)
        if found and key.strip() == name:
            return value.strip()
    return "unknown"
