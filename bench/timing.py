# SPDX-License-Identifier: Apache-2.0
"""Stopwatches, and what the kernel knows of a process."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def seconds(work: Callable[[], object]) -> float:
    """How long *work* takes."""
    began_at = time.perf_counter()
    work()
    return time.perf_counter() - began_at


def best_of(work: Callable[[], object], *, turns: int = 9) -> float:
    """Seconds of the fastest of some turns: what it costs when nothing else is in the way."""
    return min(seconds(work) for _ in range(turns))


def poll(condition: Callable[[], object], *, timeout_s: float = 120.0, pause_s: float = 0.005) -> None:
    """Wait for *condition*; TimeoutError when it does not come true."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout_s:g} s")
        time.sleep(pause_s)


def cpu_s(pids: Iterable[int]) -> float:
    """Processor time of processes so far, and of their children that have ended."""
    return sum(sum(map(int, _stat(pid)[11:15])) for pid in pids) / TICKS


def pss_mib(pids: Iterable[int]) -> float:
    """Memory of processes, where shared pages are shared out among those that have them."""
    return sum(_pss_kib(pid) for pid in pids) / 1024


def _pss_kib(pid: int) -> int:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))


def _stat(pid: int) -> list[str]:
    """The fields of proc(5) stat from the third on; zeros for a process that has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ["0"] * 20
