# SPDX-License-Identifier: Apache-2.0
"""The same tests once more on green threads, as the daemons run."""

from __future__ import annotations

import subprocess
import sys


def test_everything_holds_on_green_threads_too() -> None:
    tests = ["tests/unit/rpc/test_memory.py", "tests/unit/rpc/test_blocking.py", "tests/unit/rpc/test_workers.py"]
    command = [sys.executable, "-m", "tests.green", "-q", *tests]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert " passed" in done.stdout
