# SPDX-License-Identifier: Apache-2.0
"""Steps with a name, a time and, when one fails, what failed, the log to read and what to do."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class StepFailed(Exception):
    """A step did not work: *what* happened, the *log* that tells more, and the *advice* for the reader."""

    def __init__(self, what: str, *, log: Path | None = None, advice: str = "") -> None:
        self.what = what
        self.log = log
        self.advice = advice
        super().__init__(what)


class Progress:
    """Prints one line for each step; the total is known beforehand."""

    def __init__(self, total: int, *, log: Path) -> None:
        self.total = total
        self.log = log
        self.count = 0
        self.began_at = float(os.environ.get("NOVA_QUICKSTART_BEGAN", time.time()))

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Run one step; the time it took is printed behind its title."""
        self.count += 1
        print(f"[{self.count:2}/{self.total}] {title} ", end="", flush=True)
        began = time.monotonic()
        try:
            yield
        except StepFailed:
            print("FAILED", flush=True)
            raise
        except BaseException:
            print("STOPPED", flush=True)
            raise
        print(f"({time.monotonic() - began:.1f} s)", flush=True)

    def elapsed(self) -> float:
        """Seconds since ``./quickstart`` was typed."""
        return time.time() - self.began_at


def explain(failure: StepFailed, default_log: Path) -> None:
    """Print what failed, the end of the log, and what to do."""
    log = failure.log or default_log
    print(f"\nFailed: {failure.what}", file=sys.stderr)
    if log.exists():
        tail = log.read_text(errors="replace").splitlines()[-8:]
        print(f"Log: {log}, which ends:", file=sys.stderr)
        for line in tail:
            print(f"    {line[:200]}", file=sys.stderr)
    advice = failure.advice or "read the log, mend the cause, and run ./quickstart again: it goes on where it stopped"
    print(f"What to do: {advice}; ./quickstart down removes everything.", file=sys.stderr)
