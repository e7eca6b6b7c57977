# SPDX-License-Identifier: Apache-2.0
"""Background processes that are found again by a pid file: started once, stopped by pid, never somebody else's."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tools.quickstart.progress import StepFailed

T = TypeVar("T")


def read_pid(pidfile: Path, *, word: str) -> int | None:
    """The process that *pidfile* names, if it still runs and its command line holds *word*."""
    try:
        pid = int(pidfile.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (OSError, ValueError):
        return None
    in_exec = not command and not _is_zombie(pid)
    return pid if word in command or in_exec else None


def start(argv: list[str], *, pidfile: Path, log: Path, word: str, env: dict[str, str] | None = None) -> int:
    """Start *argv* in the background unless it runs already, and give its pid."""
    running = read_pid(pidfile, word=word)
    if running is not None:
        return running
    with log.open("ab") as output:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, env=env
        )
    pidfile.write_text(f"{process.pid}\n")
    return process.pid


def stop(pidfile: Path, *, word: str, patience_s: float = 20) -> None:
    """End the process with SIGTERM, after *patience_s* with SIGKILL; nothing happens when it does not run."""
    pid = read_pid(pidfile, word=word)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        if not _gone(pidfile, word, patience_s):
            os.kill(pid, signal.SIGKILL)
            _gone(pidfile, word, 5)
    pidfile.unlink(missing_ok=True)


def _gone(pidfile: Path, word: str, patience_s: float) -> bool:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        pid = read_pid(pidfile, word=word)
        if pid is None or _is_zombie(pid):
            return True
        time.sleep(0.05)
    return False


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (OSError, IndexError):
        return True


def run(argv: list[str], *, log: Path, stdin: bytes = b"") -> str:
    """Run *argv* to its end; its words go to *log*; StepFailed when it fails."""
    done = subprocess.run(argv, input=stdin, capture_output=True, check=False)
    with log.open("ab") as output:
        output.write(f"$ {' '.join(argv)}\n".encode() + done.stdout + done.stderr)
    if done.returncode != 0:
        words = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
        last = words[-1] if words else "nothing was said"
        raise StepFailed(f"{' '.join(argv[:6])} … ended with {done.returncode}: {last}", log=log)
    return done.stdout.decode(errors="replace")


def wait_until(
    condition: Callable[[], T | None], *, what: str, timeout_s: float, log: Path | None = None, pause_s: float = 0.2
) -> T:
    """Ask *condition* until it gives something true, and give that; StepFailed after *timeout_s* seconds."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise StepFailed(f"{what} did not happen in {timeout_s:.0f} s", log=log)
        time.sleep(pause_s)
